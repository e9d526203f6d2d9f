#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{path::Path, sync::Arc};

use rusqlite::Connection;
use sentinel_event::{Alert, Priority, Severity};
use tempfile::TempDir;

use super::*;
use crate::config::{Age, Retention};

mod counts;

fn entry(id: &str, ts_ms: u64) -> Entry {
    with_json(id, ts_ms, r#"{"a": 1}"#.into())
}

/// An alert of about 2 kB.
fn large(id: &str) -> Entry {
    with_json(id, 1000, format!(r#"{{"a": "{}"}}"#, "x".repeat(1800)))
}

fn with_json(id: &str, ts_ms: u64, json: String) -> Entry {
    let alert = Alert {
        id: id.into(),
        time_ns: ts_ms * 1_000_000,
        rule_id: Arc::from("r"),
        rule: Arc::from("R"),
        priority: Priority::Error,
        severity: Severity::High,
        risk_score: 80,
        reason: "why".into(),
        fields: Vec::new(),
        sentinel_json: json.into_bytes(),
        falco_json: Vec::new(),
        text: Vec::new(),
    };
    Entry::new(alert, "n".into()).unwrap()
}

fn traces(ts_ms: i64, touches: usize) -> Traces {
    let process = Process { pid: 7, ts_ms, name: "nc".into(), ..Process::default() };
    let mut traces = Traces { node: "n".into(), processes: vec![process], ..Traces::default() };
    (0..touches).for_each(|n| traces.touch(ts_ms, 7, "file_read", &format!("/{n:0400}")));
    traces
}

fn open(directory: &Path, retention: &Retention) -> (SqliteWriter, SqliteReader) {
    let path = directory.join("deep/below/history.db");
    (SqliteWriter::open(&path, retention).unwrap(), SqliteReader::open(&path).unwrap())
}

fn trim(writer: &mut SqliteWriter, now_ms: i64) {
    while writer.trim(now_ms).unwrap() {}
}

#[test]
fn sequences_rise_and_are_never_used_twice() {
    let directory = TempDir::new().unwrap();
    let retention = Retention { age: Age::days(1), ..Retention::default() };
    let (mut writer, mut reader) = open(directory.path(), &retention);
    let sequences = writer.append(&[entry("a", 1), entry("b", 2), entry("a", 1)], &[], 1).unwrap();
    assert_eq!(sequences, [Some(1), Some(2), None]);
    trim(&mut writer, i64::MAX);
    assert_eq!(reader.after(0, 10).unwrap(), []);
    // One that was there already may leave a gap.
    assert_eq!(reader.size().unwrap().last_seq, 3);
    assert_eq!(writer.append(&[entry("c", 1)], &[], 1).unwrap(), [Some(4)]);
    assert_eq!(
        reader.alert("c").unwrap().unwrap().json,
        r#"{"seq":4,"alert_id":"c","node":"n","a":1,"reason":"why","risk_score":80,"rule":"R","rule_id":"r","severity":"high","timestamp":"1970-01-01T00:00:00.001000000Z"}"#
    );
}

#[test]
fn what_is_too_old_is_forgotten_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let day = 86_400_000i64;
    const YOUNG: i64 = 29 * 86_400_000 + 1000;
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    writer.append(&[entry("old", 7)], &[traces(0, 3)], 0).unwrap();
    // Times of senders do not matter: one whose clock is wrong loses nothing.
    writer.append(&[entry("young", 1)], &[traces(YOUNG, 3)], 29 * day + 1).unwrap();
    trim(&mut writer, 30 * day + 1);
    let left: Vec<u64> = reader.after(0, 10).unwrap().iter().map(|alert| alert.seq).collect();
    assert_eq!(left, [2]);
    assert_eq!(reader.alert("old").unwrap(), None);
    let touches = reader.touches("n", &[7], 0, i64::MAX, 100).unwrap();
    assert!(touches.len() == 3 && touches.iter().all(|touch| touch.ts_ms == YOUNG), "{touches:?}");
    assert_eq!(reader.process("n", 7, i64::MAX).unwrap().unwrap().ts_ms, YOUNG);
    assert_eq!(reader.process("n", 7, day).unwrap(), None);
}

#[test]
fn what_is_too_much_is_forgotten_events_first_and_the_file_shrinks() {
    let directory = TempDir::new().unwrap();
    let retention = Retention { bytes: 16 << 20, ..Retention::default() };
    let (mut writer, mut reader) = open(directory.path(), &retention);
    let alerts: Vec<Entry> = (0..2000).map(|n| large(&n.to_string())).collect();
    writer.append(&alerts, &[], 1).unwrap();
    for _ in 0..60 {
        writer.append(&[], &[traces(1000, 1000)], 1).unwrap();
    }
    assert!(reader.size().unwrap().bytes > 16 << 20);
    trim(&mut writer, 2000);
    assert!(reader.size().unwrap().bytes <= 16 << 20);
    assert_eq!(reader.after(0, 5000).unwrap().len(), 2000);
    let events = reader.touches("n", &[7], 0, i64::MAX, 1).unwrap();
    assert_eq!(events.len(), 1);
    let path = directory.path().join("deep/below/history.db");
    let pragma =
        |name| Connection::open(&path).unwrap().pragma_query_value(None, name, |row| row.get(0)).unwrap();
    let (pages, size): (i64, i64) = (pragma("page_count"), pragma("page_size"));
    assert!(pages * size < 20 << 20, "{pages} pages");

    // Alerts go only when they alone are too many.
    let flood: Vec<Entry> = (0..9000).map(|n| large(&format!("f{n}"))).collect();
    writer.append(&flood, &[], 1).unwrap();
    assert!(reader.size().unwrap().bytes > 16 << 20);
    trim(&mut writer, 2000);
    assert!(reader.size().unwrap().bytes <= 16 << 20);
    assert!(reader.alert("0").unwrap().is_none() && reader.alert("f8999").unwrap().is_some());
}

#[test]
fn a_transaction_that_fails_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    let path = directory.path().join("deep/below/history.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON touches BEGIN SELECT raise(FAIL, 'full'); END")
        .unwrap();
    let error = writer.append(&[entry("a", 1)], &[traces(1, 1)], 1).unwrap_err().to_string();
    assert!(error.contains("full"), "{error}");
    assert_eq!(reader.after(0, 10).unwrap(), []);
    other.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(writer.append(&[entry("a", 1)], &[traces(1, 1)], 1).unwrap(), [Some(1)]);
}

#[test]
fn files_of_others_and_of_newer_versions_are_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x.db");
    let refused = || SqliteWriter::open(&path, &Retention::default()).err().unwrap().to_string();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert!(refused().contains("is the database of another program; set history.path"), "{}", refused());
    other.execute_batch("DROP TABLE theirs").unwrap();
    drop(other);
    SqliteWriter::open(&path, &Retention::default()).unwrap();
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(refused().contains("has version 99, made by a newer"), "{}", refused());
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    writer.append(&[entry("a", 1)], &[], 1).unwrap();
    // A view that never ends in the place of the table.
    let path = directory.path().join("deep/below/history.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "ALTER TABLE alerts RENAME TO real_alerts;
             CREATE VIEW alerts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
             SELECT i AS seq, 'a' AS alert_id, 0 AS ts_ms, 0 AS severity, '' AS rule_id, '' AS rule, '' AS node,
                    '' AS pod, '' AS namespace, '' AS workload FROM n",
        )
        .unwrap();
    let mut count = 0u64;
    let asked = reader.each(0, 1, 1, &mut |_| count += 1);
    assert!(matches!(asked, Err(StoreError::TooLong)), "{asked:?}");
    assert!(count > 0);
}

