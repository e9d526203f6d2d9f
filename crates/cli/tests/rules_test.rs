//! `sentinel rules test`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking; helpers are not seen as tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const RULES: &str = "
- rule: Cat starts
  id: cat
  desc: d
  condition: evt.type = execve and proc.name = cat
  output: o
  priority: INFO
- rule: Anything starts
  desc: d
  condition: evt.type = execve
  output: o
  priority: INFO
  enabled: false
";

const CAT: &str = r#"{"sample":"cat","fires":["cat"],"event_type":"exec","data":{"comm":"cat","uid":1000}}"#;
const DOG: &str = r#"{"sample":"dog","silent":["Cat starts"],"event_type":"exec","data":{"comm":"dog"}}"#;
const ALL: &str =
    r#"{"sample":"on","fires":["Anything starts","cat"],"event_type":"exec","data":{"comm":"cat"}}"#;
const NONE: &str =
    r#"{"sample":"off","silent":["Anything starts"],"event_type":"exit","data":{"comm":"cat"}}"#;

struct Files(tempfile::TempDir);

impl Files {
    /// A directory with the rules.
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("rules.yaml", RULES.as_bytes());
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Tests the rules with these lines of NDJSON.
    fn lines(&self, lines: &[&str]) -> (Option<i32>, Value) {
        let samples = self.write("samples.ndjson", lines.join("\n").as_bytes());
        self.test(&samples)
    }

    fn test(&self, samples: &Path) -> (Option<i32>, Value) {
        let output = sentinel(&["--format", "json"], &[&self.0.path().join("rules.yaml"), samples]);
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
    }
}

fn sentinel(arguments: &[&str], files: &[&Path]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    command.args(["rules", "test"]).args(files).args(arguments).output().unwrap()
}

/// The messages of findings, with what they are about.
fn findings(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .map(|one| format!("{}{}: {}", text(&one["sample"]), text(&one["rule"]), text(&one["message"])))
        .collect()
}

#[test]
fn samples_that_come_true_are_counted() {
    let (code, report) = Files::new().lines(&[CAT, DOG, ALL, NONE]);
    assert_eq!((code, findings(&report).len()), (Some(0), 0), "{report}");
    assert_eq!((&report["ok"], &report["samples"]), (&Value::Bool(true), &Value::from(4)));
    let counts: Vec<_> = report["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["fires"].as_u64().unwrap(), rule["silent"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [(2, 1), (1, 1)]);
}

#[test]
fn each_thing_that_does_not_come_true_is_a_finding() {
    let files = Files::new();
    let whole = [CAT, DOG, ALL, NONE];
    let cases = [
        (
            r#"{"sample":"x","fires":["cat"],"event_type":"exec","data":{"comm":"dog"}}"#,
            r#"x: "cat" did not fire"#,
        ),
        (r#"{"sample":"x","silent":["cat"],"event_type":"exec","data":{"comm":"cat"}}"#, r#"x: "cat" fired"#),
        (
            r#"{"sample":"x","silent":["Anything starts"],"event_type":"exec","data":{"comm":"cat"}}"#,
            r#"x: "Anything starts" fired"#,
        ),
        (
            r#"{"sample":"x","fires":["cats"],"event_type":"exit","data":{"comm":"cat"}}"#,
            r#"x: no rule is called "cats"; did you mean "cat"?"#,
        ),
        (
            r#"{"sample":"x","event_type":"exit","data":{}}"#,
            "x: says neither what fires nor what stays silent",
        ),
        (r#"{"sample":"x","silent":["cat"],"event_type":"exek"}"#, r#"x: no event kind is called "exek""#),
        (
            r#"{"sample":"x","silent":["cat"],"event_type":"exec","data":{"pid":"one"}}"#,
            "x: values of pid make no sense",
        ),
    ];
    for (line, finding) in cases {
        let (code, report) = files.lines(&[&whole[..], &[line]].concat());
        assert_eq!(code, Some(1), "{line}");
        let found = findings(&report);
        assert!(found.contains(&finding.to_owned()), "{line}: {found:?}");
    }
}

#[test]
fn a_rule_that_fires_unasked_is_a_finding_unless_it_is_off() {
    let files = Files::new();
    let (code, report) =
        files.lines(&[CAT, DOG, ALL, r#"{"sample":"x","silent":["Anything starts"],"event_type":"exit"}"#]);
    assert_eq!(code, Some(0), "{report}");
    let (code, report) = files.lines(&[
        CAT,
        DOG,
        ALL,
        NONE,
        r#"{"sample":"x","fires":["Anything starts"],"event_type":"exec","data":{"comm":"cat"}}"#,
    ]);
    assert_eq!((code, findings(&report)), (Some(1), vec![r#"x: "Cat starts" fired, too"#.to_owned()]));
}

#[test]
fn rules_without_samples_are_findings_unless_there_is_a_reason() {
    let files = Files::new();
    let (code, report) = files.lines(&[CAT]);
    assert_eq!(code, Some(1));
    assert_eq!(
        findings(&report),
        ["Cat starts: no sample that stays silent", "Anything starts: no samples"].map(str::to_owned)
    );
    let samples = files.write(
        "samples.yaml",
        b"- unsampled: Anything starts\n  reason: it is off\n- unsampled: cat\n  reason: because\n",
    );
    let (code, report) = files.test(&samples);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["rules"][1]["reason"], "it is off");
}

#[test]
fn samples_are_read_from_yaml_and_logs_too() {
    let files = Files::new();
    let yaml = "
- sample: cat
  fires: [Cat starts, Anything starts]
  event_type: exec
  data: {comm: cat, uid: 0}
  ancestors: [{pid: 7, name: sh, exe: /bin/sh, args: [-c, cat]}]
- sample: end
  silent: [Cat starts, Anything starts]
  before: [{event_type: exec, data: {comm: cat}}]
  event_type: exit
";
    let (code, report) = files.test(&files.write("samples.yaml", yaml.as_bytes()));
    assert_eq!(code, Some(0), "{report}");
    let mut log = Vec::new();
    for line in [CAT, DOG, ALL, NONE] {
        sentinel_wire::evt1::write_record(&mut log, |out| out.extend_from_slice(line.as_bytes())).unwrap();
    }
    let (code, report) = files.test(&files.write("samples.bin", &log));
    assert_eq!((code, &report["samples"]), (Some(0), &Value::from(4)), "{report}");
}

#[test]
fn files_that_make_no_sense_are_refused_with_a_reason() {
    let files = Files::new();
    let rules = files.0.path().join("rules.yaml");
    let cases: [(&[u8], &str); 4] = [
        (b"- sample: x\n  fires: [cat]\n  event_type: exec\n  dta: {}\n", "unknown field `dta`"),
        (b"{\"sample\":\"x\"\n", "line 1"),
        (b"EVT1\x05\0\0\0{}", "record 1: torn"),
        (b"- rule: broken\n", "LOAD_ERR"),
    ];
    for (text, reason) in cases {
        let output = sentinel(&[], &[&rules, &files.write("broken", text)]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let output = sentinel(&[], &[&files.write("only.ndjson", CAT.as_bytes())]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the files hold no rules"));
}
