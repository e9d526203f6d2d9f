//! Reads `threshold` and `sequence`.

use std::sync::Arc;

use super::{Compiler, Fault};
use crate::language::{
    ast::Operator,
    check::Problem,
    condition::Condition,
    diagnostic::{Code, ItemType},
    journal::About,
    merge::RawRule,
    source::{Scalar, Source},
    stateful::{AT_MAX, BY_MAX, Key, STEPS_MAX, Sequence, Step, Threshold, span},
    suggest,
    yaml::{Mark, Node},
};

/// Behind a field it makes a condition, so that fields are read as they are everywhere.
const SUFFIX: &str = " exists";
const TIME: &str = "a time of at most 24h, such as 500ms, 10s, 2m or 1h";

/// The keys of one mapping, all of which are known.
struct Keys<'n> {
    pairs: &'n [(Arc<Node>, Arc<Node>)],
    at: Mark,
    /// For messages: `threshold`.
    name: &'n str,
}

impl<'n> Keys<'n> {
    fn get(&self, key: &str) -> Option<&'n Arc<Node>> {
        self.pairs.iter().find(|(name, _)| name.scalar() == Some(key)).map(|(_, value)| value)
    }
}

impl Compiler<'_, '_, '_> {
    /// None when it was refused; it has been reported then.
    pub(super) fn threshold(&mut self, raw: &RawRule) -> Option<Option<Threshold>> {
        let Some(node) = &raw.threshold else { return Some(None) };
        let keys = self.keys(
            raw,
            "threshold",
            node,
            &["count", "distinct", "at", "above", "within", "by", "quiet"],
        )?;
        if let Some(count) = keys.get("count")
            && (!matches!(count.scalar(), Some("events")) && !count.is_null()
                || keys.get("distinct").is_some())
        {
            return self.wrong(
                raw,
                count.at,
                "'count' takes no value but 'events', and does not go with 'distinct'",
            );
        }
        let distinct = match keys.get("distinct") {
            Some(node) => Some(self.field(raw, node)?),
            None => None,
        };
        let at = match (keys.get("at"), keys.get("above")) {
            (Some(node), None) => self.number(raw, "at", node, 0)?,
            (None, Some(node)) => self.number(raw, "above", node, 1)?,
            _ => return self.wrong(raw, keys.at, "'threshold' needs one of 'at' and 'above'"),
        };
        let within_ns = self.span(raw, &keys, "within")?;
        let quiet_ns = match keys.get("quiet") {
            Some(_) => self.span(raw, &keys, "quiet")?,
            None => 0,
        };
        let by = self.fields(raw, keys.get("by"))?;
        if at == 1 && quiet_ns == 0 && distinct.is_none() {
            let about = About { item: ItemType::Rule, name: &raw.name };
            let message =
                "A threshold of one event without 'quiet' changes nothing: leave it out, or count to more";
            self.journal.note(Code::WarningExtension, about, keys.at, message);
        }
        Some(Some(Threshold { distinct, at, within_ns, quiet_ns, by }))
    }

    /// None when it was refused.
    pub(super) fn sequence(&mut self, raw: &RawRule) -> Option<Option<Sequence>> {
        let Some(node) = &raw.sequence else { return Some(None) };
        let keys = self.keys(raw, "sequence", node, &["by", "maxspan", "steps"])?;
        if raw.threshold.is_some() {
            return self.wrong(raw, keys.at, "a rule has 'threshold' or 'sequence', not both");
        }
        let maxspan_ns = self.span(raw, &keys, "maxspan")?;
        let common = self.fields(raw, keys.get("by"))?;
        let Some(items) = keys.get("steps").and_then(|steps| steps.sequence()) else {
            return self.wrong(raw, keys.at, "'sequence' needs 'steps', a sequence of conditions");
        };
        if !(2..=STEPS_MAX).contains(&items.len()) {
            return self.wrong(raw, keys.at, format!("a sequence has from 2 to {STEPS_MAX} steps"));
        }
        let mut steps = Vec::with_capacity(items.len());
        for item in items {
            let keys = self.keys(raw, "steps", item, &["condition", "by"])?;
            let Some(text) = keys.get("condition").and_then(|node| Scalar::of(node)) else {
                return self.wrong(raw, keys.at, "a step needs a 'condition'");
            };
            let condition = self.part(raw, &Source::new(text))?;
            let by = match keys.get("by") {
                Some(node) => self.fields(raw, Some(node))?,
                None => common.clone(),
            };
            if by.len() != common.len() && keys.get("by").is_some() {
                let message = "'by' of a step must have as many fields as 'by' of the sequence";
                return self.wrong(raw, keys.at, message);
            }
            steps.push(Step { condition, by });
        }
        Some(Some(Sequence { maxspan_ns, steps }))
    }

    fn wrong<T>(&mut self, raw: &RawRule, at: Mark, message: impl Into<String>) -> Option<T> {
        let about = About { item: ItemType::Rule, name: &raw.name };
        self.journal.note(Code::Extension, about, at, message.into());
        None
    }

    fn keys<'n>(&mut self, raw: &RawRule, name: &'n str, node: &'n Node, known: &[&str]) -> Option<Keys<'n>> {
        let Some(pairs) = node.mapping() else {
            return self.wrong(raw, node.at, format!("Value is not a mapping for key '{name}'"));
        };
        for (at, (key, _)) in pairs.iter().enumerate() {
            let spelled = key.scalar().unwrap_or("?");
            if !known.contains(&spelled) {
                let near = suggest::nearest(spelled, known.iter().copied());
                let known = known.join(", ");
                let hint = near.map(|near| format!(", did you mean '{near}'?")).unwrap_or_default();
                let message = format!("Unknown key '{spelled}' in '{name}'{hint} It has {known}.");
                return self.wrong(raw, key.at, message.replace("' It", "'. It"));
            }
            let earlier = pairs.get(..at).unwrap_or_default();
            if earlier.iter().any(|(other, _)| other.scalar() == Some(spelled)) {
                return self.wrong(raw, key.at, format!("Key '{spelled}' is given twice in '{name}'"));
            }
        }
        Some(Keys { pairs, at: node.at, name })
    }

    /// A count, to which `more` are added.
    fn number(&mut self, raw: &RawRule, key: &str, node: &Node, more: usize) -> Option<usize> {
        let number = node.scalar().and_then(|text| text.parse::<usize>().ok());
        let number = number.and_then(|number| number.checked_add(more));
        match number.filter(|number| (1..=AT_MAX).contains(number)) {
            Some(number) => Some(number),
            None => {
                let (least, most) = (1 - more.min(1), AT_MAX - more);
                self.wrong(raw, node.at, format!("'{key}' must be a number from {least} to {most}"))
            }
        }
    }

    fn span(&mut self, raw: &RawRule, keys: &Keys<'_>, key: &str) -> Option<u64> {
        let Some(node) = keys.get(key) else {
            return self.wrong(raw, keys.at, format!("'{}' needs '{key}', {TIME}", keys.name));
        };
        match node.scalar().and_then(span) {
            Some(span) => Some(span),
            None => self.wrong(raw, node.at, format!("'{key}' must be {TIME}")),
        }
    }

    /// The fields of `by`: one, or a sequence of them.
    fn fields(&mut self, raw: &RawRule, node: Option<&Arc<Node>>) -> Option<Vec<Key>> {
        let Some(node) = node else { return Some(Vec::new()) };
        let one = std::slice::from_ref(node);
        let items = node.sequence().unwrap_or(one);
        if items.len() > BY_MAX {
            return self.wrong(raw, node.at, format!("'by' has at most {BY_MAX} fields"));
        }
        items.iter().map(|item| self.field(raw, item)).collect()
    }

    fn field(&mut self, raw: &RawRule, node: &Node) -> Option<Key> {
        let Some(text) = Scalar::of(node) else {
            return self.wrong(raw, node.at, "this must be a field");
        };
        let condition = self.part(raw, &Source::new(Scalar { text: text.text + SUFFIX, ..text }))?;
        let text = condition.canonical();
        match condition {
            Condition::Test(test) if test.operator == Operator::Exists => {
                let text = text.strip_suffix(SUFFIX).unwrap_or(&text).to_owned();
                Some(Key { term: test.left.clone(), text })
            }
            _ => self.wrong(raw, node.at, "this must be one field"),
        }
    }

    /// A condition in the rule that is not its own.
    fn part(&mut self, raw: &RawRule, source: &Source) -> Option<Condition> {
        let mut remarks = Vec::new();
        let read = if source.text().trim().is_empty() {
            Err(Fault::from(Problem::new(0, "a condition is empty")))
        } else {
            self.condition(source, &mut remarks)
        };
        self.tell(raw, source, remarks);
        match read {
            Ok(condition) => Some(condition),
            Err(fault) => {
                let at = |offset, compiler: &Self| source.locate(offset, &compiler.journal.files);
                self.fail(raw, fault, at);
                None
            }
        }
    }
}
