//! What the service manager is told.

pub use sd_notify::{NotifyState, watchdog_enabled as watchdog};

/// Tells the service manager. Outside systemd this does nothing.
pub fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "Cannot reach the service manager.");
    }
}
