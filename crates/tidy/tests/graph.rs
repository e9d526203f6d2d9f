//! The edges between crates. A new edge is a decision: its own commit, with its reason, and a line here.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test program: helpers may fail it

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// Which of our crates each of our crates may use. The design's star: everything points at `event`.
const EDGES: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("probe", &["event"]),
    ("enrich", &["event"]),
    ("rules", &["event"]),
    ("wire", &["event"]),
    ("sink", &["event"]),
    ("identity", &["event"]),
    ("service", &[]),
    ("agent", &["enrich", "event", "identity", "probe", "rules", "service", "sink", "wire"]),
    ("detector", &["event", "rules", "service", "sink", "wire"]),
    ("dashboard", &["service"]),
    ("cli", &["agent", "dashboard", "detector", "event", "probe", "rules", "service", "wire"]),
    ("simulate", &[]),
    ("benches", &[]),
    ("tidy", &[]),
];

/// Packages that only these crates may use: what the others must never know.
const CONFINED: &[(&str, &[&str])] = &[
    ("libbpf-rs", &["benches", "probe"]), // benches: what the kernel counts of each program
    ("libbpf-cargo", &["probe"]),
    ("libbpf-sys", &["probe"]),
    ("bindgen", &["probe"]),
    ("prost", &["detector", "identity", "wire"]),
    ("clap", &["agent", "benches", "cli", "dashboard", "detector", "service", "simulate"]),
    ("anyhow", &["agent", "benches", "cli", "dashboard", "detector", "probe", "simulate"]), // probe: its build script alone
];

/// Crate → names of the packages it uses in shipped code and in build scripts; tests may use anything.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(sentinel_tidy::top())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap();
            let used = used.iter().filter(|used| used["kind"] != "dev");
            let names = used.map(|used| used["name"].as_str().unwrap().to_owned());
            (short(package["name"].as_str().unwrap()), names.collect())
        })
        .collect()
}

fn short(name: &str) -> String {
    name.strip_prefix("sentinel-").unwrap_or(name).to_owned()
}

#[test]
fn crates_use_only_the_crates_they_may() {
    for (name, used) in dependencies() {
        let Some((_, allowed)) = EDGES.iter().find(|(krate, _)| *krate == name) else {
            panic!("crate {name} is new: say in EDGES what it may use");
        };
        for used in used.iter().filter_map(|used| used.strip_prefix("sentinel-")) {
            assert!(allowed.contains(&used), "crate {name} must not use {used} (EDGES in this file)");
        }
    }
}

#[test]
fn packages_stay_where_they_belong() {
    for (name, used) in dependencies() {
        for (package, allowed) in CONFINED {
            assert!(
                allowed.contains(&name.as_str()) || !used.iter().any(|used| used == package),
                "crate {name} must not use {package} (CONFINED in this file)"
            );
        }
    }
}
