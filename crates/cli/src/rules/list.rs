//! `sentinel rules list`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_rules::language::{Part, Rule, RuleSet, Template};
use serde::Serialize;

use super::args::{Files, Format};
use super::{check, files, print, shown};

/// A rule as programs see it.
#[derive(Debug, Serialize)]
pub(super) struct Listed<'a> {
    #[serde(flatten)]
    rule: &'a Rule,
    /// The output template.
    output: String,
}

impl<'a> Listed<'a> {
    pub(super) fn new(rule: &'a Rule) -> Self {
        Self { rule, output: template(&rule.output) }
    }
}

/// Lists the rules of the files.
pub(super) fn list(args: &Files) -> anyhow::Result<ExitCode> {
    let Some(set) = loaded(args) else { return Ok(ExitCode::from(1)) };
    let text = match args.format {
        Format::Json => json(set.rules.iter())?,
        Format::Text => set.rules.iter().fold(String::new(), |mut text, rule| {
            let off = if rule.enabled { "" } else { "  (disabled)" };
            let _ =
                writeln!(text, "{:<13}  {}{off}", rule.priority.name(), shown(&rule.name).replace('\n', " "));
            text
        }),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The rules of the files; when they have errors, these go to standard error and there are no rules.
pub(super) fn loaded(args: &Files) -> Option<RuleSet> {
    let files::Loaded { mut report, set, .. } = files::load(&args.files);
    if set.is_none() {
        report.warnings.clear();
        eprint!("{}", check::problems(&report, false));
        eprintln!("error: the files have errors; 'sentinel rules check' reports warnings, too");
    }
    set
}

/// A JSON array of rules.
fn json<'a>(rules: impl Iterator<Item = &'a Rule>) -> anyhow::Result<String> {
    let listed: Vec<_> = rules.map(Listed::new).collect();
    Ok(format!("{}\n", serde_json::to_string(&listed).context("writing the rules")?))
}

/// A template as it is written.
pub(super) fn template(template: &Template) -> String {
    template.parts.iter().fold(String::new(), |mut text, part| {
        let _ = match part {
            Part::Text(plain) => write!(text, "{plain}"),
            Part::Value { width: Some(width), text: field, .. } => write!(text, "%{width}{field}"),
            Part::Value { width: None, text: field, .. } => write!(text, "%{field}"),
        };
        text
    })
}
