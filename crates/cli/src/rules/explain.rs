//! `sentinel rules explain`.

mod calls;
mod opens;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_event::{CallInterest, FileInterest};
use sentinel_rules::language::eval::{self, Selection, file_interest};
use sentinel_rules::language::{EventSet, Rule, Sequence, Threshold};
use sentinel_rules::nearest;
use serde::Serialize;

use super::args::{Explain, Format};
use super::list::{self, Listed};
use super::{print, shown};

/// How many names are suggested for one that is not known.
const SUGGESTIONS: usize = 3;

/// Shows the rules of the files, or one of them.
pub(super) fn explain(args: &Explain) -> anyhow::Result<ExitCode> {
    let Some(set) = list::loaded(&args.files) else { return Ok(ExitCode::from(1)) };
    let wanted = |rule: &&Rule| args.rule.as_ref().is_none_or(|name| rule.name == *name);
    let rules: Vec<&Rule> = set.rules.iter().filter(wanted).collect();
    if let (Some(name), true) = (&args.rule, rules.is_empty()) {
        eprintln!("error: no rule is called {name:?}{}", suggestions(name, &set.rules));
        return Ok(ExitCode::from(2));
    }
    let text = match args.files.format {
        Format::Json => {
            let explained: Vec<_> = rules.into_iter().map(Explained::new).collect();
            format!("{}\n", serde_json::to_string(&explained).context("writing the rules")?)
        }
        Format::Text => {
            let mut texts: Vec<String> = rules.iter().copied().map(text).collect();
            texts.extend((args.rule.is_none() && rules.len() > 1).then(|| together(&rules)));
            texts.join("\n")
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A rule as programs see it, with what follows from it.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    /// Which opens of files it needs; null when none.
    opens: Option<opens::Opens>,
    /// Kinds of events of which it does not need every call, with those that it needs.
    calls: BTreeMap<&'static str, calls::Calls>,
}

impl<'a> Explained<'a> {
    fn new(rule: &'a Rule) -> Self {
        Self {
            listed: Listed::new(rule),
            opens: opens::Opens::of(rule),
            calls: calls::narrowed(&eval::calls(rule)),
        }
    }
}

/// What all enabled rules need together: what they do not, the kernel may leave out.
fn together(rules: &[&Rule]) -> String {
    let selection = Selection::default();
    let used = rules.iter().filter(|rule| selection.uses(rule));
    let all = used.fold(FileInterest::default(), |all, rule| all.or(file_interest(rule)));
    let needs = match opens::interest(&all) {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    let used = rules.iter().filter(|rule| selection.uses(rule));
    let all = used.fold(CallInterest::default(), |all, rule| all.or(eval::calls(rule)));
    let rows = [row("opens needed", &needs), row("calls needed", &calls::text(&all))].concat();
    format!("All enabled rules together\n{rows}")
}

/// A line, or several.
fn row(key: &str, value: &str) -> String {
    let value = shown(value.trim_end()).replace('\n', &format!("\n{:17}", ""));
    if value.is_empty() { String::new() } else { format!("  {key:<13}  {value}\n") }
}

/// A rule for people.
fn text(rule: &Rule) -> String {
    let mut text = format!("{}\n", shown(&rule.name));
    let mut row = |key: &str, value: &str| text.push_str(&row(key, value));
    row("defined", &format!("{}:{}", rule.file.escape_debug(), rule.line));
    row("enabled", if rule.enabled { "yes" } else { "no" });
    row("description", &rule.desc);
    let severity = format!("{}, risk score {}", rule.severity.name(), rule.risk_score);
    row("priority", &format!("{} ({severity})", rule.priority.name()));
    row("tags", &rule.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    row("source", &rule.source);
    row("event types", &events(&rule.event_types));
    row("condition", &rule.condition.canonical());
    row("threshold", &rule.threshold.as_ref().map(Threshold::canonical).unwrap_or_default());
    row("sequence", &rule.sequence.as_ref().map(Sequence::canonical).unwrap_or_default());
    row("opens needed", &opens::text(rule));
    row("calls needed", &calls::text(&eval::calls(rule)));
    row("output", &list::template(&rule.output));
    row("id", &rule.id);
    row("remedy", rule.recommendation.as_deref().unwrap_or_default());
    text
}

fn events(events: &EventSet) -> String {
    match *events {
        all if all == EventSet::all() => "every one".to_owned(),
        none if none.is_empty() => "none: it never matches".to_owned(),
        some => some.iter().collect::<Vec<_>>().join(", "),
    }
}

/// `; did you mean …?` with the names that are most like `name`, or that contain it.
fn suggestions(name: &str, rules: &[Rule]) -> String {
    let mut left: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let mut found = Vec::new();
    while let Some(near) = nearest::nearest(name, left.iter().copied()) {
        left.retain(|other| *other != near);
        found.push(near);
    }
    let part = name.to_lowercase();
    found.extend(left.iter().filter(|other| !part.is_empty() && other.to_lowercase().contains(&part)));
    found.truncate(SUGGESTIONS);
    match found.is_empty() {
        true => "; 'sentinel rules list' lists them".to_owned(),
        false => {
            let names: Vec<_> = found.iter().map(|name| format!("{name:?}")).collect();
            format!("; did you mean {}?", names.join(" or "))
        }
    }
}
