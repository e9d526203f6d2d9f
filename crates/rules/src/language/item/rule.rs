//! Rules as written.

use std::{collections::BTreeSet, sync::Arc};

use super::reader::{Operation, Override, Reader};
use crate::language::{
    diagnostic::{Code, ItemType},
    exception::ExceptionItem,
    journal::Journal,
    source::Scalar,
    yaml::{Mark, Node},
};
use sentinel_event::{Priority, Severity};

/// What a rule item does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::language) enum Mode {
    /// Defines a rule, or defines it anew.
    Define,
    /// Adds its condition and exceptions (`append: true`).
    Append,
    /// Adds to some keys and replaces others.
    Override { append: BTreeSet<&'static str>, replace: BTreeSet<&'static str> },
    /// Switches a rule on or off.
    Switch(bool),
}

/// The keys of a rule item; none where a key is not given.
#[derive(Debug)]
pub(in crate::language) struct RuleKeys {
    pub(in crate::language) name: String,
    pub(in crate::language) at: Mark,
    pub(in crate::language) mode: Mode,
    pub(in crate::language) condition: Option<Scalar>,
    pub(in crate::language) output: Option<Scalar>,
    pub(in crate::language) desc: Option<Scalar>,
    pub(in crate::language) priority: Option<Priority>,
    pub(in crate::language) source: Option<String>,
    pub(in crate::language) enabled: Option<bool>,
    pub(in crate::language) tags: Option<Vec<String>>,
    pub(in crate::language) exceptions: Option<Vec<ExceptionItem>>,
    pub(in crate::language) warn_evttypes: Option<bool>,
    pub(in crate::language) skip_if_unknown: Option<bool>,
    pub(in crate::language) capture: Option<bool>,
    pub(in crate::language) capture_duration_ms: Option<u64>,
    pub(in crate::language) id: Option<String>,
    pub(in crate::language) severity: Option<Severity>,
    pub(in crate::language) risk_score: Option<u8>,
    pub(in crate::language) recommendation: Option<String>,
    pub(in crate::language) threshold: Option<Arc<Node>>,
    pub(in crate::language) sequence: Option<Arc<Node>>,
}

const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
const REPLACEABLE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "capture",
    "capture_duration",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "id",
    "severity",
    "risk_score",
    "recommendation",
    "threshold",
    "sequence",
];
const KEYS: &[&str] = &[
    "rule",
    "condition",
    "output",
    "desc",
    "tags",
    "exceptions",
    "priority",
    "capture",
    "capture_duration",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "id",
    "severity",
    "risk_score",
    "recommendation",
    "threshold",
    "sequence",
    "source",
    "append",
    "override",
];

/// Reads a rule. None when it was refused.
pub(in crate::language) fn read(item: &Node, journal: &mut Journal<'_>) -> Option<RuleKeys> {
    let mut reader = Reader::new(item, ItemType::Rule, KEYS, journal)?;
    let name = reader.name()?;
    let mode = mode(&mut reader)?;
    let id = reader.optional("id")?;
    let recommendation = reader.optional("recommendation")?;
    Some(RuleKeys {
        name,
        at: item.at,
        mode,
        condition: reader.optional("condition")?,
        output: reader.optional("output")?,
        desc: reader.optional("desc")?,
        priority: priority(&mut reader)?,
        source: reader.optional("source")?.map(|source| source.text),
        enabled: reader.boolean("enabled")?,
        tags: reader.scalars("tags")?.map(|tags| tags.into_iter().map(|tag| tag.text).collect()),
        warn_evttypes: reader.boolean("warn_evttypes")?,
        skip_if_unknown: reader.boolean("skip-if-unknown-filter")?,
        capture: reader.boolean("capture")?,
        capture_duration_ms: reader
            .decoded("capture_duration", "a number of milliseconds", |text| text.parse().ok())?,
        id: id.map(|id| id.text),
        severity: reader.decoded("severity", "critical, high, medium, low or info", Severity::find)?,
        risk_score: reader.decoded("risk_score", "a number from 0 to 100", |text| {
            text.parse().ok().filter(|score| *score <= 100)
        })?,
        recommendation: recommendation.map(|text| text.text.trim().to_owned()),
        threshold: reader.get("threshold").cloned(),
        sequence: reader.get("sequence").cloned(),
        exceptions: match reader.get("exceptions") {
            Some(node) if node.is_null() => Some(Vec::new()),
            Some(_) => Some(ExceptionItem::read_all(&mut reader)?),
            None => None,
        },
    })
}