#[test]
fn a_text_is_found_as_it_stands_in_a_short_time_and_in_a_long_one() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    // More than are put in order by the index of times.
    let many: Vec<Entry> = (0..6000).map(|n| entry(&format!("{n}"), n)).collect();
    let odd = |id: &str, ms| with_json(id, ms, format!(r#"{{"a": "100%_of {id}"}}"#));
    writer.append(&[odd("Early", 3)], &[], 1).unwrap();
    writer.append(&many, &[], 1).unwrap();
    writer.append(&[odd("Late", 5999)], &[], 1).unwrap();
    let mut found = |text: &str, from_ms, to_ms| {
        let filter = Filter { text: Some(text.into()), from_ms, to_ms, limit: 10, ..Filter::default() };
        let ids = reader.alerts(&filter).unwrap().into_iter();
        ids.map(|one| serde_json::from_str::<serde_json::Value>(&one.json).unwrap()["alert_id"].to_string())
            .collect::<Vec<_>>()
    };
    for (from, to) in [(None, None), (Some(0), Some(7000)), (Some(0), None), (None, Some(7000))] {
        assert_eq!(found("100%_OF ", from, to), ["\"Late\"", "\"Early\""], "{from:?} {to:?}");
        assert_eq!(found("1_0%", from, to), Vec::<String>::new());
    }
    assert_eq!(found("100%_of", Some(2), Some(10)), ["\"Early\""]);
    assert_eq!(found("of late", Some(5000), None), ["\"Late\""]);
}

#[test]
fn an_alert_is_counted_where_it_happened() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    let id = "c".repeat(64);
    let places = [
        (
            r#"{"pod": {"name": "web", "namespace": "shop"}, "container": {"name": "c"}}"#.to_owned(),
            "shop/web",
        ),
        (format!(r#"{{"container": {{"name": "db", "id": "{id}"}}, "unit": "docker.service"}}"#), "n:db"),
        (format!(r#"{{"container": {{"name": "", "id": "{id}"}}}}"#), "n:cccccccccccc"),
        (r#"{"container": {"id": "é…"}}"#.to_owned(), "n:é…"),
        (r#"{"container": {"id": ""}, "unit": "ssh.service"}"#.to_owned(), "n:ssh.service"),
        (format!(r#"{{"unit": "{}"}}"#, "u".repeat(600)), "n"),
        ("{}".to_owned(), "n"),
    ];
    for (number, (json, expected)) in places.iter().enumerate() {
        let id = number.to_string();
        writer.append(&[with_json(&id, 1, json.clone())], &[], 1).unwrap();
        let filter = Filter { workload: Some((*expected).into()), limit: 1, ..Filter::default() };
        let found = reader.alerts(&filter).unwrap();
        assert_eq!(found.len(), 1, "{json}");
        assert!(found[0].json.contains(&format!("\"alert_id\":\"{id}\"")), "{json}");
    }
    let mut counted = Vec::new();
    let mut take = |seen: Seen<'_>| {
        if let Seen::One(brief) = seen {
            counted.push(brief.workload.to_owned());
        }
    };
    reader.each(0, 9, 1, &mut take).unwrap();
    assert_eq!(counted.len(), places.len());
}
