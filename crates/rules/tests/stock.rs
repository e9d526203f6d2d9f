//! The stock rule files load as they are.
//!
//! They are not part of this repository. `SENTINEL_FALCO_RULES` names the directory with
//! `falco_rules.yaml` and `falco-incubating_rules.yaml`; else `../shared/falco-rules` beside the work tree.

#![allow(clippy::panic, clippy::expect_used, reason = "the helpers of a test are part of it")]

use std::{fs, path::PathBuf};

use sentinel_rules::language::{Priority, Rule, RuleSet, parse_condition};

const STABLE: &str = "falco_rules.yaml";
const INCUBATING: &str = "falco-incubating_rules.yaml";

/// The text of a stock file. None, with a word about it, when the files are not there.
fn stock(name: &str) -> Option<String> {
    let named = std::env::var_os("SENTINEL_FALCO_RULES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/falco-rules");
    let path = named.clone().unwrap_or(beside).join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if named.is_some() => {
            panic!("SENTINEL_FALCO_RULES is set, but {}: {error}", path.display())
        }
        Err(error) => {
            eprintln!(
                "SKIPPED: {}: {error}; set SENTINEL_FALCO_RULES to test the stock rules",
                path.display()
            );
            None
        }
    }
}

fn load(names: &[&str]) -> Option<RuleSet> {
    let texts: Vec<_> = names.iter().map(|name| stock(name)).collect::<Option<_>>()?;
    let files: Vec<_> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    let (report, set) = RuleSet::load(&files);
    assert!(report.successful, "{report}");
    assert_eq!(report.errors, []);
    Some(set.expect("a set when the report is successful"))
}

#[test]
fn each_file_loads_alone() {
    let Some(stable) = load(&[STABLE]) else { return };
    assert_eq!(stable.rules.len(), 25);
    let Some(incubating) = load(&[INCUBATING]) else { return };
    assert_eq!(incubating.rules.len(), 31);
}

#[test]
fn both_files_load_together_in_either_order() {
    for files in [[STABLE, INCUBATING], [INCUBATING, STABLE]] {
        let Some(set) = load(&files) else { return };
        assert_eq!(set.rules.len(), 56);
    }
}

#[test]
fn rules_have_the_event_types_and_priorities_they_name() {
    let Some(set) = load(&[STABLE, INCUBATING]) else { return };
    let types = |name: &str| set.find(name).expect("a stock rule").event_types.iter().collect::<Vec<_>>();
    assert_eq!(types("Terminal shell in container"), ["execve", "execveat"]);
    assert_eq!(types("Read sensitive file untrusted"), ["open", "openat", "openat2"]);
    assert_eq!(types("Create Symlink Over Sensitive Files"), ["symlink", "symlinkat"]);
    assert_eq!(types("Set Setuid or Setgid bit"), ["chmod", "fchmod", "fchmodat"]);
    let of = |wanted: Priority| set.rules.iter().filter(|rule| rule.priority == wanted).count();
    let counts =
        [Priority::Warning, Priority::Notice, Priority::Critical, Priority::Error, Priority::Informational];
    assert_eq!(counts.map(of), [21, 26, 3, 3, 3]);
    for rule in &set.rules {
        assert!((1..=20).contains(&rule.event_types.len()), "{}: {:?}", rule.name, rule.event_types);
    }
}

#[test]
fn comparisons_are_as_many_as_the_specification_counts() {
    for (file, expected) in [(STABLE, 300), (INCUBATING, 421)] {
        let Some(set) = load(&[file]) else { return };
        let mut count = 0;
        set.rules.iter().for_each(|rule| rule.condition.tests(&mut |_| count += 1));
        assert_eq!(count, expected, "{file}");
    }
}

#[test]
fn canonical_conditions_read_back() {
    let Some(set) = load(&[STABLE, INCUBATING]) else { return };
    // Constants that are empty or hold a parenthesis or comma have no quotes in the canonical form.
    let says_all = |rule: &&Rule| {
        let mut all = true;
        rule.condition.tests(&mut |test| {
            let plain = |text: &[u8]| !text.is_empty() && !text.iter().any(|byte| b"(),".contains(byte));
            all &= test.source.right.constants().iter().all(|value| plain(&value.text));
        });
        all
    };
    let rules: Vec<_> = set.rules.iter().filter(says_all).collect();
    assert!(rules.len() > 20, "{}", rules.len());
    for rule in rules {
        let canonical = rule.condition.canonical();
        let again = parse_condition(&canonical).map(|expr| expr.canonical());
        assert_eq!(again.as_ref(), Ok(&canonical), "{}", rule.name);
    }
}

#[test]
fn warnings_about_stock_files_are_only_about_what_is_unused() {
    let Some(stable) = stock(STABLE) else { return };
    let (report, _) = RuleSet::load(&[(STABLE, &stable)]);
    for warning in &report.warnings {
        assert!(warning.code.name().starts_with("LOAD_UNUSED_"), "{warning}");
    }
}
