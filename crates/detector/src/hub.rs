//! The hub: alerts from everywhere become one ordered feed.
//!
//! One thread writes. It takes what waits, makes it safe in one transaction, answers those who brought it, and
//! only then tells the feed and the outputs. So the order of the feed is the order of the store, nobody hears of an alert that a
//! crash could take back, and nothing is acknowledged that is not on the disk. Many senders share one fsync.

use std::{
    collections::HashMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sentinel_sink::Outputs;
use tokio::{
    runtime::Handle,
    sync::{Notify, broadcast, mpsc, oneshot},
    time::timeout,
};
use tracing::{error, warn};

use crate::{
    meters::Meters,
    piece::{Piece, pieces},
    store::{Entry, Follower, Library, Traces, Writer},
    time::now_ms,
};

/// Deliveries that wait for the writer; who brings more waits too.
const WAITING: usize = 64;
/// Rows that go into one transaction, about.
const TOGETHER: usize = 8192;
/// Touches, of which many are one row: a transaction that took all that waits would leave nothing to do while it
/// is written.
const TOUCHES: usize = 3584;
/// Pieces that a reader of the feed may be behind: some megabytes, more than what one transaction brings.
const BEHIND: usize = 512;
/// How often the store is asked to forget.
const TRIM: Duration = Duration::from_secs(5);
/// How often a failing store is complained about.
const COMPLAIN: Duration = Duration::from_secs(10);

/// The store did not take it; whoever sent it keeps it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

fn stopping() -> Refused {
    Refused("the detector is stopping".into())
}

/// What was delivered, on its way to the disk.
#[derive(Debug)]
pub(crate) struct Receipt(Option<oneshot::Receiver<Result<(), Refused>>>);

impl Receipt {
    /// Waits until it is safe.
    pub(crate) async fn safe(self) -> Result<(), Refused> {
        match self.0 {
            None => Ok(()),
            Some(answer) => answer.await.unwrap_or_else(|_| Err(stopping())),
        }
    }
}

/// What somebody brings.
struct Delivery {
    alerts: Vec<Entry>,
    traces: Vec<Traces>,
    done: oneshot::Sender<Result<(), Refused>>,
}

/// The way to the writer and to the feed.
#[derive(Clone)]
pub(crate) struct Hub {
    deliveries: mpsc::Sender<Delivery>,
    feed: broadcast::Sender<Arc<Piece>>,
    pub(crate) library: Library,
}

impl Hub {
    /// Starts the thread that writes. It ends when every `Hub` is gone; the receiver then learns of it. `shared`:
    /// other detectors write into the same history, and its last alert so far is this one.
    pub(crate) fn start(
        writer: Box<dyn Writer>,
        library: Library,
        shared: Option<u64>,
        (meters, outputs): (Arc<Meters>, Arc<Outputs>),
        runtime: &Handle,
    ) -> std::io::Result<(Self, oneshot::Receiver<()>)> {
        let (deliveries, incoming) = mpsc::channel(WAITING);
        let (feed, _) = broadcast::channel(BEHIND);
        let (alive, ended) = oneshot::channel();
        let written = shared.map(|last| {
            let written = Arc::new(Notify::new());
            let (library, feed) = (library.clone(), feed.clone());
            runtime.spawn(Follower { library, feed, written: Arc::clone(&written), last }.run());
            written
        });
        let scribe = Scribe {
            writer,
            incoming,
            feed: feed.clone(),
            written,
            meters,
            outputs,
            trim: Instant::now(),
            complained: None,
        };
        let runtime = runtime.clone();
        thread::Builder::new().name("history".into()).spawn(move || {
            // Dropped at the end, also by a panic.
            let _alive: oneshot::Sender<()> = alive;
            scribe.run(&runtime);
        })?;
        Ok((Self { deliveries, feed, library }, ended))
    }

    /// Hands alerts and traces to the writer; the feed is told of the alerts that are new once they are safe.
    pub(crate) async fn deliver(
        &self,
        alerts: Vec<Entry>,
        mut traces: Vec<Traces>,
    ) -> Result<Receipt, Refused> {
        traces.retain(|traces| !traces.is_empty());
        if alerts.is_empty() && traces.is_empty() {
            return Ok(Receipt(None));
        }
        let (done, answer) = oneshot::channel();
        let delivery = Delivery { alerts, traces, done };
        self.deliveries.send(delivery).await.map_err(|_| stopping())?;
        Ok(Receipt(Some(answer)))
    }

    /// From now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Piece>> {
        self.feed.subscribe()
    }
}

