//! What the tests of loading share.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "these are parts of tests")]

use sentinel_rules::language::{Diagnostic, LoadReport, Rule, RuleSet};

/// A rule with this condition.
pub(crate) fn rule(condition: &str) -> String {
    format!("- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: {condition}\n")
}

/// Loads one file.
pub(crate) fn load(text: &str) -> (LoadReport, Option<RuleSet>) {
    RuleSet::load(&[("f.yaml", text)])
}

/// The rules of files that must load.
pub(crate) fn rules(text: &str) -> Vec<Rule> {
    let (report, set) = load(text);
    set.unwrap_or_else(|| panic!("{report}\n{text}")).rules
}

/// The canonical condition of the only rule.
pub(crate) fn canonical(text: &str) -> String {
    rules(text).first().expect("a rule").condition.canonical()
}

/// `line:column code item "name"` of a diagnostic.
pub(crate) fn place(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, item_type, item_name, line, column, .. } = diagnostic;
    format!("{line}:{column} {} {} {item_name}", code.name(), item_type.word())
}

/// Loads one file that must have exactly one error, at `expected` as [`place`] has it, with `message` in it.
pub(crate) fn refused(text: &str, expected: &str, message: &str) {
    let (report, set) = load(text);
    let places: Vec<_> = report.errors.iter().map(place).collect();
    assert_eq!(places, [expected], "{report}\n{text}");
    assert!(report.errors[0].message.contains(message), "{}\n{text}", report.errors[0].message);
    assert!(set.is_none());
}

/// Loads one file that must load, with a warning at `expected` with `message` in it.
pub(crate) fn warned(text: &str, expected: &str, message: &str) {
    let (report, set) = load(text);
    assert!(set.is_some(), "{report}\n{text}");
    let found = report.warnings.iter().find(|warning| place(warning) == expected);
    let found = found.unwrap_or_else(|| panic!("{expected}\n{report}\n{text}"));
    assert!(found.message.contains(message), "{}\n{text}", found.message);
}
