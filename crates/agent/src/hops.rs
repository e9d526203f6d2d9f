//! Threads that say when they end, also when they panic.

use std::{io, sync::mpsc, thread};

use crate::{AgentError, CaptureError, outlet::Ending, run::Message};

/// A thread of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hop {
    /// Ring to events.
    Reader,
    /// Events to parcels.
    Pipeline,
    /// Parcels to standard output, or to an observer.
    Outlet,
    /// Parcels to the log.
    Log,
    /// Parcels to the detector.
    Grpc,
    /// Parcels to NATS.
    Nats,
    /// Alerts to the outside.
    Alerts,
    /// Alerts and reports to the detector's hub.
    Push,
}

impl Hop {
    /// The name of its thread.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Pipeline => "pipeline",
            Self::Outlet => "outlet",
            Self::Log => "log",
            Self::Grpc => "grpc",
            Self::Nats => "nats",
            Self::Alerts => "alerts",
            Self::Push => "push",
        }
    }
}

/// How a thread ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The reader: told to, or by the failure of its source.
    Reader(Result<(), CaptureError>),
    /// The pipeline: everything is passed on.
    Pipeline,
    /// The outlet.
    Outlet(Ending),
    /// The log: everything is written.
    Log,
    /// The detector's outlet: everything is acknowledged, or kept.
    Grpc,
    /// The outlet to NATS: everything is acknowledged, or kept.
    Nats,
    /// The alerts: everything is out.
    Alerts,
    /// The hub has every alert, or was away at the end.
    Push,
    /// It panicked.
    Died(Hop),
}

impl Ended {
    /// Which thread it was.
    pub(crate) fn hop(&self) -> Hop {
        match self {
            Self::Reader(_) => Hop::Reader,
            Self::Pipeline => Hop::Pipeline,
            Self::Outlet(_) => Hop::Outlet,
            Self::Log => Hop::Log,
            Self::Grpc => Hop::Grpc,
            Self::Nats => Hop::Nats,
            Self::Alerts => Hop::Alerts,
            Self::Push => Hop::Push,
            Self::Died(hop) => *hop,
        }
    }
}

/// Sends its message when it goes out of scope, whatever the reason.
struct Farewell {
    sender: mpsc::Sender<Message>,
    ended: Option<Ended>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            // Nobody listens once the agent has ended.
            let _ = self.sender.send(Message::Ended(ended));
        }
    }
}

/// Starts a thread that reports its end to `sender`.
pub(crate) fn spawn(
    hop: Hop,
    sender: &mpsc::Sender<Message>,
    work: impl FnOnce() -> Ended + Send + 'static,
) -> Result<(), AgentError> {
    let sender = sender.clone();
    let thread = move || {
        let mut farewell = Farewell { sender, ended: Some(Ended::Died(hop)) };
        farewell.ended = Some(work());
    };
    let spawned: io::Result<_> = thread::Builder::new().name(hop.name().to_owned()).spawn(thread);
    spawned.map(drop).map_err(|source| AgentError::System { what: "starting a thread", source })
}
