//! The last hop: forwarded events leave the process, each way on a thread of its own that may be slow. Here:
//! standard output and observers.

mod courier;
mod exits;
mod log;
mod push;
mod way;

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    ops::ControlFlow,
    os::fd::AsFd as _,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sentinel_event::{LossCause, Observation, Stage};
use tracing::error;

use crate::{
    Observer,
    ledger::Ledger,
    meters::Meters,
    parcel::{Lines, Parcel},
    queue::{Received, Receiver, Sender},
};

pub(crate) use self::{courier::Courier, exits::Exits, log::Log, push::Push, way::Way};

/// How often an idle observer is called, and an idle pipe looked at.
const IDLE: Duration = Duration::from_millis(50);

/// Where events leave.
pub(crate) enum Target {
    /// A file, a pipe, a socket.
    Descriptor(File),
    /// A piece of the program.
    Observer(Box<dyn Observer>),
}

/// The thread's work.
pub(crate) struct Outlet {
    pub(crate) target: Target,
    pub(crate) input: Receiver<Parcel>,
    pub(crate) empties: Sender<Parcel>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) meters: Arc<Meters>,
}

/// Why the outlet ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The pipeline has ended and everything is out.
    Drained,
    /// Nobody takes events any more.
    Closed,
}

/// What a write came to.
enum Wrote {
    All,
    /// Whole lines that were written before nobody was there.
    Closed(usize),
    /// Whole lines that were written before this.
    Failed(usize, io::Error),
}

impl Outlet {
    /// Runs until the end.
    pub(crate) fn run(mut self) -> Ending {
        crate::pipeline::prefer();
        let mut torn = false;
        loop {
            let open = match self.input.receive(IDLE) {
                Received::Item(mut parcel) => {
                    let open = self.deliver(&parcel, &mut torn);
                    parcel.clear();
                    // A full pool of empties just means that this one is freed.
                    let _ = self.empties.send(parcel, 0);
                    open
                }
                Received::Nothing => self.idle(),
                Received::Closed => return Ending::Drained,
            };
            if open.is_break() {
                while let Received::Item(parcel) = self.input.receive(Duration::ZERO) {
                    self.lose(&parcel, 0, LossCause::Closed);
                }
                return Ending::Closed;
            }
        }
    }

    fn deliver(&mut self, parcel: &Parcel, torn: &mut bool) -> ControlFlow<()> {
        match (&mut self.target, parcel) {
            (Target::Observer(observer), Parcel::Observations(observations)) => {
                let flow = observer.observe(observations);
                delivered_all(&self.meters, observations);
                flow
            }
            (Target::Descriptor(file), Parcel::Lines(lines)) => {
                let (done, end) = match write(file, lines, torn) {
                    Wrote::All => (lines.ends.len(), None),
                    Wrote::Closed(done) => (done, Some(LossCause::Closed)),
                    Wrote::Failed(done, error) => {
                        error!(%error, lost = lines.ends.len() - done, "Cannot write events to the output.");
                        (done, Some(LossCause::Failed))
                    }
                };
                for (kind, _, _) in lines.ends.iter().take(done) {
                    self.meters.outlet(Stage::Stdout).delivered.add(*kind, 1);
                }
                let bytes =
                    done.checked_sub(1).and_then(|last| lines.ends.get(last)).map_or(0, |last| last.1);
                self.meters.outlet(Stage::Stdout).bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                match end {
                    None => ControlFlow::Continue(()),
                    Some(cause) => {
                        self.lose(parcel, done, cause);
                        if cause == LossCause::Closed {
                            ControlFlow::Break(())
                        } else {
                            ControlFlow::Continue(())
                        }
                    }
                }
            }
            // The packer and the target are chosen together.
            (Target::Observer(_), Parcel::Lines(_)) | (Target::Descriptor(_), Parcel::Observations(_)) => {
                self.lose(parcel, 0, LossCause::Failed);
                ControlFlow::Continue(())
            }
        }
    }

    /// An observer may want to redraw; a reader that has gone is noticed although there is nothing to write.
    fn idle(&mut self) -> ControlFlow<()> {
        match &mut self.target {
            Target::Observer(observer) => observer.observe(&[]),
            Target::Descriptor(file) => {
                let mut watched = [PollFd::new(file.as_fd(), PollFlags::empty())];
                let gone = poll(&mut watched, PollTimeout::ZERO).is_ok()
                    && watched
                        .iter()
                        .filter_map(PollFd::revents)
                        .any(|seen| seen.contains(PollFlags::POLLERR));
                if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }

    fn lose(&self, parcel: &Parcel, first: usize, cause: LossCause) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        parcel.lose(first, Stage::Stdout, cause, &mut ledger, &self.meters);
    }
}

fn delivered_all(meters: &Meters, observations: &[Observation]) {
    for observation in observations {
        meters.outlet(Stage::Stdout).delivered.add(observation.event.kind(), 1);
    }
}

/// Writes lines without a buffer in between: a parcel is a block already, and what was written is known.
/// After a failure in the middle of a line the next write ends that line first, so that it costs only itself.
fn write(file: &mut File, lines: &Lines, torn: &mut bool) -> Wrote {
    // Alerts are lines of the same output, written by others: one writer at a time.
    let _turn = io::stdout().lock();
    let whole = |written: usize| lines.ends.partition_point(|(_, end, _)| *end <= written);
    let mut written = 0;
    loop {
        let rest = lines.bytes.get(written..).unwrap_or_default();
        if rest.is_empty() {
            return Wrote::All;
        }
        let result = if *torn { file.write(b"\n") } else { file.write(rest) };
        match result {
            Ok(0) => return Wrote::Closed(whole(written)),
            Ok(_) if *torn => *torn = false,
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody who shares the descriptor made it non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ =
                    poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLOUT)], PollTimeout::from(1000_u16));
            }
            Err(error) => {
                let done = whole(written);
                let begun =
                    done.checked_sub(1).and_then(|last| lines.ends.get(last)).map_or(0, |last| last.1);
                *torn |= written > begun;
                return match error.kind() {
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Wrote::Closed(done),
                    _ => Wrote::Failed(done, error),
                };
            }
        }
    }
}
