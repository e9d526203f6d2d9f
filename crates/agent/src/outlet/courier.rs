//! `stream.mode: grpc` and `nats`: events leave for a detector or for a bus, at least once each.
//!
//! A batch is ours until it is acknowledged. While the receiver is away or too slow, batches go to a bounded spool
//! on disk, and drain from there in order; what exceeds the bound is counted and reported. This thread keeps the
//! books; [`link`] speaks gRPC, [`nats`] NATS.

mod anomaly;
mod link;
mod nats;
mod store;
mod window;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sentinel_event::{Alert, LossCause, Stage};
use sentinel_sink::SpoolError;
use tracing::{error, info, warn};

pub(super) use self::link::endpoint;
use self::{
    link::{Link, Said},
    store::Store,
    window::{Batch, Window},
};
use crate::{
    AgentError, Config,
    config::GrpcSpool,
    ledger::Ledger,
    meters::{Meters, OutletMeters},
    outlet::Ending,
    parcel::Parcel,
    queue::{Gauge, Received, Receiver, Sender},
};

/// How long the thread sleeps when there is nothing to do.
const IDLE: Duration = Duration::from_millis(20);
/// How long acknowledgements are waited for at the end.
const LAST: Duration = Duration::from_secs(2);
/// A detector that leaves the window full for so long is slow: events go to the spool.
const SLOW: Duration = Duration::from_millis(100);
/// How often the same trouble is logged.
const COMPLAIN: Duration = Duration::from_secs(10);

/// Receives alerts of the detector's anomalies.
pub(crate) type OnAnomaly = Box<dyn Fn(Alert) + Send>;

/// The thread's ends of the queue, and a look at it.
type Ends = (Receiver<Parcel>, Sender<Parcel>, Gauge<Parcel>);

/// The thread's work.
pub(crate) struct Courier {
    stage: Stage,
    /// The receiver, for people.
    whom: &'static str,
    link: Link,
    window: Window,
    store: Option<Store>,
    pub(super) input: Receiver<Parcel>,
    pub(super) empties: Sender<Parcel>,
    pub(super) waiting: Gauge<Parcel>,
    ledger: Arc<Mutex<Ledger>>,
    meters: Arc<Meters>,
    on_anomaly: OnAnomaly,
    /// Since when the window has no room.
    full: Option<Instant>,
    complained: Option<Instant>,
}

impl Courier {
    /// To the detector of `config.grpc`.
    pub(crate) fn grpc(
        config: &Config,
        ends: Ends,
        counts: (Arc<Mutex<Ledger>>, Arc<Meters>),
        on_anomaly: OnAnomaly,
    ) -> Result<Self, AgentError> {
        let spool = &config.grpc.spool;
        let link = Link::start(&config.grpc)?;
        Self::new((Stage::Grpc, "detector", link), ("grpc.spool", spool), ends, counts, on_anomaly)
    }

    /// To the bus of `config.nats`. Anomalies are the detectors' to tell.
    pub(crate) fn nats(
        config: &Config,
        ends: Ends,
        counts: (Arc<Mutex<Ledger>>, Arc<Meters>),
    ) -> Result<Self, AgentError> {
        let crate::config::NatsSpool { path, max_bytes } = config.nats.spool.clone();
        let link = nats::start(&config.nats)?;
        let spool = GrpcSpool { path, max_bytes };
        Self::new((Stage::Nats, "NATS server", link), ("nats.spool", &spool), ends, counts, Box::new(drop))
    }

