//! `docs/reference/config.md`, written from the structs.

use std::fmt;

use sentinel_service::Reference;

use super::{
    Capture, Config, Detection, Enrichment, Grpc, GrpcSpool, Health, Metrics, Nats, NatsSpool, NatsTls,
    Stream, StreamFile, Tls,
};

const INTRODUCTION: &str = "# Configuration of the agent

Generated from `crates/agent/src/config.rs` by `UPDATE=1 cargo test -p sentinel-agent`; do not edit.

One YAML file, `/etc/sentinel-ebpf/agent-config.yaml` unless `--config` names another. Every key has a default, so an
empty file is valid, and so is none at the default path. `sentinel-agent --check-config` checks it. What is wrong
is refused at the start, with file, key, value and remedy, and exit code 2.
";

/// Documentation of each section, by its place.
const SECTIONS: &[(&str, &[&str])] = &[
    ("", Config::DOCS),
    ("detection", Detection::DOCS),
    ("stream", Stream::DOCS),
    ("stream.file", StreamFile::DOCS),
    ("grpc", Grpc::DOCS),
    ("grpc.tls", Tls::DOCS),
    ("grpc.spool", GrpcSpool::DOCS),
    ("nats", Nats::DOCS),
    ("nats.tls", NatsTls::DOCS),
    ("nats.spool", NatsSpool::DOCS),
    ("capture", Capture::DOCS),
    ("enrichment", Enrichment::DOCS),
    ("health", Health::DOCS),
    ("metrics", Metrics::DOCS),
];

/// The text of the reference, Markdown.
///
/// # Errors
/// A section without documentation.
pub fn reference() -> Result<String, fmt::Error> {
    let foreign = Some(("detection.outputs", &*sentinel_sink::documented()));
    Reference { introduction: INTRODUCTION, sections: SECTIONS, foreign }.write(&Config::default())
}
