//! What is wrong with a configuration, in words that lead to the remedy.

use std::{io, path::PathBuf};

/// Why a configuration was refused. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{}: {source}; create it, correct the path, or run as a user who may read it", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not YAML.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// What the YAML reader says, with line and column.
        message: String,
    },
    /// YAML, but not a configuration.
    #[error("{file}: {key}: {problem}")]
    Invalid {
        /// The file.
        file: String,
        /// The key, e.g. `http.port`.
        key: String,
        /// What is wrong with its value, and what would do.
        problem: String,
    },
    /// A value cannot be, wherever it comes from.
    #[error("{key}: {problem}")]
    Value {
        /// The key, e.g. `http.port`.
        key: String,
        /// What is wrong with its value, and what would do.
        problem: String,
    },
    /// The environment variable is wrong.
    #[error("SENTINEL_LOG={value:?}: expected error, warn, info, debug or trace")]
    LogLevel {
        /// What it is set to.
        value: String,
    },
}

/// Names the key; serde's message already lists what is expected.
pub(super) fn explain(file: &str, error: &serde_path_to_error::Error<serde_yaml::Error>) -> ConfigError {
    let path = error.path().to_string();
    let key = if path == "." { "top level".to_owned() } else { path };
    ConfigError::Invalid { file: file.to_owned(), key, problem: error.inner().to_string() }
}
