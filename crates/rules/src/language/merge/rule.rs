//! Rules: definition, addition, replacement.

use std::{collections::BTreeSet, sync::Arc};

use super::Collection;
use crate::language::{
    diagnostic::{Code, ItemType},
    exception::{self, Exception},
    item::{Mode, RuleKeys},
    journal::{About, Journal},
    source::Source,
    yaml::{Mark, Node},
};
use sentinel_event::{Priority, Severity};

/// The source of events that there is.
const SOURCE: &str = "syscall";

/// A rule as all files together define it.
#[derive(Debug)]
pub(in crate::language) struct RawRule {
    pub(in crate::language) name: String,
    pub(in crate::language) at: Mark,
    pub(in crate::language) condition: Source,
    pub(in crate::language) output: Source,
    pub(in crate::language) desc: String,
    pub(in crate::language) priority: Priority,
    pub(in crate::language) source: String,
    pub(in crate::language) enabled: bool,
    pub(in crate::language) tags: BTreeSet<String>,
    pub(in crate::language) exceptions: Vec<Exception>,
    pub(in crate::language) warn_evttypes: bool,
    pub(in crate::language) skip_if_unknown: bool,
    pub(in crate::language) capture: bool,
    pub(in crate::language) capture_duration_ms: u64,
    pub(in crate::language) id: Option<String>,
    pub(in crate::language) severity: Option<Severity>,
    pub(in crate::language) risk_score: Option<u8>,
    pub(in crate::language) recommendation: Option<String>,
    pub(in crate::language) threshold: Option<Arc<Node>>,
    pub(in crate::language) sequence: Option<Arc<Node>>,
    /// Why it is there but not used: its source is unknown, or a part of it was refused.
    pub(in crate::language) dropped: bool,
}

impl Collection {
    pub(in crate::language) fn add_rule(&mut self, keys: RuleKeys, journal: &mut Journal<'_>) {
        match keys.mode.clone() {
            Mode::Define => self.define(keys, journal),
            Mode::Append => self.append(keys, journal),
            Mode::Override { append, replace } => self.override_keys(keys, &append, &replace, journal),
            Mode::Switch(enabled) => {
                let message = "Rule has 'enabled' key but no rule by that name already exists";
                if let Some(rule) = self.known(&keys, message, journal) {
                    rule.enabled = enabled;
                }
            }
        }
    }

    fn define(&mut self, keys: RuleKeys, journal: &mut Journal<'_>) {
        let about = About { item: ItemType::Rule, name: &keys.name };
        let known = self.rules.get_mut(&keys.name);
        if let (Some(known), Some(source)) = (&known, &keys.source)
            && known.source != *source
        {
            journal.note(Code::Validate, about, keys.at, "Rule has been re-defined with a different source");
            return;
        }
        let source = keys.source.or_else(|| known.as_ref().map(|known| known.source.clone()));
        let source = source.unwrap_or_else(|| SOURCE.to_owned());
        let unknown_source = source != SOURCE;
        if unknown_source {
            let message = format!("Unknown source '{source}', skipping: the only source is '{SOURCE}'");
            journal.note(Code::UnknownSource, about, keys.at, message);
        }
        let exceptions = match keys.exceptions {
            Some(items) if !unknown_source => exception::define(&keys.name, items, journal),
            _ => Some(Vec::new()),
        };
        let (Some(condition), Some(output), Some(desc), Some(priority)) =
            (keys.condition, keys.output, keys.desc, keys.priority)
        else {
            return;
        };
        let rule = RawRule {
            dropped: unknown_source || exceptions.is_none(),
            name: keys.name,
            at: keys.at,
            condition: Source::new(condition),
            output: Source::new(output.trimmed()),
            desc: desc.text.trim().to_owned(),
            priority,
            source,
            enabled: keys.enabled.unwrap_or(true),
            tags: keys.tags.unwrap_or_default().into_iter().collect(),
            exceptions: exceptions.unwrap_or_default(),
            warn_evttypes: keys.warn_evttypes.unwrap_or(true),
            skip_if_unknown: keys.skip_if_unknown.unwrap_or(false),
            capture: keys.capture.unwrap_or(false),
            capture_duration_ms: keys.capture_duration_ms.unwrap_or(0),
            id: keys.id,
            severity: keys.severity,
            risk_score: keys.risk_score,
            recommendation: keys.recommendation,
            threshold: keys.threshold,
            sequence: keys.sequence,
        };
        match known {
            Some(known) => *known = rule,
            None => self.rules.add(&rule.name.clone(), rule),
        }
    }

