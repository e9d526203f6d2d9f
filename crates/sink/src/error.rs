//! What is wrong with the outputs that a configuration asks for.

use std::{io, path::PathBuf};

/// Why outputs were not started. Everything here is wrong at the start and stays wrong; what may get better – a
/// full disk, a receiver that is away – is waited for instead.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A value that cannot be.
    #[error("outputs.{key}: {problem}")]
    Invalid {
        /// Place of the value below `outputs`, e.g. `http.url`.
        key: String,
        /// What is wrong with it, and what would do.
        problem: String,
    },
    /// A file that cannot be read.
    #[error("outputs.{key}: {}: {source}; correct the path, or let this program read it", file.display())]
    Unreadable {
        /// Place of the value that names it.
        key: String,
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A spool that cannot be opened.
    #[error("outputs.{key}: {}: {source}; correct the path, or let this program write there", path.display())]
    Spool {
        /// Place of the value that names it.
        key: String,
        /// Its directory.
        path: PathBuf,
        /// What is wrong.
        source: crate::SpoolError,
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
