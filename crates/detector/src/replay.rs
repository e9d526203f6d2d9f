//! A log of events, replayed into the detector as if a node had sent it.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sentinel_wire::{
    Events, Transcoder,
    evt1::{Damage, Item, Reader},
};
use tokio::{runtime::Handle, sync::watch};
use tracing::{info, warn};

use crate::{
    DetectorError,
    hub::Refused,
    intake::{Intake, Judged},
};

/// Events that are judged together.
const BATCH: usize = 256;
/// Batches that wait for the disk.
const AHEAD: usize = 64;
/// Events that are due within so long go together: none is sooner or later by more.
const TOGETHER: Duration = Duration::from_millis(1);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(5);
/// Longest sleep: then it is looked whether we stop.
const NAP: Duration = Duration::from_millis(100);

/// How fast a log is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Pace {
    /// With the time between events that there was.
    Realtime,
    /// As fast as it goes.
    Fast,
}

/// Opens the log and replays it in a thread of its own.
pub(crate) fn start(
    path: &Path,
    pace: Pace,
    intake: Arc<Intake>,
    stop: watch::Receiver<bool>,
) -> Result<(), DetectorError> {
    let opened = File::open(path).and_then(Reader::new);
    let reader = opened.map_err(|error| DetectorError::File {
        key: "--replay-log",
        path: path.to_owned(),
        problem: format!("{error}; correct the path, or make it readable for this user"),
    })?;
    let replay = Replay {
        reader,
        pace,
        intake,
        stop,
        runtime: Handle::current(),
        coder: Transcoder::default(),
        batch: Default::default(),
        waiting: VecDeque::new(),
        first: None,
        events: 0,
        damaged: 0,
        begun: Instant::now(),
        told: Instant::now(),
    };
    let failed = |source| DetectorError::System { what: "starting a thread", source };
    thread::Builder::new().name("replay".into()).spawn(move || replay.run()).map(drop).map_err(failed)
}

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the log cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the detector took no more: {0}")]
    Refused(#[from] Refused),
    #[error("the detector stops")]
    Stopped,
}

struct Replay {
    reader: Reader<File>,
    pace: Pace,
    intake: Arc<Intake>,
    stop: watch::Receiver<bool>,
    runtime: Handle,
    coder: Transcoder,
    /// Events as [`Transcoder::batched`] writes them, and how many.
    batch: (Vec<u8>, usize),
    waiting: VecDeque<Judged>,
    /// When the first event was replayed, and its time, nanoseconds since the Unix epoch.
    first: Option<(Instant, u64)>,
    events: u64,
    damaged: u64,
    begun: Instant,
    told: Instant,
}

impl Replay {
    fn run(mut self) {
        let ended = self.all();
        let seconds = self.begun.elapsed().as_secs_f64();
        match ended {
            Ok(()) => info!(events = self.events, damaged = self.damaged, seconds, "Replayed the log."),
            Err(error) => warn!(%error, events = self.events, "The replay ended early."),
        }
    }

    fn all(&mut self) -> Result<(), Ended> {
        let mut event = Vec::new();
        loop {
            event.clear();
            let coder = &mut self.coder;
            let Some(item) = self.reader.next_read(|payload| coder.batched(payload, &mut event))? else {
                break;
            };
            match item {
                Item::Record(time_ns) => self.one(&event, time_ns)?,
                Item::Damage(damage) => self.damage(damage),
            }
            if *self.stop.borrow() {
                return Err(Ended::Stopped);
            }
            if self.told.elapsed() >= TELL {
                self.told = Instant::now();
                info!(events = self.events, bytes = self.reader.bytes_read(), "Replaying.");
            }
        }
        self.flush()?;
        self.settle(0)
    }

    fn one(&mut self, event: &[u8], time_ns: u64) -> Result<(), Ended> {
        if self.pace == Pace::Realtime {
            self.wait_for(time_ns)?;
        }
        self.events += 1;
        self.batch.0.extend_from_slice(event);
        self.batch.1 += 1;
        if self.batch.1 >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Waits until it is as long after the first event as it was.
    fn wait_for(&mut self, time_ns: u64) -> Result<(), Ended> {
        let (begun, first) = *self.first.get_or_insert((Instant::now(), time_ns));
        let due = begun + Duration::from_nanos(time_ns.saturating_sub(first));
        if due <= Instant::now() + TOGETHER {
            return Ok(());
        }
        // What came before must not wait with it; but for the disk there must be time.
        self.flush()?;
        if due > Instant::now() + NAP {
            self.settle(0)?;
        }
        while let Some(rest) = due.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            if *self.stop.borrow() {
                return Err(Ended::Stopped);
            }
            thread::sleep(rest.min(NAP));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Ended> {
        let (bytes, count) = std::mem::take(&mut self.batch);
        if count == 0 {
            return Ok(());
        }
        // What was just written can be read.
        let events = Events::of_batch(bytes).unwrap_or_default();
        let judged = self.runtime.block_on(self.intake.events(&events))?;
        self.waiting.push_back(judged);
        self.settle(AHEAD)
    }

    /// Waits until at most so many batches are not safe yet.
    fn settle(&mut self, left: usize) -> Result<(), Ended> {
        while self.waiting.len() > left {
            let Some(mut oldest) = self.waiting.pop_front() else { break };
            self.runtime.block_on(oldest.safe())?;
        }
        Ok(())
    }

    fn damage(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.damaged == 1 {
            warn!(%damage, "The log is damaged; the rest is replayed.");
        }
    }
}