    fn new(
        (stage, whom, link): (Stage, &'static str, Link),
        (key, spool): (&'static str, &GrpcSpool),
        (input, empties, waiting): Ends,
        (ledger, meters): (Arc<Mutex<Ledger>>, Arc<Meters>),
        on_anomaly: OnAnomaly,
    ) -> Result<Self, AgentError> {
        Ok(Self {
            stage,
            whom,
            link,
            window: Window::default(),
            store: Store::open(key, spool)?,
            input,
            empties,
            waiting,
            ledger,
            meters,
            on_anomaly,
            full: None,
            complained: None,
        })
    }

    /// Runs until the pipeline has ended and everything is acknowledged or kept.
    pub(crate) fn run(mut self) -> Ending {
        crate::pipeline::prefer();
        loop {
            while let Ok(said) = self.link.said.try_recv() {
                self.hear(said);
            }
            self.send_stored();
            for batch in self.window.overdue() {
                self.done(&batch);
            }
            self.tell_bytes();
            match self.next() {
                Received::Item(mut parcel) => {
                    self.take(&parcel);
                    parcel.clear();
                    // A full pool of empties just means that this one is freed.
                    let _ = self.empties.send(parcel, 0);
                }
                Received::Nothing => {}
                Received::Closed => {
                    self.finish();
                    return Ending::Drained;
                }
            }
        }
    }

    /// The next parcel, if it has somewhere to go.
    fn next(&mut self) -> Received<Parcel> {
        let (up, room, closed) = (self.window.is_up(), self.window.has_room(), self.input.is_closed());
        if room {
            self.full = None;
            // What is on disk is older, and goes first.
            if self.store.as_ref().is_none_or(Store::is_sent) {
                return self.input.receive(IDLE);
            }
        }
        let pressing = self.waiting.weight() > self.waiting.limit() / 2;
        let slow = up && !room && self.full.get_or_insert_with(Instant::now).elapsed() >= SLOW;
        let spill = self.store.is_some() && (!up || pressing || slow || closed);
        if spill || closed && !up {
            return self.input.receive(IDLE);
        }
        if closed && self.waiting.weight() == 0 {
            return Received::Closed;
        }
        match self.link.said.recv_timeout(IDLE) {
            Ok(said) => self.hear(said),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(IDLE),
        }
        Received::Nothing
    }

    fn take(&mut self, parcel: &Parcel) {
        let Parcel::Lines(lines) = parcel else {
            // The packer and the way are chosen together.
            return self.lose(parcel, LossCause::Failed);
        };
        let sent = self.store.as_ref().is_none_or(Store::is_sent);
        if self.window.has_room() && sent {
            let kinds = lines.ends.iter().map(|(kind, _, _)| *kind).collect();
            self.window.send(Batch::new(Bytes::copy_from_slice(&lines.bytes), kinds));
            return;
        }
        let Some(store) = &mut self.store else { return self.lose(parcel, LossCause::Closed) };
        if let Err(error) = store.push(&lines.bytes, lines.ends.len()) {
            let cause = if matches!(error, SpoolError::Full) { LossCause::Full } else { LossCause::Failed };
            self.lose(parcel, cause);
            if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN) {
                self.complained = Some(Instant::now());
                error!(%error, "The {} is away and its spool takes no more; events are lost.", self.whom);
            }
        }
    }

    /// From the spool, as long as there is room.
    fn send_stored(&mut self) {
        let Some(store) = &mut self.store else { return };
        while self.window.has_room() {
            match store.next() {
                Ok(Some(batch)) => self.window.send(batch),
                Ok(None) => return,
                Err(error) => {
                    if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN) {
                        self.complained = Some(Instant::now());
                        error!(%error, "Cannot read the spool.");
                    }
                    return;
                }
            }
        }
    }

    fn hear(&mut self, said: Said) {
        let outlet = self.meters.outlet(self.stage);
        match said {
            Said::Up(stream) => {
                if outlet.away.swap(false, Ordering::Relaxed) {
                    info!("The {} is back.", self.whom);
                }
                self.window.up(stream);
            }
            Said::Away(reason) => {
                outlet.retries.fetch_add(1, Ordering::Relaxed);
                if !outlet.away.swap(true, Ordering::Relaxed) {
                    warn!(reason, "The {} is away; events wait for it.", self.whom);
                }
                self.window.down();
            }
            Said::Acknowledged(ack) => {
                for answer in &ack.anomalies {
                    self.judged(answer);
                }
                if let Some(batch) = self.window.acknowledged(ack.sequence) {
                    self.done(&batch);
                }
            }
            Said::Answered(answer) => {
                self.judged(&answer);
                if let Some(batch) = self.window.answered(&answer.event_id) {
                    self.done(&batch);
                }
            }
        }
    }

    fn judged(&self, answer: &sentinel_wire::v1::DetectionResponse) {
        if answer.anomaly {
            let event = self.window.find(&answer.event_id);
            (self.on_anomaly)(anomaly::alert(answer, event.as_ref()));
        }
    }

    fn done(&mut self, batch: &Batch) {
        delivered(self.meters.outlet(self.stage), batch);
        if let (Some(store), Some(place)) = (&mut self.store, batch.stored)
            && let Err(error) = store.taken(batch, place)
        {
            warn!(%error, "Cannot clear the spool; some events may be sent twice.");
        }
    }

    /// Waits a little for acknowledgements; the rest goes to the spool, or is lost and counted.
    fn finish(&mut self) {
        let deadline = Instant::now() + LAST;
        while self.window.is_up() && !self.window.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.link.said.recv_timeout(left) {
                Ok(said) => self.hear(said),
                Err(_) => break,
            }
        }
        for batch in self.window.drain() {
            let count = batch.kinds.len();
            // What came from the spool is still there.
            let kept = batch.stored.is_some()
                || self.store.as_mut().is_some_and(|store| store.push(&batch.events, count).is_ok());
            if !kept {
                let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
                for kind in &batch.kinds {
                    ledger.lose(*kind, None, self.stage, LossCause::Closed, &self.meters);
                }
            }
        }
        let kept = self.store.as_ref().map_or(0, Store::ours);
        self.meters.outlet(self.stage).kept.store(kept, Ordering::Relaxed);
        self.tell_bytes();
    }

    fn tell_bytes(&self) {
        let bytes = self.store.as_ref().map_or(0, Store::bytes);
        self.meters.outlet(self.stage).spooled_bytes.store(bytes, Ordering::Relaxed);
    }

    fn lose(&self, parcel: &Parcel, cause: LossCause) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        parcel.lose(0, self.stage, cause, &mut ledger, &self.meters);
    }
}

fn delivered(outlet: &OutletMeters, batch: &Batch) {
    outlet.bytes.fetch_add(batch.events.len() as u64, Ordering::Relaxed);
    if batch.former {
        outlet.recovered.fetch_add(batch.kinds.len() as u64, Ordering::Relaxed);
        return;
    }
    for kind in &batch.kinds {
        outlet.delivered.add(*kind, 1);
    }
}
