//! `stream.mode: file`: events leave for a log of EVT1 records (design.md, 4.2).
//!
//! Records are appended in whole blocks, and a block that does not fit the disk waits: the queue before it fills,
//! what it cannot hold is counted, and with room on the disk the log goes on where it stopped.

mod member;
mod whole;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use sentinel_event::{Kind, Loss, LossCause, Stage};
use sentinel_sink::{RotatingFile, Rotation};
use tracing::{info, warn};

use crate::{
    config::StreamFile,
    ledger::Ledger,
    meters::Meters,
    outlet::Ending,
    parcel::{Lines, Parcel},
    queue::{Received, Receiver, Sender},
};

/// How long the thread sleeps when there is nothing to do.
const IDLE: Duration = Duration::from_millis(50);
/// How often a disk that does not take a block is tried.
const AGAIN: Duration = Duration::from_millis(250);
/// How long a block waits for the disk once the agent stops.
const LAST: Duration = Duration::from_secs(2);
/// A compressed block is written after this long, whatever its size.
const AGE: Duration = Duration::from_secs(1);
/// Bytes of a compressed block before compression: fewer blocks pack better.
const BLOCK: usize = 256 << 10;

/// The thread's work.
pub(crate) struct Log {
    file: RotatingFile,
    path: String,
    compress: bool,
    /// Longest time between writing and `fdatasync`; none: never.
    sync: Option<Duration>,
    pub(super) input: Receiver<Parcel>,
    pub(super) empties: Sender<Parcel>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) meters: Arc<Meters>,
    block: Lines,
    begun: Option<Instant>,
    unsynced: Option<Instant>,
}

impl Log {
    pub(crate) fn new(
        config: &StreamFile,
        (input, empties): (Receiver<Parcel>, Sender<Parcel>),
        (ledger, meters): (Arc<Mutex<Ledger>>, Arc<Meters>),
    ) -> Self {
        let rotation = Rotation {
            path: config.path.clone(),
            max_bytes: config.rotate_max_bytes,
            max_files: config.rotate_max_files,
            whole: if config.compress { whole::compressed } else { whole::plain },
        };
        Self {
            file: RotatingFile::new(rotation),
            path: config.path.display().to_string(),
            compress: config.compress,
            sync: config.sync_seconds.0.map(|seconds| Duration::from_secs(seconds.into())),
            input,
            empties,
            ledger,
            meters,
            block: Lines::default(),
            begun: None,
            unsynced: None,
        }
    }

    /// Runs until the pipeline has ended and everything is written.
    pub(crate) fn run(mut self) -> Ending {
        crate::pipeline::prefer();
        loop {
            match self.input.receive(IDLE) {
                Received::Item(mut parcel) => {
                    match &mut parcel {
                        Parcel::Lines(lines) => self.take(lines),
                        // The packer and the way are chosen together.
                        Parcel::Observations(_) => self.lose_parcel(&parcel),
                    }
                    parcel.clear();
                    // A full pool of empties just means that this one is freed.
                    let _ = self.empties.send(parcel, 0);
                }
                Received::Nothing => {
                    if self.begun.is_some_and(|begun| begun.elapsed() >= AGE) {
                        self.flush();
                    }
                }
                Received::Closed => {
                    self.flush();
                    self.sync(true);
                    return Ending::Drained;
                }
            }
            self.sync(false);
        }
    }

    /// Puts records into the block, which is written when it is long or old enough.
    fn take(&mut self, lines: &mut Lines) {
        if !self.compress {
            std::mem::swap(&mut self.block, lines);
            self.flush();
            std::mem::swap(&mut self.block, lines);
            return;
        }
        let before = self.block.bytes.len();
        self.block.bytes.extend_from_slice(&lines.bytes);
        let moved = lines.ends.iter().map(|(kind, end, report)| (*kind, before + end, *report));
        self.block.ends.extend(moved);
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if self.block.bytes.len() >= BLOCK || begun.elapsed() >= AGE {
            self.flush();
        }
    }

    /// Writes the block, waiting for the disk if need be.
    fn flush(&mut self) {
        self.begun = None;
        if self.block.ends.is_empty() {
            return;
        }
        let mut wrote = self.append();
        let meters = Arc::clone(&self.meters);
        let outlet = meters.outlet(Stage::File);
        let mut closed = None;
        while let Err(error) = &wrote {
            outlet.retries.fetch_add(1, Ordering::Relaxed);
            if !outlet.away.swap(true, Ordering::Relaxed) {
                warn!(%error, path = self.path, "Cannot write the log; it pauses, and goes on when it can.");
            }
            if self.input.is_closed() && closed.get_or_insert_with(Instant::now).elapsed() >= LAST {
                self.lose_block();
                return;
            }
            std::thread::sleep(AGAIN);
            wrote = self.append();
        }
        if outlet.away.swap(false, Ordering::Relaxed) {
            info!(path = self.path, "The log goes on.");
        }
        for (kind, _, _) in &self.block.ends {
            outlet.delivered.add(*kind, 1);
        }
        outlet.bytes.fetch_add(self.block.bytes.len() as u64, Ordering::Relaxed);
        self.block.bytes.clear();
        self.block.ends.clear();
        self.unsynced.get_or_insert_with(Instant::now);
    }

    fn append(&mut self) -> io::Result<()> {
        if self.compress {
            let member = member::member(&self.block.bytes)?;
            return self.file.append(&member);
        }
        self.file.append(&self.block.bytes)
    }

    fn sync(&mut self, now: bool) {
        let due = |since: Instant| self.sync.is_some_and(|most| now || since.elapsed() >= most);
        if self.unsynced.is_some_and(due) {
            self.unsynced = None;
            if let Err(error) = self.file.sync() {
                warn!(%error, path = self.path, "Cannot force the log to the disk.");
            }
        }
    }

    fn lose_block(&mut self) {
        let ends: Vec<(Kind, usize, Option<Loss>)> = self.block.ends.drain(..).collect();
        self.block.bytes.clear();
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, _, report) in ends {
            ledger.lose(kind, report.as_ref(), Stage::File, LossCause::Failed, &self.meters);
        }
    }

    fn lose_parcel(&self, parcel: &Parcel) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        parcel.lose(0, Stage::File, LossCause::Failed, &mut ledger, &self.meters);
    }
}
