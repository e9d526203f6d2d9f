//! A log, replayed by the program into itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use std::{fs, time::Instant};

use common::{PATIENCE, event, start};
use sentinel_detector::Pace;
use sentinel_wire::{evt1::write_record, v1::EventEnvelope, write_object};

fn log(events: &[EventEnvelope]) -> Vec<u8> {
    let mut log = Vec::new();
    for event in events {
        write_record(&mut log, |out| write_object(event, out)).unwrap();
    }
    log
}

fn written(id: &str, after_ms: u64) -> EventEnvelope {
    let facts = [("filename", "/tmp/a"), ("comm", "tee"), ("pid", "7"), ("tid", "7")];
    let mut event = event(id, "file_write", "n1", &facts);
    event.ts_unix_nano += after_ms * 1_000_000;
    event
}

async fn replayed(pace: Pace, log: &[u8], events: u64) -> std::time::Duration {
    let detector = start("").await;
    let path = detector.directory.path().join("events.bin");
    fs::write(&path, log).unwrap();
    let begun = Instant::now();
    detector.remote.replay(&path, pace).unwrap();
    detector.metric_reaches("sentinel_detector_events_total", events).await;
    let took = begun.elapsed();
    assert_eq!(detector.metric("sentinel_detector_events_total").await, events);
    detector.stop().await;
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_replayed_with_its_time_between_events() {
    let log = log(&[written("a", 0), written("b", 300), written("c", 600)]);
    let took = replayed(Pace::Realtime, &log, 3).await;
    assert!(took.as_millis() >= 600 && took < PATIENCE, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_replayed_at_once_and_damage_costs_itself() {
    let day = 86_400_000;
    let events: Vec<_> = (0..1000).map(|number| written(&number.to_string(), number * day)).collect();
    let mut bytes = log(&events[..500]);
    bytes.extend_from_slice(b"no record at all");
    bytes.extend(log(&events[500..]));
    bytes.truncate(bytes.len() - 3);
    replayed(Pace::Fast, &bytes, 999).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_is_an_error() {
    let detector = start("").await;
    let error = detector.remote.replay("/nonexistent/events.bin".as_ref(), Pace::Fast).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().starts_with("--replay-log: /nonexistent/events.bin: "), "{error}");
}
