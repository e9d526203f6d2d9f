//! `docs/reference/detector-config.md`, written from the structs.

use std::fmt::{self, Write as _};

use sentinel_sink::{KEYS, OutputsConfig};
use serde_yaml::Value;

use super::{Baseline, ClientTls, Config, External, Grpc, History, Http, Retention, Tls};

const INTRODUCTION: &str = "# Configuration of the detector

Generated from `crates/detector/src/config.rs` by `UPDATE=1 cargo test -p sentinel-detector`; do not edit.

One YAML file, `/etc/sentinel-ebpf/detector-config.yaml` unless `--config` names another. Every key has a default, so
an empty file is valid, and so is none at the default path. `sentinel-detector --check-config` checks it. What is
wrong is refused at the start, with file, key, value and remedy, and exit code 2.

| key | default | meaning |
|---|---|---|
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] = &[
    ("", Config::DOCS),
    ("grpc", Grpc::DOCS),
    ("grpc.tls", Tls::DOCS),
    ("http", Http::DOCS),
    ("baseline", Baseline::DOCS),
    ("external", External::DOCS),
    ("external.tls", ClientTls::DOCS),
    ("history", History::DOCS),
    ("history.retention", Retention::DOCS),
];

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
        writeln!(text, "| `{path}` | {} | {} |", shown(value)?, doc.trim())?;
        if path == OUTPUTS {
            outputs(text)?;
        } else if value.is_mapping() {
            section(text, &path, value)?;
        }
    }
    Ok(())
}

/// Where the section is that another crate documents.
const OUTPUTS: &str = "outputs";

/// The outputs, each as it is when it is named without keys.
fn outputs(text: &mut String) -> fmt::Result {
    let all = OutputsConfig {
        stdout: Some(Default::default()),
        file: Some(Default::default()),
        http: Some(Default::default()),
        syslog: Some(Default::default()),
        journald: Some(Default::default()),
    };
    let all = serde_yaml::to_value(all).map_err(|_| fmt::Error)?;
    for (key, _, meaning) in KEYS {
        let value = key.split('.').try_fold(&all, |value, key| value.get(key));
        let default = shown(value.unwrap_or(&Value::Null))?;
        writeln!(text, "| `{OUTPUTS}.{key}` | {default} | {} |", meaning.trim())?;
    }
    Ok(())
}

/// A default as the table has it.
fn shown(value: &Value) -> Result<String, fmt::Error> {
    Ok(match value {
        Value::Mapping(keys) if !keys.is_empty() => String::new(),
        Value::Null => "absent".into(),
        Value::Sequence(items) => {
            format!("`[{}]`", items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        other => format!("`{}`", serde_yaml::to_string(other).map_err(|_| fmt::Error)?.trim()),
    })
}
