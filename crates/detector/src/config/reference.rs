//! `docs/reference/detector-config.md`, written from the structs.

use std::fmt;

use sentinel_service::Reference;

use super::{Baseline, ClientTls, Config, External, Grpc, History, Http, Nats, NatsTls, Retention, Tls};

const INTRODUCTION: &str = "# Configuration of the detector

Generated from `crates/detector/src/config.rs` by `UPDATE=1 cargo test -p sentinel-detector`; do not edit.

One YAML file, `/etc/sentinel-ebpf/detector-config.yaml` unless `--config` names another. Every key has a default, so
an empty file is valid, and so is none at the default path. `sentinel-detector --check-config` checks it. What is
wrong is refused at the start, with file, key, value and remedy, and exit code 2.
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] = &[
    ("", Config::DOCS),
    ("grpc", Grpc::DOCS),
    ("grpc.tls", Tls::DOCS),
    ("nats", Nats::DOCS),
    ("nats.tls", NatsTls::DOCS),
    ("http", Http::DOCS),
    ("baseline", Baseline::DOCS),
    ("external", External::DOCS),
    ("external.tls", ClientTls::DOCS),
    ("history", History::DOCS),
    ("history.postgresTls", ClientTls::DOCS),
    ("history.retention", Retention::DOCS),
];

/// The text of the reference, Markdown.
///
/// # Errors
/// A section without documentation.
pub fn reference() -> Result<String, fmt::Error> {
    let foreign = Some(("outputs", &*sentinel_sink::documented()));
    Reference { introduction: INTRODUCTION, sections: SECTIONS, foreign }.write(&Config::default())
}