/// The thread that writes.
struct Scribe {
    writer: Box<dyn Writer>,
    incoming: mpsc::Receiver<Delivery>,
    feed: broadcast::Sender<Arc<Piece>>,
    /// Tells who reads the feed from the history, which others write, too. None: the feed has what we write.
    written: Option<Arc<Notify>>,
    meters: Arc<Meters>,
    outputs: Arc<Outputs>,
    /// When the store is to forget next.
    trim: Instant,
    complained: Option<Instant>,
}

impl Scribe {
    fn run(mut self, runtime: &Handle) {
        loop {
            let patience = self.trim.saturating_duration_since(Instant::now());
            match runtime.block_on(async { timeout(patience, self.incoming.recv()).await }) {
                Ok(Some(delivery)) => self.write(delivery),
                Ok(None) => return,
                Err(_) => {}
            }
            if self.trim <= Instant::now() {
                self.forget();
            }
        }
    }

    fn write(&mut self, first: Delivery) {
        let (mut alerts, mut shares) = (Vec::new(), Vec::new());
        let mut nodes = HashMap::<String, Traces>::new();
        let (mut rows, mut touches) = (0, 0);
        let mut next = Some(first);
        while let Some(delivery) = next {
            rows += delivery.alerts.len();
            alerts.extend(delivery.alerts);
            for traces in delivery.traces {
                rows += traces.processes.len();
                touches += traces.leaves.iter().map(|leaf| leaf.touches).sum::<usize>();
                match nodes.get_mut(&traces.node) {
                    Some(node) => node.append(traces),
                    None => drop(nodes.insert(traces.node.clone(), traces)),
                }
            }
            shares.push(delivery.done);
            next = if rows < TOGETHER && touches < TOUCHES { self.incoming.try_recv().ok() } else { None };
        }
        let traces: Vec<Traces> = nodes.into_values().collect();
        let answer = match self.writer.append(&alerts, &traces, now_ms()) {
            Ok(sequences) => {
                self.meters.commits.add(1);
                self.publish(&alerts, &sequences);
                Ok(())
            }
            Err(error) => {
                self.meters.commits_failed.add(1);
                if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
                    self.complained = Some(Instant::now());
                    error!(%error, "The history takes nothing; senders are asked to keep what they have.");
                }
                Err(Refused(error.to_string()))
            }
        };
        for done in shares {
            // Who has gone will send it again.
            let _ = done.send(answer.clone());
        }
    }

    fn publish(&self, alerts: &[Entry], sequences: &[Option<u64>]) {
        let new = || alerts.iter().zip(sequences).filter_map(|(entry, seq)| Some((entry, (*seq)?)));
        let count = new().count();
        self.meters.alerts.add(count);
        self.meters.alerts_repeated.add(alerts.len() - count);
        if let Some(written) = &self.written {
            written.notify_one();
        } else if self.feed.receiver_count() > 0 {
            for piece in pieces(new().map(|(entry, seq)| (seq, entry.served(seq)))) {
                // Nobody may have left in between; that is no loss.
                let _ = self.feed.send(Arc::new(piece));
            }
        }
        new().for_each(|(entry, _)| self.outputs.send(&entry.alert));
    }

    fn forget(&mut self) {
        let more = self.writer.trim(now_ms()).unwrap_or_else(|error| {
            warn!(%error, "The history cannot forget; it grows.");
            false
        });
        self.trim = Instant::now() + if more { Duration::from_millis(20) } else { TRIM };
    }
}
