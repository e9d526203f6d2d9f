//! Reads and writes, one line per process and second.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use sentinel_event::{FileIo, Kind, Observation, Path, ProcessKey};

use crate::live::line::{Line, Piece, Style};
use crate::live::object::{path, style, transfer};

/// Processes that are summed at a time; more are shown early.
const PROCESSES: usize = 4096;
/// Files of one process that are told apart; more are "or more".
const FILES: usize = 1000;

const SECOND_NS: u64 = 1_000_000_000;

/// Sums that wait for the end of the second in which their first event arrived. Arrival counts, not the
/// time of the event: the kernel reports sums of its own up to a second late.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    waiting: FxHashMap<ProcessKey, Sum>,
    /// In the order of their first events.
    order: Vec<(u64, ProcessKey)>,
}

#[derive(Debug)]
struct Sum {
    /// The first event, for everything but the numbers.
    first: Observation,
    path: Path,
    files: HashSet<(u32, u64)>,
    read: Count,
    written: Count,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    bytes: u64,
    calls: u64,
}

/// A line that is due: the event it began with, and what it says of all.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) first: Observation,
    /// Label, object and details.
    pub(crate) kind: Piece,
    pub(crate) object: String,
    pub(crate) details: String,
}

impl Due {
    /// Fills the parts of a line that concern the files.
    pub(crate) fn fill(self, line: &mut Line) {
        line.object = self.object;
        line.after.insert(0, (Style::Plain, self.details));
    }
}

impl Fold {
    /// Adds an event of `kind` (read or write) that arrived at `now_ns` to its process's sum.
    pub(crate) fn add(&mut self, observation: &Observation, kind: Kind, io: &FileIo, now_ns: u64) {
        let process = observation.event.head.process;
        let sum = self.waiting.entry(process).or_insert_with(|| {
            self.order.push((now_ns / SECOND_NS, process));
            Sum {
                first: observation.clone(),
                path: io.path.clone(),
                files: HashSet::new(),
                read: Count::default(),
                written: Count::default(),
            }
        });
        if sum.files.len() < FILES {
            sum.files.insert((io.dev, io.ino));
        }
        let count = if kind == Kind::FileWrite { &mut sum.written } else { &mut sum.read };
        count.bytes = count.bytes.saturating_add(io.bytes);
        count.calls = count.calls.saturating_add(io.calls);
    }

    /// What is due at `now_ns`: sums of seconds that are over; everything when the bound is reached.
    pub(crate) fn due(&mut self, now_ns: u64) -> Vec<Due> {
        let second = if self.is_full() { u64::MAX } else { now_ns / SECOND_NS };
        self.take(second)
    }

    /// Everything.
    pub(crate) fn rest(&mut self) -> Vec<Due> {
        self.take(u64::MAX)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.order.len() >= PROCESSES
    }

    fn take(&mut self, before: u64) -> Vec<Due> {
        let (over, left): (Vec<_>, _) = self.order.drain(..).partition(|(second, _)| *second < before);
        self.order = left;
        over.iter().filter_map(|(_, process)| self.waiting.remove(process)).map(Sum::due).collect()
    }
}

impl Sum {
    fn due(self) -> Due {
        let kind = match (self.read.calls, self.written.calls) {
            (0, _) => Kind::FileWrite.name(),
            (_, 0) => Kind::FileRead.name(),
            _ => "read+write",
        };
        let object = match self.files.len() {
            0 | 1 => path(&self.path),
            FILES => format!("{FILES} files or more"),
            count => format!("{count} files"),
        };
        let told = [("read", self.read), ("wrote", self.written)];
        let told: Vec<_> = told
            .iter()
            .filter(|(_, count)| count.calls > 0)
            .map(|(verb, count)| format!("{verb} {}", transfer(count.bytes, count.calls)))
            .collect();
        Due {
            first: self.first,
            kind: (style(Kind::FileRead), kind.to_owned()),
            object,
            details: told.join(", "),
        }
    }
}
