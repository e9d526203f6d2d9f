//! SIGINT and SIGTERM stop, SIGHUP reloads.

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{AgentError, Remote};

/// Passes signals on to a running agent, from now until the process ends.
///
/// # Errors
/// When the handlers cannot be installed or the thread cannot start.
pub fn obey(remote: Remote) -> Result<(), AgentError> {
    let failed = |source| AgentError::System { what: "handling signals", source };
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let thread = move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => remote.reload(),
                _ => remote.stop(),
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(thread).map(drop).map_err(failed)
}
