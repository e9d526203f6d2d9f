//! Logging: to the journal under systemd, else to standard error.

use std::io::{self, IsTerminal as _};

use serde::{Deserialize, Serialize};
use systemd_journal_logger::{JournalLog, connected_to_journal};
use tracing::level_filters::LevelFilter;

use crate::SettingsError;

/// Overrides `logLevel`.
const VARIABLE: &str = "SENTINEL_LOG";

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Data is lost, or the service stops.
    Error,
    /// An operator should look.
    Warn,
    /// Life cycle.
    Info,
    /// Per batch.
    Debug,
    /// Per event.
    Trace,
}

/// Sets logging up, once. A second call, or one after a program's own set-up, changes nothing.
///
/// # Errors
/// [`SettingsError::LogLevel`] when the environment variable holds no level.
pub fn init(level: LogLevel) -> Result<(), SettingsError> {
    let level = match std::env::var(VARIABLE) {
        Ok(value) => parse(&value).ok_or(SettingsError::LogLevel { value })?,
        Err(_) => level,
    };
    let (log, filter) = match level {
        LogLevel::Error => (log::LevelFilter::Error, LevelFilter::ERROR),
        LogLevel::Warn => (log::LevelFilter::Warn, LevelFilter::WARN),
        LogLevel::Info => (log::LevelFilter::Info, LevelFilter::INFO),
        LogLevel::Debug => (log::LevelFilter::Debug, LevelFilter::DEBUG),
        LogLevel::Trace => (log::LevelFilter::Trace, LevelFilter::TRACE),
    };
    // With no subscriber, tracing's records go to `log`, and from there to the journal with their fields.
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    if journal.and_then(|journal| journal.install().ok()).is_some() {
        log::set_max_level(log);
        return Ok(());
    }
    // Whoever set a subscriber before us wants to keep it.
    let _ = tracing_subscriber::fmt()
        .with_max_level(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    Ok(())
}

fn parse(word: &str) -> Option<LogLevel> {
    Some(match word {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => return None,
    })
}
