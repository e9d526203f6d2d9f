//! The rules that come with Sentinel: complete, quiet to load, and shown at work by samples.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking; helpers are not seen as tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use sentinel_rules::builtin;
use sentinel_rules::language::{Rule, RuleSet, Severity};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The YAML files of a directory.
fn files(directory: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(top().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    assert!(!files.is_empty(), "{directory}");
    files
}

fn shipped() -> Vec<Rule> {
    let (report, set) = RuleSet::load(builtin::FILES);
    assert!(report.errors.is_empty() && report.warnings.is_empty(), "{report}");
    set.unwrap().rules
}

#[test]
fn they_load_without_a_warning() {
    let names: Vec<_> = builtin::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let there: Vec<_> =
        files("rules").iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, there, "what is compiled in is what lies in rules/");
    shipped();
}

#[test]
fn samples_show_every_rule_firing_and_silent() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    let output =
        command.args(["rules", "test"]).args(files("rules")).args(files("rules/tests")).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
}

#[test]
fn every_rule_says_what_to_do_and_what_it_is_called_elsewhere() {
    for rule in shipped() {
        let name = &rule.name;
        assert!(rule.recommendation.as_deref().is_some_and(|text| text.len() > 20), "{name}: recommendation");
        assert!(rule.desc.len() > 20 && rule.desc.trim_end().ends_with('.'), "{name}: desc");
        let technique = |tag: &String| {
            let digits = tag.strip_prefix("TA").or(tag.strip_prefix('T')).unwrap_or_default();
            digits.len() >= 4 && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        };
        assert!(rule.tags.iter().any(technique), "{name}: a technique of ATT&CK among its tags");
        assert!(rule.tags.iter().any(|tag| tag.starts_with("mitre_")), "{name}: a tactic among its tags");
        assert!(rule.tags.contains("host") || rule.tags.contains("container"), "{name}: where it applies");
        assert!(
            rule.id.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'),
            "{name}: {}",
            rule.id
        );
        let levels = [(Severity::Low, 0..45), (Severity::Medium, 45..75), (Severity::High, 75..95)];
        let mut level = levels.iter().filter(|(severity, _)| *severity == rule.severity);
        let fits = level.next().is_none_or(|(_, scores)| scores.contains(&rule.risk_score));
        assert!(fits, "{name}: {} with a score of {}", rule.severity.name(), rule.risk_score);
    }
}

#[test]
fn the_promised_detections_have_their_ids_and_scores() {
    let mut found: BTreeMap<String, BTreeSet<(Severity, u8)>> = BTreeMap::new();
    for rule in shipped() {
        found.entry(rule.id).or_default().insert((rule.severity, rule.risk_score));
    }
    let promised = [
        ("reverse_shell", Severity::High, 85),
        ("injection_attempt", Severity::High, 90),
        ("suspicious_exec", Severity::Medium, 60),
        ("shell_network_activity", Severity::Medium, 55),
    ];
    for (id, severity, score) in promised {
        assert_eq!(found.get(id), Some(&BTreeSet::from([(severity, score)])), "{id}");
    }
    let off: Vec<_> = shipped().into_iter().filter(|rule| !rule.enabled).collect();
    assert!(off.iter().all(|rule| rule.tags.contains("educational")), "{off:?}");
    assert!(shipped().iter().all(|rule| rule.enabled != rule.tags.contains("educational")));
}

#[test]
fn they_redefine_nothing_of_other_rule_files() {
    for (file, text) in builtin::FILES {
        for line in text.lines() {
            let name = line.strip_prefix("- macro: ").or(line.strip_prefix("- list: "));
            assert!(name.is_none_or(|name| name.starts_with("sn_")), "{file}: {line}: names begin with sn_");
        }
    }
}

/// Whether a rule file fits the schema.
fn schema() -> impl Fn(&str) -> Result<(), String> {
    let path = top().join("docs/reference/rule-file.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    move |text| {
        let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
        schemas.validate(&value, index).map_err(|error| error.to_string())
    }
}

/// They are not part of this repository: `SENTINEL_FALCO_RULES` names their directory.
#[test]
fn stock_files_fit_the_schema_for_editors() {
    let named = std::env::var_os("SENTINEL_FALCO_RULES").map(PathBuf::from);
    let directory = named.clone().unwrap_or_else(|| top().join("../shared/falco-rules"));
    let check = schema();
    for name in ["falco_rules.yaml", "falco-incubating_rules.yaml"] {
        match std::fs::read_to_string(directory.join(name)) {
            Ok(text) => assert_eq!(check(&text), Ok(()), "{name}"),
            Err(error) => {
                assert!(named.is_none(), "SENTINEL_FALCO_RULES is set, but {name}: {error}");
                eprintln!("SKIPPED: {name}: {error}; set SENTINEL_FALCO_RULES to test the stock rules");
            }
        }
    }
}

#[test]
fn they_fit_the_schema_for_editors() {
    let check = schema();
    for (file, text) in builtin::FILES {
        assert_eq!(check(text), Ok(()), "{file}");
    }
    let wrong = [
        "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n", // no condition
        "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: c\n  risk_score: 101\n",
        "- rule: r\n  desc: d\n  output: o\n  priority: URGENT\n  condition: c\n",
        "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: c\n  severty: high\n",
        "- macro: m\n",
        "- list: l\n  items: {a: b}\n",
        "rule: r\n",
    ];
    for text in wrong {
        assert!(check(text).is_err(), "{text}");
    }
    let right = [
        "- rule: r\n  enabled: false\n",
        "- rule: r\n  condition: and x\n  override: {condition: append}\n",
        "- list: l\n  items: []\n- macro: m\n  condition: a.b exists\n",
        "- required_engine_version: 0.31.0\n- required_engine_version: 15\n",
    ];
    for text in right {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}
