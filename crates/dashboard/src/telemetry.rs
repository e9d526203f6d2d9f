//! Logging: to the journal under systemd, else to standard error.

use std::io::{self, IsTerminal as _};

use systemd_journal_logger::{JournalLog, connected_to_journal};
use tracing::level_filters::LevelFilter;

use crate::{ConfigError, LogLevel};

/// Overrides `logLevel`.
const VARIABLE: &str = "SENTINEL_LOG";

/// Sets logging up, once; a second call changes nothing.
pub(crate) fn init(level: LogLevel) -> Result<(), ConfigError> {
    let level = match std::env::var(VARIABLE) {
        Ok(value) => parse(&value).ok_or(ConfigError::LogLevel { value })?,
        Err(_) => level,
    };
    // With no subscriber, tracing's records go to `log`, and from there to the journal with their fields.
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    if journal.and_then(|journal| journal.install().ok()).is_some() {
        log::set_max_level(match level {
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        });
        return Ok(());
    }
    let filter = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
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
