//! The table of fields, and the reference that is made from it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test are part of it")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

fn fields(format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    let output = command.args(["rules", "fields", "--format", format]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/fields.md");
    let text = fields("markdown");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "stale: run UPDATE=1 cargo test -p sentinel-cli --test rules_fields");
}

#[test]
fn every_form_has_every_field() {
    let all: Value = serde_json::from_str(&fields("json")).unwrap();
    let all = all.as_array().unwrap();
    let (text, markdown) = (fields("text"), fields("markdown"));
    assert_eq!(text.lines().count(), all.len());
    for field in all {
        let name = field["name"].as_str().unwrap();
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}");
        assert!(markdown.contains(&format!("| `{name}` |")), "{name}");
    }
    let name = all.iter().find(|field| field["name"] == "proc.name").unwrap();
    assert_eq!(
        (&name["type"], &name["argument"], &name["list"]),
        (&json!("string"), &json!("none"), &json!(false))
    );
}