    /// The rule that `keys` name; else an error.
    fn known(&mut self, keys: &RuleKeys, missing: &str, journal: &mut Journal<'_>) -> Option<&mut RawRule> {
        let known = self.rules.get_mut(&keys.name);
        if known.is_none() {
            journal.note(Code::Validate, About { item: ItemType::Rule, name: &keys.name }, keys.at, missing);
        }
        known
    }

    fn append(&mut self, keys: RuleKeys, journal: &mut Journal<'_>) {
        let missing =
            "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists";
        let Some(rule) = self.known(&keys, missing, journal) else { return };
        if let Some(condition) = keys.condition {
            rule.condition.append(condition);
        }
        if let Some(items) = keys.exceptions {
            rule.append_exceptions(items, journal);
        }
    }

    fn override_keys(
        &mut self,
        mut keys: RuleKeys,
        append: &BTreeSet<&str>,
        replace: &BTreeSet<&str>,
        journal: &mut Journal<'_>,
    ) {
        let missing = match append.first() {
            Some(key) => format!(
                "Rule uses 'append' or 'override.{key}: append' but no rule by that name already exists"
            ),
            None => {
                let key = replace.first().copied().unwrap_or("<key>");
                format!(
                    "An 'override.{key}: replace' to a rule was requested but no rule by that name already exists"
                )
            }
        };
        let Some(rule) = self.known(&keys, &missing, journal) else { return };
        if append.contains("condition")
            && let Some(condition) = keys.condition.take()
        {
            rule.condition.append(condition);
        }
        if append.contains("output")
            && let Some(output) = keys.output.take()
        {
            rule.output.append(output.trimmed());
        }
        if append.contains("desc")
            && let Some(desc) = keys.desc.take()
        {
            rule.desc = format!("{} {}", rule.desc, desc.text.trim());
        }
        if append.contains("tags") {
            rule.tags.extend(keys.tags.take().unwrap_or_default());
        }
        if append.contains("exceptions")
            && let Some(items) = keys.exceptions.take()
        {
            rule.append_exceptions(items, journal);
        }
        rule.replace(keys, journal);
    }
}

impl RawRule {
    fn append_exceptions(&mut self, items: Vec<exception::ExceptionItem>, journal: &mut Journal<'_>) {
        if !self.dropped && exception::append(&self.name, &mut self.exceptions, items, journal).is_none() {
            self.dropped = true;
        }
    }

    /// Takes over every key that is given.
    fn replace(&mut self, keys: RuleKeys, journal: &mut Journal<'_>) {
        if let Some(items) = keys.exceptions
            && !self.dropped
        {
            let exceptions = exception::define(&self.name, items, journal);
            self.dropped = exceptions.is_none();
            self.exceptions = exceptions.unwrap_or_default();
        }
        fn take<T>(target: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *target = given;
            }
        }
        take(&mut self.condition, keys.condition.map(Source::new));
        take(&mut self.output, keys.output.map(|output| Source::new(output.trimmed())));
        take(&mut self.desc, keys.desc.map(|desc| desc.text.trim().to_owned()));
        take(&mut self.tags, keys.tags.map(|tags| tags.into_iter().collect()));
        take(&mut self.priority, keys.priority);
        take(&mut self.enabled, keys.enabled);
        take(&mut self.warn_evttypes, keys.warn_evttypes);
        take(&mut self.skip_if_unknown, keys.skip_if_unknown);
        take(&mut self.capture, keys.capture);
        take(&mut self.capture_duration_ms, keys.capture_duration_ms);
        take(&mut self.id, keys.id.map(Some));
        take(&mut self.severity, keys.severity.map(Some));
        take(&mut self.risk_score, keys.risk_score.map(Some));
        take(&mut self.recommendation, keys.recommendation.map(Some));
        take(&mut self.threshold, keys.threshold.map(Some));
        take(&mut self.sequence, keys.sequence.map(Some));
    }
}
