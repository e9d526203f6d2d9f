//! `docs/reference/dashboard-config.md`, written from the structs.

use std::fmt;

use sentinel_service::Reference;

use super::{Access, Config, Detector, Http};

const INTRODUCTION: &str = "# Configuration of the dashboard

Generated from `crates/dashboard/src/config.rs` by `UPDATE=1 cargo test -p sentinel-dashboard`; do not edit.

One YAML file, `/etc/sentinel-ebpf/dashboard-config.yaml` unless `--config` names another. Every key has a default, so
an empty file is valid, and so is none at the default path. `sentinel-dashboard --check-config` checks it. What is
wrong is refused at the start, with key, value and remedy, and exit code 2.
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] =
    &[("", Config::DOCS), ("http", Http::DOCS), ("detectors[]", Detector::DOCS), ("access", Access::DOCS)];

/// The text of the reference, Markdown.
///
/// # Errors
/// A section without documentation.
pub fn reference() -> Result<String, fmt::Error> {
    let foreign = None;
    Reference { introduction: INTRODUCTION, sections: SECTIONS, foreign }.write(&Config::default())
}
