//! `sentinel replay`, as people call it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

#[path = "../../agent/tests/common/detector.rs"]
mod detector;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use detector::{Detector, free_port};
use sentinel_wire::{evt1::write_record, v1::EventEnvelope, write_object};

/// Of the first event, milliseconds since the Unix epoch.
const FIRST_MS: u64 = 1_767_225_600_000;

/// Files of these names, written one every so many milliseconds.
fn log(dir: &Path, names: &[String], every_ms: u64) -> PathBuf {
    let mut log = Vec::new();
    for (at, name) in (0..).zip(names) {
        let data = [("filename", name.as_str()), ("comm", "tee")];
        let event = EventEnvelope {
            event_id: format!("id of {name}"),
            event_type: "file_write".into(),
            ts_unix_nano: (FIRST_MS + at * every_ms) * 1_000_000,
            data: data.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..EventEnvelope::default()
        };
        write_record(&mut log, |out| write_object(&event, out)).unwrap();
    }
    let path = dir.join("events.bin");
    std::fs::write(&path, log).unwrap();
    path
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}")).collect()
}

fn replay(log: &Path, port: u16, options: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sentinel"))
        .arg("replay")
        .arg(log)
        .args(["--target", &format!("127.0.0.1:{port}")])
        .args(options)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn ended(child: Child) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_log_arrives_whole_and_in_order_at_detectors_of_both_contracts() {
    let dir = tempfile::tempdir().unwrap();
    let mut names = names(3000);
    names.push("/anomaly".into());
    let log = log(dir.path(), &names, 60_000);
    for old in [false, true] {
        let detector = Detector::start(0, old);
        let (code, told) = ended(replay(&log, detector.port, &["--pace", "fast"]));
        assert_eq!(code, Some(0), "{told}");
        assert!(told.starts_with("3001 events arrived in ") && told.contains("/s), 1 anomalies"), "{told}");
        assert!(detector.names() == names, "old: {old}: {} arrived", detector.names().len());
        detector.stop();
    }
}

#[test]
fn time_and_condition_choose() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &names(100), 1000);
    let detector = Detector::start(0, false);
    let (from, to) = ((FIRST_MS + 9000).to_string(), (FIRST_MS + 20_000).to_string());
    let options =
        ["--pace", "fast", "--start-ms", &from, "--end-ms", &to, "--filter", "fd.name startswith /1"];
    let (code, told) = ended(replay(&log, detector.port, &options));
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(detector.names(), (10..20).map(|number| format!("/{number}")).collect::<Vec<_>>());
    detector.stop();
}

#[test]
fn realtime_keeps_the_time_between_events() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &names(11), 50);
    let detector = Detector::start(0, false);
    let begun = Instant::now();
    let child = replay(&log, detector.port, &[]);
    until("the first arrives", || !detector.names().is_empty());
    // The last is half a second away.
    assert!(detector.names().len() < 11 || begun.elapsed() >= Duration::from_millis(500));
    let (code, told) = ended(child);
    assert!(begun.elapsed() >= Duration::from_millis(500) && code == Some(0), "{told}");
    assert!(told.contains("late by at most "), "{told}");
    assert_eq!(detector.names().len(), 11);
    detector.stop();
}

#[test]
fn a_detector_that_comes_back_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(400);
    let log = log(dir.path(), &names, 3);
    let detector = Detector::start(0, false);
    let port = detector.port;
    let child = replay(&log, port, &[]);
    until("it has begun", || !detector.names().is_empty());
    let mut arrived: BTreeSet<String> = detector.names().into_iter().collect();
    arrived.extend(detector.end());
    let detector = Detector::start(port, false);
    let (code, told) = ended(child);
    assert_eq!(code, Some(0), "{told}");
    arrived.extend(detector.names());
    assert_eq!(arrived, names.into_iter().collect::<BTreeSet<_>>());
    detector.stop();
}

#[test]
fn a_loop_goes_on_until_it_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &names(10), 60_000);
    let detector = Detector::start(0, false);
    let mut child = replay(&log, detector.port, &["--pace", "fast", "--loop"]);
    until("it begins again", || detector.names().len() > 30);
    child.kill().unwrap();
    child.wait().unwrap();
    detector.stop();
}

#[test]
fn what_is_wrong_is_told_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &names(2), 1);
    let bytes = std::fs::read(&log).unwrap();
    let torn = dir.path().join("torn");
    std::fs::write(&torn, &bytes[..bytes.len() - 1]).unwrap();
    let detector = Detector::start(0, false);
    let there = detector.port;
    let missing = dir.path().join("missing");
    for (log, port, options, code, said) in [
        (&log, free_port(), &["--pace", "fast"][..], 1, "is sentinel-detector running there?"),
        (&missing, there, &[], 1, "stream: {mode: file}"),
        (&log, there, &["--filter", "fd.nam = x"], 2, "fd.nam"),
        (&log, there, &["--pace", "slow"], 2, "realtime"),
        (&log, there, &["--cert", "x"], 2, "--key"),
        (&torn, there, &["--pace", "fast"], 1, "warning: torn: the log ends inside a record"),
    ] {
        let (status, told) = ended(replay(log, port, options));
        assert!(status == Some(code) && told.contains(said), "{options:?}: {status:?}: {told}");
    }
    assert_eq!(detector.names(), ["/0"]);
    detector.stop();
}
