//! `sentinel rules explain`.

use std::fmt::Write as _;
use std::process::ExitCode;

use sentinel_rules::language::{EventSet, Rule};
use sentinel_rules::nearest;

use super::args::{Explain, Format};
use super::{list, print, shown};

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
        Format::Json => list::json(rules.into_iter())?,
        Format::Text => rules.into_iter().map(text).collect::<Vec<_>>().join("\n"),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A rule for people.
fn text(rule: &Rule) -> String {
    let mut text = format!("{}\n", shown(&rule.name));
    let mut row = |key: &str, value: &str| {
        let value = shown(value.trim_end()).replace('\n', &format!("\n{:17}", ""));
        if !value.is_empty() {
            let _ = writeln!(text, "  {key:<13}  {value}");
        }
    };
    row("defined", &format!("{}:{}", rule.file.escape_debug(), rule.line));
    row("enabled", if rule.enabled { "yes" } else { "no" });
    row("description", &rule.desc);
    let severity = format!("{}, risk score {}", rule.severity.name(), rule.risk_score);
    row("priority", &format!("{} ({severity})", rule.priority.name()));
    row("tags", &rule.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    row("source", &rule.source);
    row("event types", &events(&rule.event_types));
    row("condition", &rule.condition.canonical());
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
