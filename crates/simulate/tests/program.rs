//! The program as it is used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // parts of tests

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentinel-simulate")).args(arguments).output().unwrap()
}

#[test]
fn the_list_is_complete_and_says_what_is_tripped() {
    let output = program(&["list", "--json"]);
    assert!(output.status.success());
    let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed.len(), sentinel_simulate::ALL.len());
    let names: BTreeSet<_> = listed.iter().map(|attack| attack["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), listed.len(), "two attacks of one name");
    for attack in &listed {
        for key in ["name", "rule", "about", "twin"] {
            assert!(attack[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {attack}");
        }
    }
}

#[test]
fn every_attack_is_a_file_of_its_name() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/attacks");
    let files: BTreeSet<String> = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: BTreeSet<String> =
        sentinel_simulate::ALL.iter().map(|attack| format!("{}.rs", attack.name.replace('-', "_"))).collect();
    assert_eq!(files, names);
}

#[test]
fn misuse_is_exit_code_2() {
    for arguments in [&["run", "no-such-attack"][..], &["run"], &["--no-such-flag"], &[]] {
        assert_eq!(program(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn every_shipped_rule_has_an_attack_or_a_reason() {
    let mut rules = BTreeSet::new();
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(path).unwrap();
            rules.extend(text.lines().filter_map(|line| line.strip_prefix("- rule: ")).map(str::to_owned));
        }
    }
    assert!(!rules.is_empty());
    let tripped: BTreeSet<_> = sentinel_simulate::ALL.iter().map(|attack| attack.rule.to_owned()).collect();
    let reasons: BTreeSet<_> =
        sentinel_simulate::UNSIMULATED.iter().map(|(rule, _)| (*rule).to_owned()).collect();
    let both: BTreeSet<_> = tripped.union(&reasons).cloned().collect();
    assert_eq!(both, rules, "left: what attacks trip or have a reason not to; right: what rules/ holds");
    assert_eq!(tripped.intersection(&reasons).count(), 0, "a reason for a rule that has an attack");
}
