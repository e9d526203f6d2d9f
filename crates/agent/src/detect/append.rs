//! `detection.appendOutput`: more text and fields in the outputs of rules.
//!
//! The addition is a rule file of our own that appends to outputs: what is wrong with it is found and placed
//! like everything else.

use std::fmt::Write as _;

use sentinel_rules::language::{
    Rule, RuleSet,
    eval::{Choice, Chosen, Selection},
};

use crate::config::{AppendMatch, AppendOutput};

/// What messages call the added file.
pub(super) const NAME: &str = "detection.appendOutput";

/// The text of a file that appends to the rules of `set`; none when it appends nothing.
pub(super) fn file(set: &RuleSet, appends: &[AppendOutput]) -> Option<String> {
    let mut text = String::new();
    for rule in &set.rules {
        let mut extra = String::new();
        for append in appends {
            if append.matches.as_ref().is_none_or(|matches| chosen(matches, rule)) {
                extra.push(' ');
                extra.push_str(&append.extra_output);
            }
        }
        if !extra.is_empty() {
            // JSON strings are YAML strings, whatever is in them.
            let (name, extra) = (quoted(&rule.name), quoted(&extra));
            let _ = writeln!(text, "- rule: {name}\n  output: {extra}\n  override: {{output: append}}");
        }
    }
    (!text.is_empty()).then_some(text)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(control))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether the pattern is the rule's name, as a selection sees it.
fn named(pattern: &str, rule: &Rule) -> bool {
    let choice = |enable, pattern: &str| Choice { enable, rules: Chosen::Name(pattern.to_owned()) };
    Selection { choices: vec![choice(false, "*"), choice(true, pattern)], ..Selection::default() }.uses(rule)
}

fn chosen(matches: &AppendMatch, rule: &Rule) -> bool {
    matches.rule.as_ref().is_none_or(|pattern| named(pattern, rule))
        && matches.source.as_ref().is_none_or(|source| *source == rule.source)
        && matches.tags.iter().all(|tag| rule.tags.contains(tag))
}
