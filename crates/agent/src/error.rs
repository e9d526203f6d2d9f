//! Why the agent ends, and the exit code that says so.

use std::io;

use sentinel_probe::ProbeError;
use sentinel_service::ListenError;
use sentinel_sink::SinkError;

use crate::{CaptureError, ConfigError};

/// Why the agent did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration or the rules are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An output of alerts cannot be used.
    #[error("detection.{0}")]
    Outputs(#[from] SinkError),
    /// A port could not be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The kernel or our privileges refuse what the probe needs.
    #[error("{0}")]
    Probe(#[from] ProbeError),
    /// The source of events failed while we ran.
    #[error("the capture ended: {0}")]
    Capture(CaptureError),
    /// A thread ended that must not.
    #[error("the {0} thread ended by itself; the log tells why, and it is a bug worth a report")]
    Died(&'static str),
    /// Something of the system that we need.
    #[error("{what}: {source}")]
    System {
        /// What we tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The output did not take everything before the end.
    #[error("stopped, and the output did not take {0} events in time")]
    Undelivered(u64),
}

impl AgentError {
    /// The exit code: 1 runtime failure, 2 configuration, 3 the kernel or the privileges refuse.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Outputs(SinkError::System { .. }) => 1,
            Self::Config(_) | Self::Outputs(_) | Self::Listen(_) => 2,
            Self::Probe(_) => 3,
            Self::Capture(_) | Self::Died(_) | Self::System { .. } | Self::Undelivered(_) => 1,
        }
    }
}
