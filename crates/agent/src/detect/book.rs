//! A set of detection rules, compiled, with everything that is told of it.

use std::fmt::Write as _;

use sentinel_event::KindSet;
use sentinel_rules::language::{
    Diagnostic, LoadReport, RuleSet,
    eval::{self, Engine, Node, Selection},
};
use sha2::{Digest as _, Sha256};

use super::{
    append,
    hits::Hits,
    read::{self, Texts},
};
use crate::{
    ConfigError,
    config::{Detection, Matching},
};

/// Errors that one message lists.
const LISTED: usize = 10;

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Rulebook {
    /// The rules that are switched on, compiled.
    pub(crate) engine: Engine,
    /// Kinds of events that they can match.
    pub(crate) kinds: KindSet,
    /// SHA-256 of the texts they were made from, hexadecimal.
    pub(crate) hash: String,
    /// How often each has matched.
    pub(crate) hits: Hits,
    /// What is allowed in the texts and probably wrong.
    pub(crate) warnings: Vec<String>,
    /// Rules in use that ask for data of buffers while these are not captured.
    pub(crate) blind: Vec<String>,
}

impl Rulebook {
    /// Reads and compiles the rules of a configuration. `buffers` is its `capture.buffers`, `before` the set that they
    /// replace.
    pub(crate) fn load(
        detection: &Detection,
        buffers: bool,
        hostname: &str,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let texts = read::texts(&detection.rules)?;
        let hash = hash(&texts);
        let (report, mut set) = compile(&texts)?;
        if let Some(additions) = append::additions(detection) {
            set.add(&additions).map_err(|error| append::refusal(&error))?;
        }
        let node = Node { hostname: hostname.to_owned(), utc_offset_s: utc_offset_s() };
        let engine = Engine::new(set, &selection(detection, buffers)).with_node(node);
        let hits = Hits::new(engine.rules(), before.map(|before| &before.hits));
        let warnings = report.warnings.iter().map(first_line).collect();
        let blind =
            if buffers { Vec::new() } else { engine.rules_about_buffers().map(str::to_owned).collect() };
        Ok(Self { blind, kinds: engine.kinds(), hash, hits, warnings, engine })
    }
}

fn compile(texts: &Texts) -> Result<(LoadReport, RuleSet), ConfigError> {
    let files: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    match RuleSet::load(&files) {
        (report, Some(set)) => Ok((report, set)),
        (report, None) => Err(ConfigError::Detection(refusal(&report))),
    }
}

/// All errors, each with its place; a place is `file:line:column`.
fn refusal(report: &LoadReport) -> String {
    let mut text = String::new();
    for error in report.errors.iter().take(LISTED) {
        let _ = writeln!(text, "{error}");
    }
    if let Some(more) = report.errors.len().checked_sub(LISTED).filter(|more| *more > 0) {
        let _ = writeln!(text, "… and {more} more");
    }
    text.push_str("correct the rules; `sentinel rules check FILE…` tells all that is wrong with them");
    text
}

/// A problem and its place, without the line of the file.
fn first_line(diagnostic: &Diagnostic) -> String {
    diagnostic.to_string().lines().next().unwrap_or_default().to_owned()
}

fn selection(detection: &Detection, buffers: bool) -> Selection {
    Selection {
        matching: match detection.matching {
            Matching::First => eval::Matching::First,
            Matching::All => eval::Matching::All,
        },
        minimum_priority: detection.minimum_priority.0,
        // The configuration was checked: each says one thing.
        choices: detection.select.iter().filter_map(|select| select.choice()).collect(),
        buffers,
    }
}

/// Of one file, what `sha256sum` says of it.
fn hash(texts: &Texts) -> String {
    let mut hash = Sha256::new();
    for (_, text) in texts {
        hash.update(text);
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Falco's `evt.time` is local time.
fn utc_offset_s() -> i32 {
    chrono::Local::now().offset().local_minus_utc()
}
