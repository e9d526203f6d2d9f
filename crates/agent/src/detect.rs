//! Detection on the node: rule files become a [`Rulebook`], and a [`Judge`] in the pipeline tries it on every event.

mod append;
mod book;
mod hits;
mod judge;
mod read;

pub(crate) use book::Rulebook;
pub(crate) use judge::Judge;
pub(crate) use read::seen;
use sentinel_event::KindSet;
use sentinel_rules::forward::ForwardRules;

use crate::{Config, ConfigError, rules::captured};

/// What is wrong with a rule that looks at data while none is captured.
pub(crate) const BLIND: &str = "`evt.buffer` is empty, so it never matches by it: set `capture.buffers: true` in the agent's \
                                configuration, or switch the rule off";

/// What the rules of a configuration come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Rules that are switched on.
    pub rules: usize,
    /// SHA-256 of the texts, hexadecimal; of a single file, what `sha256sum` says.
    pub hash: String,
    /// What is probably wrong, each with its place.
    pub warnings: Vec<String>,
    /// Kinds of events that are captured for these rules, the forward rules and the process table.
    pub captured: KindSet,
}

/// Reads and compiles the rules of a configuration, as the agent does at its start.
///
/// # Errors
/// [`ConfigError`]: a file cannot be read or is wrong.
pub fn check_detection(config: &Config, forward: &ForwardRules) -> Result<Detected, ConfigError> {
    let book = Rulebook::load(&config.detection, config.capture.buffers, "", None)?;
    let blind = book.blind.iter().map(|rule| format!("rule {rule:?}: {BLIND}"));
    let blind: Vec<_> = blind.collect();
    Ok(Detected {
        rules: book.engine.rules().len(),
        captured: captured(forward, &book, true),
        warnings: book.warnings.into_iter().chain(blind).collect(),
        hash: book.hash,
    })
}
