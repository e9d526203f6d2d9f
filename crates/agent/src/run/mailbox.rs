//! Orders to the main thread.

use std::sync::mpsc;

use crate::{hops::Ended, http::View};

/// What the main thread is told.
pub(crate) enum Message {
    /// Stop in the direction of the flow.
    Stop,
    /// Read the rules again.
    Reload,
    /// A rule file may have changed.
    Changed,
    /// Somebody wants to see the counters of the source.
    Look(tokio::sync::oneshot::Sender<View>),
    /// A thread has ended.
    Ended(Ended),
}

/// Controls a running agent from any thread.
#[derive(Clone)]
pub struct Remote(pub(super) mpsc::Sender<Message>);

impl Remote {
    /// As SIGTERM: stops gracefully. A second time, at once.
    pub fn stop(&self) {
        // An agent that has ended needs no orders.
        let _ = self.0.send(Message::Stop);
    }

    /// As SIGHUP: reads the rules again.
    pub fn reload(&self) {
        let _ = self.0.send(Message::Reload);
    }
}

/// Where orders arrive. It exists before the agent does, so that no signal comes too early.
pub(super) struct Mailbox {
    pub(super) sender: mpsc::Sender<Message>,
    pub(super) messages: mpsc::Receiver<Message>,
}

impl Default for Mailbox {
    fn default() -> Self {
        let (sender, messages) = mpsc::channel();
        Self { sender, messages }
    }
}

impl Mailbox {
    pub(super) fn remote(&self) -> Remote {
        Remote(self.sender.clone())
    }
}
