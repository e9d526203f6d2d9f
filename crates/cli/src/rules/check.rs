//! `sentinel rules check`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use anyhow::Context as _;
use sentinel_rules::language::{Diagnostic, LoadReport};

use super::args::{Files, Format};
use super::{count, files, print};
use crate::args::Color;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Loads the files and reports what is wrong with them.
pub(super) fn check(args: &Files) -> anyhow::Result<ExitCode> {
    let files::Loaded { report, set, files } = files::load(&args.files);
    let text = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string(&report).context("writing the report")?),
        Format::Text => {
            let rules = set.as_ref().map(|set| set.rules.len());
            text(&report, files, rules, Color::Auto.wanted(io::stdout().is_terminal()))
        }
    };
    print(&text)?;
    Ok(ExitCode::from(u8::from(!report.successful)))
}

/// The report for people: each thing with its place and line, then a summary. `rules` is none when there
/// are errors.
fn text(report: &LoadReport, files: usize, rules: Option<usize>, color: bool) -> String {
    let mut text = problems(report, color);
    let loaded = rules.map(|rules| format!("{}, ", count(rules, "rule"))).unwrap_or_default();
    let (errors, warnings) = (count(report.errors.len(), "error"), count(report.warnings.len(), "warning"));
    let verdict = if report.successful { "ok" } else { "refused" };
    let _ = writeln!(text, "{verdict}: {}, {loaded}{errors}, {warnings}", count(files, "file"));
    text
}

/// Everything that is wrong, errors first.
pub(super) fn problems(report: &LoadReport, color: bool) -> String {
    let errors = report.errors.iter().map(|error| line(error, RED, color));
    errors.chain(report.warnings.iter().map(|warning| line(warning, YELLOW, color))).collect()
}

/// One problem, its code and caret in `paint`.
fn line(diagnostic: &Diagnostic, paint: &str, color: bool) -> String {
    let text = format!("{diagnostic}\n");
    let Diagnostic { file, line, column, code, .. } = diagnostic;
    let place = format!("{}:{line}:{column}: ", file.escape_debug());
    match text.strip_prefix(&place).and_then(|rest| rest.strip_prefix(code.name())) {
        Some(rest) if color => {
            let rest = match rest.strip_suffix("^\n") {
                Some(before) => format!("{before}{paint}^{PLAIN}\n"),
                None => rest.to_owned(),
            };
            format!("{place}{paint}{}{PLAIN}{rest}", code.name())
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use sentinel_rules::language::RuleSet;

    use super::*;

    #[test]
    fn colours_are_where_they_are_wanted_only() {
        let (report, _) = RuleSet::load(&[(
            "f",
            "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: m and (\n",
        )]);
        let plain = text(&report, 1, None, false);
        assert!(!plain.contains('\x1b'));
        assert!(plain.ends_with("^\nrefused: 1 file, 1 error, 0 warnings\n"), "{plain}");
        let colored = text(&report, 1, None, true);
        assert!(colored.contains("f:5:21: \x1b[31mLOAD_ERR_COMPILE_CONDITION\x1b[0m: rule"), "{colored}");
        assert!(colored.contains("\x1b[31m^\x1b[0m\n"), "{colored}");
        assert_eq!(colored.replace(RED, "").replace(PLAIN, ""), plain);
    }
}
