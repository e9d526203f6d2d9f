//! `docs/reference/dashboard-config.md`, written from the structs.

use std::fmt::{self, Write as _};

use serde_yaml::Value;

use super::{Access, Config, Detector, Http};

const INTRODUCTION: &str = "# Configuration of the dashboard

Generated from `crates/dashboard/src/config.rs` by `UPDATE=1 cargo test -p sentinel-dashboard`; do not edit.

One YAML file, `/etc/sentinel-ebpf/dashboard-config.yaml` unless `--config` names another. Every key has a default, so
an empty file is valid, and so is none at the default path. `sentinel-dashboard --check-config` checks it. What is
wrong is refused at the start, with key, value and remedy, and exit code 2.

| key | default | meaning |
|---|---|---|
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] =
    &[("", Config::DOCS), ("http", Http::DOCS), ("detectors[]", Detector::DOCS), ("access", Access::DOCS)];

/// The text of the reference, Markdown.
///
/// # Errors
/// A section without documentation.
pub fn reference() -> Result<String, fmt::Error> {
    let mut text = String::from(INTRODUCTION);
    let defaults = serde_yaml::to_value(Config::default()).map_err(|_| fmt::Error)?;
    section(&mut text, "", &defaults)?;
    Ok(text)
}

fn section(text: &mut String, place: &str, values: &Value) -> fmt::Result {
    let docs = SECTIONS.iter().find(|(name, _)| *name == place).map(|(_, docs)| *docs).ok_or(fmt::Error)?;
    let keys = values.as_mapping().ok_or(fmt::Error)?;
    for ((key, value), doc) in keys.iter().zip(docs) {
        let key = key.as_str().ok_or(fmt::Error)?;
        let path = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        let inner = value.as_sequence().and_then(|list| list.first()).filter(|first| first.is_mapping());
        let default = match value {
            Value::Mapping(_) => String::new(),
            Value::Null => "absent".into(),
            Value::Sequence(list) if inner.is_none() => format!("`{}`", inline(list)),
            Value::Sequence(_) => String::new(),
            other => format!("`{}`", serde_yaml::to_string(other).map_err(|_| fmt::Error)?.trim()),
        };
        writeln!(text, "| `{path}` | {default} | {} |", doc.trim())?;
        if let Some(inner) = inner {
            section(text, &format!("{path}[]"), inner)?;
        } else if value.is_mapping() {
            section(text, &path, value)?;
        }
    }
    Ok(())
}

fn inline(list: &[Value]) -> String {
    let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    format!("[{}]", words.join(", "))
}
