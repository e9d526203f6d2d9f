//! What is wrong with a configuration, in words that lead to the remedy.

use sentinel_service::SettingsError;

/// Why a configuration was refused. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read, or says what cannot be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A value cannot be, wherever it comes from.
    #[error("{key}: {problem}")]
    Value {
        /// The key, e.g. `http.port`.
        key: String,
        /// What is wrong with its value, and what would do.
        problem: String,
    },
}