fn priority(reader: &mut Reader<'_, '_, '_>) -> Option<Option<Priority>> {
    let Some(scalar) = reader.optional("priority")? else { return Some(None) };
    if let Some(priority) = Priority::parse(scalar.text.trim()) {
        return Some(Some(priority));
    }
    let names: Vec<_> = Priority::ALL.iter().map(|priority| priority.name()).collect();
    reader.error(scalar.at, format!("Invalid priority '{}': use one of {}", scalar.text, names.join(", ")));
    None
}

fn mode(reader: &mut Reader<'_, '_, '_>) -> Option<Mode> {
    let append = reader.append()?;
    if let Some(entries) = reader.overrides()? {
        return overriding(reader, &entries);
    }
    if append {
        if reader.get("condition").is_none() && reader.get("exceptions").is_none() {
            reader.note(
                Code::Validate,
                reader.at(),
                "Appended rule must have exceptions or condition property",
            );
            return None;
        }
        return Some(Mode::Append);
    }
    let defining = ["condition", "output", "desc", "priority"];
    if defining.iter().any(|key| reader.get(key).is_some()) {
        for key in defining {
            reader.required(key)?;
        }
        return Some(Mode::Define);
    }
    if reader.get("enabled").is_none() {
        reader.error(
            reader.at(),
            "Item has no mapping for key 'condition', 'output', 'desc', 'priority' or 'enabled'",
        );
        return None;
    }
    let enabled = reader.boolean("enabled")??;
    let message = "a rule item with 'enabled' alone is deprecated: use 'override' with 'enabled: replace'";
    reader.note(Code::DeprecatedItem, reader.at(), message);
    Some(Mode::Switch(enabled))
}

fn overriding(reader: &mut Reader<'_, '_, '_>, entries: &[Override<'_>]) -> Option<Mode> {
    let (mut append, mut replace) = (BTreeSet::new(), BTreeSet::new());
    for (key, at, operation) in entries {
        let find = |names: &[&'static str]| names.iter().copied().find(|name| name == key);
        let problem = match operation {
            Operation::Append => match (find(APPENDABLE), find(REPLACEABLE)) {
                (Some(name), _) => {
                    append.insert(name);
                    None
                }
                (None, Some(_)) => Some(format!("Key '{key}' cannot be appended to, use 'replace' instead")),
                (None, None) => Some(format!("Key '{key}' cannot be appended to")),
            },
            Operation::Replace => match find(REPLACEABLE) {
                Some(name) => {
                    replace.insert(name);
                    None
                }
                None => Some(format!("Key '{key}' cannot be replaced")),
            },
        };
        let missing = reader.get(key).is_none().then(|| operation.undefined(key));
        if let Some(message) = problem.or(missing) {
            reader.error(*at, message);
            return None;
        }
    }
    let always = ["rule", "override", "append", "source"];
    let unexpected = reader.names().find(|(name, _)| {
        KEYS.contains(name) && !always.contains(name) && !entries.iter().any(|(key, _, _)| key == name)
    });
    if let Some((name, at)) = unexpected {
        reader.error(
            at,
            format!("Unexpected key '{name}': no corresponding entry under 'override' is defined."),
        );
        return None;
    }
    Some(Mode::Override { append, replace })
}
