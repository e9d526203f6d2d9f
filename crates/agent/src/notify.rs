//! What the service manager is told (sd_notify). Outside systemd this does nothing.

use std::time::{Duration, Instant};

use sentinel_service::{NotifyState, tell, watchdog};
use tracing::debug;

/// The line to the service manager.
#[derive(Debug)]
pub(crate) struct Notify {
    /// How often it wants to hear from us; none for never.
    watchdog: Option<Duration>,
    last: Option<Instant>,
}

impl Notify {
    /// Reads what the service manager asks for.
    pub(crate) fn new() -> Self {
        // Half the period, as sd_watchdog_enabled(3) advises.
        Self { watchdog: watchdog().map(|period| period / 2), last: None }
    }

    /// We work.
    pub(crate) fn ready(&self, status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// We read our rules again; [`Self::ready`] ends it.
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => debug!(%error, "Cannot read the clock."),
        }
    }

    /// We end.
    pub(crate) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// What we are doing, and that we live, when it is time.
    pub(crate) fn alive(&mut self, now: Instant, status: impl FnOnce() -> String) {
        let Some(period) = self.watchdog else { return };
        if self.last.is_none_or(|last| now.duration_since(last) >= period) {
            self.last = Some(now);
            tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
        }
    }

    /// How long the caller may sleep.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.watchdog.map(|period| period / 2)
    }
}
