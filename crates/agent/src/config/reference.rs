//! `docs/reference/config.md`, written from the structs.

use std::fmt::{self, Write as _};

use serde_yaml::Value;

use super::{Capture, Config, Detection, Grpc, Health, Metrics, Stream, StreamFile, Tls};

const INTRODUCTION: &str = "# Configuration of the agent

Generated from `crates/agent/src/config.rs` by `UPDATE=1 cargo test -p sentinel-agent`; do not edit.

One YAML file, `/etc/sentinel-ebpf/agent-config.yaml` unless `--config` names another. Every key has a default, so an
empty file is valid, and so is none at the default path. `sentinel-agent --check-config` checks it. What is wrong
is refused at the start, with file, key, value and remedy, and exit code 2.

| key | default | meaning |
|---|---|---|
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] = &[
    ("", Config::DOCS),
    ("detection", Detection::DOCS),
    ("stream", Stream::DOCS),
    ("stream.file", StreamFile::DOCS),
    ("grpc", Grpc::DOCS),
    ("grpc.tls", Tls::DOCS),
    ("capture", Capture::DOCS),
    ("health", Health::DOCS),
    ("metrics", Metrics::DOCS),
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
        let default = match value {
            Value::Mapping(_) => String::new(),
            Value::Null => "absent".into(),
            other => format!("`{}`", serde_yaml::to_string(other).map_err(|_| fmt::Error)?.trim()),
        };
        writeln!(text, "| `{path}` | {default} | {} |", doc.trim())?;
        if value.is_mapping() {
            section(text, &path, value)?;
        }
    }
    Ok(())
}
