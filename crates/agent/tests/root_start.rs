//! Starting in the middle of a flood: from the first program that is told of on, none is missing. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use harness::{Agent, poll};
use serde_json::Value;

const FORWARD: &str = "rules:
  - {name: programs, event: exec, match: {comms: [\"true\"]}}
  - {name: reads, event: file_read, match: {pathPrefixes: [/nowhere]}}
";

/// The number of a program of ours.
fn number(event: &Value) -> Option<u64> {
    event["data"]["argv"].as_str()?.split_once("sentinel-flood-")?.1.parse().ok()
}

#[test]
fn no_program_is_missed_from_the_first_one_on_and_no_flood_of_reads_pushes_one_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("read");
    fs::write(&file, "x").unwrap();
    let (started, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let programs = {
        let (started, stop) = (Arc::clone(&started), Arc::clone(&stop));
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let number = started.load(Ordering::Relaxed);
                // By its path: a search would fail a dozen times for each start.
                let argument = format!("sentinel-flood-{number}");
                assert!(Command::new("/bin/true").arg(argument).status().unwrap().success());
                started.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let reads = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                fs::read(&file).unwrap();
            }
        })
    };
    // The ring of the defaults: a flood fills it within a moment, and what is kept of it for programs lasts as long as a
    // reader may wait for a processor on a busy machine.
    let config = "detection: {rules: []}\nstream: {mode: stdout}";
    let (agent, lines) = Agent::start(dir.path(), config, FORWARD);
    let ready = started.load(Ordering::Relaxed);
    poll(|| (started.load(Ordering::Relaxed) > ready + 20).then_some(()), || "no programs start".into());
    stop.store(true, Ordering::Relaxed);
    programs.join().unwrap();
    reads.join().unwrap();
    let last = started.load(Ordering::Relaxed) - 1;
    let mut seen = BTreeSet::new();
    poll(
        || {
            let events = lines.try_iter().filter_map(|line| serde_json::from_str(&line).ok());
            seen.extend(events.filter_map(|event: Value| number(&event)));
            seen.contains(&last).then_some(())
        },
        || format!("the last program, {last}, was not told of; the log: {}", agent.log()),
    );
    let first = *seen.first().unwrap();
    assert!(first < ready, "what started before we were ready is told of, too: {first}, {ready}");
    let missing: Vec<_> = (first..=last).filter(|number| !seen.contains(number)).collect();
    let metrics = agent.get("metrics", "/metrics");
    let lost: Vec<_> =
        metrics.lines().filter(|line| line.contains("lost_total") && line.contains("exec")).collect();
    assert!(missing.is_empty(), "of {first} to {last}: {missing:?}; {lost:?}");
    agent.stop();
}
