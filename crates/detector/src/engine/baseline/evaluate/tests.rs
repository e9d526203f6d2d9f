#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write as _;

use sentinel_wire::{v1::EventEnvelope, write_object};

use super::*;

const SECOND: u64 = 1_000_000_000;

fn event(at: u64, kind: &str, pid: u64, ppid: u64, exe: &str, command: &str, file: &str) -> EventEnvelope {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    EventEnvelope {
        event_id: format!("e{at}"),
        ts_unix_nano: at * SECOND,
        event_type: kind.into(),
        data: map(&[("pid", &pid.to_string()), ("filename", file), ("exe", exe), ("child_pid", "9001")]),
        attributes: map(&[
            ("proc.exepath", exe),
            ("proc.cmdline", command),
            ("proc.ppid", &ppid.to_string()),
            ("proc.pexepath", "/usr/bin/bash"),
            ("proc.pid.ts", &pid.to_string()),
        ]),
        ..EventEnvelope::default()
    }
}

fn log(events: &[EventEnvelope]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.bin");
    let mut bytes = Vec::new();
    for event in events {
        sentinel_wire::evt1::write_record(&mut bytes, |out| write_object(event, out)).unwrap();
    }
    File::create(&path).unwrap().write_all(&bytes).unwrap();
    (directory, path)
}

/// A thousand processes that read pages, and a simulator that reads one in the first half and a secret in the second.
fn recording() -> Vec<EventEnvelope> {
    let page =
        |at: u64| event(at, "file_read", 100 + at, 1, "/usr/bin/web", "web", &format!("/srv/www/{at}"));
    let mut events: Vec<_> = (1..=1000).map(page).collect();
    let simulated = |at: u64, what: &str, file: &str| {
        vec![
            event(at, "exec", 9000, 1, "/x/sentinel-simulate", &format!("sentinel-simulate run {what}"), ""),
            event(at, "fork", 9000, 1, "/x/sentinel-simulate", &format!("sentinel-simulate run {what}"), ""),
            event(at, "file_read", 9001, 9000, "/usr/bin/web", "web", file),
        ]
    };
    events.splice(300..300, simulated(300, "secret --benign", "/srv/www/300"));
    events.splice(900..900, simulated(898, "secret", "/etc/shadow"));
    events
}

#[test]
fn an_attack_is_told_from_harmless_windows_and_its_reason_is_given() {
    let (_directory, path) = log(&recording());
    let evaluation = evaluate(std::slice::from_ref(&path), 0.5, 0.3, true).unwrap();
    assert_eq!(evaluation.attacks.len(), 1);
    assert_eq!(evaluation.attacks[0].name, "secret");
    assert!(evaluation.attacks[0].reason.contains("/etc"), "{evaluation}");
    assert!(evaluation.roc_auc > 0.99, "{evaluation}");
    assert_eq!((evaluation.attacks_found, evaluation.false_alarms.len()), (1, 0), "{evaluation}");
    assert!(evaluation.learned_events > 450 && evaluation.judged_events > 450, "{evaluation}");
    assert!(evaluation.to_string().contains("attacks found  1 of 1"), "{evaluation}");
    // The twin is passed over.
    let without = evaluate(&[path], 0.5, 0.3, false).unwrap();
    assert_eq!(without.learned_events + 3, evaluation.learned_events);
}

#[test]
fn without_an_attack_there_is_nothing_to_tell() {
    let harmless: Vec<_> = recording().into_iter().take(290).collect();
    let (_directory, path) = log(&harmless);
    assert_eq!(evaluate(&[path], 0.5, 0.3, true).unwrap_err().kind(), io::ErrorKind::InvalidData);
    let missing = evaluate(&["/nowhere/x".into()], 0.5, 0.3, true).unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere/x: "), "{missing}");
}

#[test]
fn the_area_counts_pairs() {
    let attacks = [1.0, 3.0].map(|bits| Told { bits, ..Told::default() });
    assert!((auc(&attacks, &[0.0, 2.0, 3.0]) - (1.0 + 2.5) / 6.0).abs() < 1e-9);
}
