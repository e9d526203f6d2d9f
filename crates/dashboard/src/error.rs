//! Why the dashboard ends, and the exit code that says so.

use std::io;

use sentinel_service::ListenError;

use crate::ConfigError;

/// Why the dashboard did not start.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The port could not be opened.
    #[error("{0} (--port)")]
    Listen(#[from] ListenError),
    /// Something of the system that we need.
    #[error("{what}: {source}")]
    System {
        /// What we tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl DashboardError {
    /// The exit code: 1 runtime failure, 2 configuration.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Listen(_) => 2,
            Self::System { .. } => 1,
        }
    }
}
