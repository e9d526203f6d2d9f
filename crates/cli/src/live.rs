//! The live view: one line per event, for people at a terminal.

mod alert;
mod fold;
mod line;
mod object;
mod totals;
mod visible;

pub(crate) use self::visible::visible;

use std::io::{self, Write};
use std::time::Duration;

use bstr::ByteSlice as _;
use chrono::{DateTime, TimeZone};
use sentinel_event::{Body, Observation};

use self::fold::Fold;
use self::line::{Line, Piece, Style};
use self::totals::Totals;

/// Columns of the longest kind, so that objects begin below each other.
const KIND_WIDTH: usize = 13;
/// Columns of `process[pid] ← parent[ppid]` when names are of the usual length.
const PROCESS_WIDTH: usize = 33;
/// Digits of a container id that people go by.
const CONTAINER_DIGITS: usize = 12;

/// How the view looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<Z> {
    /// Use colours.
    pub(crate) color: bool,
    /// Fold reads and writes.
    pub(crate) fold: bool,
    /// The time zone of the viewer.
    pub(crate) zone: Z,
}

/// Draws events as lines. Counts what it is given.
#[derive(Debug)]
pub(crate) struct Live<W, Z> {
    out: W,
    look: Look<Z>,
    fold: Fold,
    totals: Totals,
    text: String,
}

impl<W: Write, Z: TimeZone> Live<W, Z>
where
    Z::Offset: std::fmt::Display,
{
    pub(crate) fn new(out: W, look: Look<Z>) -> Self {
        Self { out, look, fold: Fold::default(), totals: Totals::default(), text: String::new() }
    }

    /// Draws a batch. `now_ns` is the real time, `width` the terminal's columns, none for no limit.
    pub(crate) fn draw(
        &mut self,
        batch: &[Observation],
        now_ns: u64,
        width: Option<usize>,
    ) -> io::Result<()> {
        self.sums(now_ns, width);
        for observation in batch {
            self.totals.add(observation);
            match &observation.event.body {
                Body::FileRead(io) | Body::FileWrite(io) if self.look.fold => {
                    self.fold.add(observation, observation.event.kind(), io, now_ns);
                    if self.fold.is_full() {
                        self.sums(now_ns, width);
                    }
                }
                _ => self.event(observation, width),
            }
        }
        self.flush()
    }

    /// Draws what waits, then the summary.
    pub(crate) fn finish(&mut self, lasted: Duration, width: Option<usize>) -> io::Result<()> {
        for due in self.fold.rest() {
            self.sum(due, width);
        }
        self.text.push_str(&self.totals.summary(lasted));
        self.text.push('\n');
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        self.out.flush()
    }

    fn sums(&mut self, now_ns: u64, width: Option<usize>) {
        for due in self.fold.due(now_ns) {
            self.sum(due, width);
        }
    }

    fn sum(&mut self, due: fold::Due, width: Option<usize>) {
        let mut line = self.frame(&due.first, due.kind.clone());
        due.fill(&mut line);
        line.render(width, self.look.color, &mut self.text);
    }

    fn event(&mut self, observation: &Observation, width: Option<usize>) {
        let kind = observation.event.kind();
        let mut line = self.frame(observation, (object::style(kind), kind.name().to_owned()));
        let (object, details) = object::object(observation);
        line.object = object;
        line.after.insert(0, (Style::Plain, details));
        if let Body::Loss(_) = observation.event.body {
            line.before.truncate(2);
            line.after.push((Style::Alarm, std::mem::take(&mut line.object)));
        }
        line.render(width, self.look.color, &mut self.text);
    }

    /// A line with everything but object and details: who, when, result and container.
    fn frame(&self, observation: &Observation, (style, kind): Piece) -> Line {
        let (process, parent) = who(observation);
        let known = line::taken(&process) + line::taken(&parent);
        let filler = PROCESS_WIDTH.saturating_sub(known);
        let container = observation.container_id.as_deref().unwrap_or_default();
        let container: String = container.chars().take(CONTAINER_DIGITS).collect();
        Line {
            before: vec![
                (Style::Dim, self.time(observation.event.head.real_ns)),
                (style, format!("{kind:KIND_WIDTH$}")),
                (Style::Bold, process),
                (Style::Dim, format!("{parent}{:filler$}", "")),
            ],
            object: String::new(),
            after: vec![
                (Style::Bad, object::error(observation).unwrap_or_default()),
                (Style::Dim, container),
            ],
        }
    }

    fn time(&self, real_ns: u64) -> String {
        let utc = DateTime::from_timestamp_nanos(i64::try_from(real_ns).unwrap_or(i64::MAX));
        utc.with_timezone(&self.look.zone).format("%H:%M:%S%.3f").to_string()
    }
}

/// `process[pid]` and `← parent[ppid]`. The parent is the creator where it is known: the kernel names
/// the reaper once that has died.
fn who(observation: &Observation) -> (String, String) {
    let head = &observation.event.head;
    let process = object::process(head.comm.as_bstr(), head.process.tgid);
    let parent = match observation.ancestors.first() {
        Some(parent) => object::process(object::name(parent).as_bstr(), parent.key.tgid),
        None if head.parent.tgid == 0 => return (process, String::new()),
        None => format!("[{}]", head.parent.tgid),
    };
    (process, format!("← {parent}"))
}

#[cfg(test)]
mod tests;
