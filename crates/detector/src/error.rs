//! Why the detector ends, and the exit code that says so.

use std::{io, path::PathBuf};

use sentinel_service::ListenError;

use crate::ConfigError;

/// Why the detector did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DetectorError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A port could not be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A file that the configuration names cannot be used.
    #[error("{key}: {}: {problem}", path.display())]
    File {
        /// The key.
        key: &'static str,
        /// Its value.
        path: PathBuf,
        /// What is wrong, and what would do.
        problem: String,
    },
    /// The history cannot be opened.
    #[error("history.path: {0}")]
    History(String),
    /// Encryption cannot be set up.
    #[error("grpc.tls: {0}")]
    Tls(String),
    /// An output cannot be started.
    #[error("{0}")]
    Outputs(String),
    /// The external detector cannot be asked.
    #[error("external.endpoint: {0}")]
    External(String),
    /// Something of the system that we need.
    #[error("{what}: {source}")]
    System {
        /// What we tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A part ended that must not.
    #[error("the {0} ended by itself; the log tells why, and it is a bug worth a report")]
    Died(&'static str),
}

impl DetectorError {
    /// The exit code: 1 runtime failure, 2 configuration.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Listen(_)
            | Self::File { .. }
            | Self::History(_)
            | Self::Tls(_)
            | Self::External(_)
            | Self::Outputs(_) => 2,
            Self::System { .. } | Self::Died(_) => 1,
        }
    }
}
