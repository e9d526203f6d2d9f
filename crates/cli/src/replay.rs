//! `sentinel replay`: a log of events, sent to a detector as if a node had sent it.

mod link;
mod pace;

use std::{
    fs::File,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::{ValueEnum, ValueHint};
use sentinel_wire::{
    ObjectError, Transcoder,
    evt1::{Item, Reader},
    read_object,
};

use self::{
    link::{Batch, Link, Target},
    pace::Clock,
};
use crate::{
    choice::{Filter, Only, Span},
    decode::{Damaged, open},
    progress::Progress,
};

/// Events that travel together.
const BATCH: usize = 256;
/// Their bytes, about.
const BYTES: usize = 1 << 20;
/// How long the program sleeps before it looks around.
const NAP: Duration = Duration::from_millis(100);

/// Send a log of events (EVT1, gzip or not) to a detector, as if a node had sent it.
///
/// A batch is sent again until the detector has acknowledged it, so an event may come twice; its event_id tells. A
/// detector that only knows StreamEvents is sent event by event. The exit code is 0 when everything that was
/// wanted has arrived and nothing of the log was damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    sentinel replay events.bin --target localhost:50051 --pace fast\n  \
    sentinel replay events.bin --start-ms 1767323045000 --end-ms 1767323105000\n  \
    sentinel replay events.bin --filter 'evt.type = execve' --loop")]
pub(crate) struct Replay {
    /// The log; `-` is standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// How fast.
    #[arg(long, value_enum, default_value_t = Pace::Realtime)]
    pace: Pace,
    /// Begin again at the end of the log, until ctrl-C.
    #[arg(long = "loop")]
    again: bool,
    #[command(flatten)]
    only: Only,
    #[command(flatten)]
    span: Span,
}

/// How fast a log is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pace {
    /// With the time between events that there was.
    Realtime,
    /// As fast as the detector takes it.
    Fast,
}

pub(crate) fn replay(args: &Replay) -> anyhow::Result<ExitCode> {
    let filter = args.only.filter()?;
    let (input, size) = open(&args.file)?;
    anyhow::ensure!(!args.again || size.is_some(), "--loop: standard input comes once; name a file");
    let link = Link::start(&args.target)?;
    let progress = Progress::new(size.filter(|_| !args.again));
    let mut run = Run {
        filter,
        span: &args.span,
        clock: (args.pace == Pace::Realtime).then(Clock::default),
        link,
        batch: Batch::default(),
        damaged: Damaged::default(),
        progress,
        events: 0,
        begun: Instant::now(),
    };
    let named = || args.file.display().to_string();
    let mut sent = run.log(input).with_context(named)?;
    while args.again && sent == Sent::All {
        anyhow::ensure!(run.events > 0, "{}: nothing to replay in it", named());
        if let Some(clock) = &mut run.clock {
            clock.restart();
        }
        sent = run.log(Box::new(File::open(&args.file).with_context(named)?)).with_context(named)?;
    }
    run.end()
}

/// How far a log went.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    All,
    /// The connection has ended, and knows why.
    Broken,
}

struct Run<'a> {
    filter: Option<Filter>,
    span: &'a Span,
    clock: Option<Clock>,
    link: Link,
    batch: Batch,
    damaged: Damaged,
    progress: Option<Progress>,
    events: u64,
    begun: Instant,
}

impl Run<'_> {
    /// Replays a log, once.
    fn log(&mut self, input: Box<dyn std::io::Read>) -> std::io::Result<Sent> {
        let mut reader = Reader::new(input)?;
        let (mut coder, mut message) = (Transcoder::default(), Vec::new());
        loop {
            message.clear();
            let bytes = reader.bytes_read();
            let (filter, span) = (&mut self.filter, self.span);
            let next = reader.next_read(|payload| wanted(payload, filter, span, &mut coder, &mut message))?;
            let time_ns = match next {
                None => break,
                Some(Item::Damage(damage)) => {
                    self.damaged.tell(&damage);
                    continue;
                }
                Some(Item::Record(None)) => continue,
                Some(Item::Record(Some(time_ns))) => time_ns,
            };
            if self.wait_for(time_ns, bytes) == Sent::Broken {
                return Ok(Sent::Broken);
            }
            self.batch.add(&message);
            self.events += 1;
            if let Some(progress) = &mut self.progress {
                progress.event(bytes);
            }
            let full = self.batch.events >= BATCH || self.batch.bytes.len() >= BYTES;
            if full && !self.flush() {
                return Ok(Sent::Broken);
            }
        }
        Ok(if self.flush() { Sent::All } else { Sent::Broken })
    }

    /// Waits until it is as long after the first event as it was.
    fn wait_for(&mut self, time_ns: u64, bytes: u64) -> Sent {
        let Some(clock) = &mut self.clock else { return Sent::All };
        let Some(due) = clock.due(time_ns) else { return Sent::All };
        // What came before must not wait with it.
        if !self.flush() {
            return Sent::Broken;
        }
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(NAP));
            if let Some(progress) = &mut self.progress {
                progress.tick(bytes);
            }
            if self.link.is_over() {
                return Sent::Broken;
            }
        }
        if let Some(clock) = &mut self.clock {
            clock.reached(due);
        }
        Sent::All
    }

    /// Hands the batch over; false when nobody takes it any more.
    fn flush(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        batch.events == 0 || self.link.send(batch)
    }

    /// Waits for the last acknowledgements, and tells how it was.
    fn end(mut self) -> anyhow::Result<ExitCode> {
        drop(self.progress.take());
        let done = self.link.finish()?;
        self.damaged.sum();
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = done.arrived as f64 / seconds.max(1e-3);
        let mut told = format!(
            "{} events arrived in {seconds:.1} s ({rate:.0}/s), {} anomalies",
            done.arrived, done.anomalies
        );
        if done.unanswered > 0 {
            told.push_str(&format!(", {} sent and not answered", done.unanswered));
        }
        if let Some(late) = self.clock.as_ref().and_then(Clock::lateness) {
            told.push_str(&format!(", {late}"));
        }
        eprintln!("{told}");
        Ok(ExitCode::from(u8::from(self.damaged.count > 0 || done.unanswered > 0)))
    }
}

/// The event as a message and its time, if it is wanted.
fn wanted(
    payload: &[u8],
    filter: &mut Option<Filter>,
    span: &Span,
    coder: &mut Transcoder,
    message: &mut Vec<u8>,
) -> Result<Option<u64>, ObjectError> {
    let time_ns = coder.batched(payload, message)?;
    if !span.holds(time_ns) {
        return Ok(None);
    }
    let holds = match filter {
        None => true,
        Some(filter) => filter.holds(&read_object(payload)?),
    };
    Ok(holds.then_some(time_ns))
}
