//! What is wrong with a configuration, in words that lead to the remedy.

use sentinel_service::SettingsError;

/// Why a configuration was refused. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read, or says what cannot be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The detection rules are wrong.
    #[error("rules: {0}")]
    Rules(String),
}
