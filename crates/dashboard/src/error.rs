//! Why the dashboard ends, and the exit code that says so.

use std::{io, net::SocketAddr};

use crate::ConfigError;

/// Why the dashboard did not start.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The port could not be opened.
    #[error(
        "http: cannot listen at {address}: {source}; stop what uses it, or set another http.port (--port)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
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
            Self::Config(_) | Self::Listen { .. } => 2,
            Self::System { .. } => 1,
        }
    }
}
