//! What is wrong with a configuration, in words that lead to the remedy.

use sentinel_rules::forward::ForwardError;
use sentinel_service::SettingsError;

/// Why a configuration was refused. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read, or says what cannot be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The forward rules are wrong.
    #[error(transparent)]
    Rules(#[from] ForwardError),
    /// The detection rules are wrong: each error with its file, line and column.
    #[error("the detection rules are refused:\n{0}")]
    Detection(String),
}
