#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use sentinel_event::{Alert, Priority, Severity};
use tempfile::TempDir;

use super::*;
use crate::{
    config::{Age, PostgresUrl, Retention},
    store::{Entry, Filter, Process, Reader as _, Seen, StoreError, Traces, Writer as _},
};

#[path = "../../../tests/postgres/server.rs"]
mod database;

const DAY: i64 = 86_400_000;

fn entry(id: &str, length: usize) -> Entry {
    let alert = Alert {
        id: id.into(),
        time_ns: 1_000_000,
        rule_id: Arc::from("r"),
        rule: Arc::from("R"),
        priority: Priority::Error,
        severity: Severity::High,
        risk_score: 80,
        reason: "why".into(),
        fields: Vec::new(),
        sentinel_json: format!(r#"{{"a": "{}"}}"#, "x".repeat(length)).into_bytes(),
        falco_json: Vec::new(),
        text: Vec::new(),
    };
    Entry::new(alert, "n\0".into()).unwrap()
}

fn traces(ts_ms: i64, touches: usize) -> Traces {
    let process = Process { pid: 7, ppid: 6, ts_ms, name: "n\0c".into(), ..Process::default() };
    let mut traces = Traces { node: "n\0".into(), processes: vec![process], ..Traces::default() };
    (0..touches).for_each(|n| traces.touch(ts_ms, 7, "file_read", &format!("/{n:0400}")));
    traces
}

/// A server, and the ways in and out, on a thread that may block.
fn with_server(test: impl FnOnce(&Server, &database::Server)) {
    let directory = TempDir::new().unwrap();
    let database = database::Server::start(directory.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url: PostgresUrl = serde_yaml::from_str(&database.url(database::PASSWORD, "")).unwrap();
    let tls = crate::config::ClientTls::default().files();
    test(&Server::new(&url, tls, runtime.handle().clone()), &database);
}

fn trim(writer: &mut PostgresWriter, now_ms: i64) {
    while writer.trim(now_ms).unwrap() {}
}

#[test]
fn a_server_keeps_what_a_file_keeps() {
    with_server(|server, _| {
        let retention = Retention { age: Age::days(30), ..Retention::default() };
        let mut writer = PostgresWriter::open(server, &retention).unwrap();
        let mut reader = PostgresReader::open(server).unwrap();
        assert_eq!((reader.size().unwrap().last_seq, reader.after(0, 10).unwrap()), (0, vec![]));
        let alerts = [entry("a", 1), entry("b\0", 1), entry("a", 1)];
        let sequences = writer.append(&alerts, &[traces(5, 3)], 0).unwrap();
        assert_eq!(sequences, [Some(1), Some(2), None]);
        let found = reader.after(0, 10).unwrap();
        assert_eq!(
            found.iter().map(|alert| (alert.seq, alert.node.as_str())).collect::<Vec<_>>(),
            [(1, "n\u{fffd}"), (2, "n\u{fffd}")]
        );
        assert!(found[0].json.starts_with(r#"{"seq":1,"alert_id":"a","#), "{found:?}");
        assert_eq!(reader.alert("b\0").unwrap().unwrap().seq, 2);
        assert_eq!(reader.alert("c").unwrap(), None);
        let filter = Filter { text: Some("\"RULE\":\"r\"".into()), limit: 9, ..Filter::default() };
        assert_eq!(reader.alerts(&filter).unwrap().len(), 2);
        let mut briefs = 0;
        reader
            .each(0, 10, 1, &mut |seen| {
                briefs += usize::from(
                    matches!(seen, Seen::One(brief) if brief.rule_id == "r" && brief.severity == 3),
                )
            })
            .unwrap();
        assert_eq!(briefs, 2);

        let process = reader.process("n\0", 7, 5).unwrap().unwrap();
        assert_eq!((process.ppid, process.name.as_str()), (6, "n\u{fffd}c"));
        assert_eq!(reader.process("n\0", 7, 4).unwrap(), None);
        assert_eq!(reader.children("n\0", 6, 0, 9, 5).unwrap(), [process]);
        assert_eq!(reader.touches("n\0", &[7], 0, 9, 2).unwrap().len(), 2);

        // Of what came long ago nothing is left; its sequences are not given away again.
        writer.append(&[entry("young", 1)], &[traces(9, 3)], 30 * DAY).unwrap();
        trim(&mut writer, 30 * DAY + 1);
        let left: Vec<u64> = reader.after(0, 10).unwrap().iter().map(|alert| alert.seq).collect();
        assert_eq!((left.len(), reader.process("n\0", 7, 5).unwrap()), (1, None));
        let touches = reader.touches("n\0", &[7], 0, i64::MAX, 100).unwrap();
        assert!(touches.len() == 3 && touches.iter().all(|touch| touch.ts_ms == 9), "{touches:?}");
        trim(&mut writer, i64::MAX);
        let size = reader.size().unwrap();
        assert_eq!(
            (size.bytes, Some(&size.last_seq)),
            (0, left.last()),
            "nothing is left, and nothing is counted"
        );
    });
}

#[test]
fn what_is_too_much_is_forgotten_events_first() {
    with_server(|server, _| {
        let retention = Retention { bytes: 16 << 20, ..Retention::default() };
        let mut writer = PostgresWriter::open(server, &retention).unwrap();
        let mut reader = PostgresReader::open(server).unwrap();
        let alerts: Vec<Entry> = (0..2000).map(|n| entry(&n.to_string(), 1800)).collect();
        writer.append(&alerts, &[], 1).unwrap();
        (0..60).for_each(|_| drop(writer.append(&[], &[traces(1000, 1000)], 1).unwrap()));
        assert!(reader.size().unwrap().bytes > 16 << 20);
        trim(&mut writer, 2000);
        let size = reader.size().unwrap().bytes;
        assert!((4 << 20..=16 << 20).contains(&size), "{size}");
        assert_eq!(reader.after(0, 5000).unwrap().len(), 2000);
        // Alerts go only when they alone are too many.
        let flood: Vec<Entry> = (0..9000).map(|n| entry(&format!("f{n}"), 1800)).collect();
        writer.append(&flood, &[], 1).unwrap();
        trim(&mut writer, 2000);
        assert!(reader.size().unwrap().bytes <= 16 << 20);
        assert!(reader.alert("0").unwrap().is_none() && reader.alert("f8999").unwrap().is_some());
    });
}

#[test]
fn newer_databases_are_left_alone_and_slow_questions_given_up() {
    with_server(|server, database| {
        let open = || PostgresWriter::open(server, &Retention::default());
        let mut writer = open().unwrap();
        writer.append(&[entry("a", 1)], &[], 1).unwrap();
        // A view that takes its time, in the place of the table.
        let mut session = server.connect(std::time::Duration::from_secs(5)).unwrap();
        let mut run = |sql: &str| session.wait(async |client| client.batch_execute(sql).await).unwrap();
        run(
            "ALTER TABLE alerts RENAME TO kept; CREATE VIEW alerts AS SELECT * FROM kept WHERE pg_sleep(60) IS NOT NULL",
        );
        let mut reader = PostgresReader::open(server).unwrap();
        let asked = reader.each(0, i64::MAX, 1, &mut |_| {});
        assert!(matches!(asked, Err(StoreError::TooLong)), "{asked:?}");
        run("DROP VIEW alerts; ALTER TABLE kept RENAME TO alerts; UPDATE version SET version = 99");
        let said = open().err().unwrap().to_string();
        assert!(said.contains("has version 99, made by a newer") && said.contains("localhost"), "{said}");
        assert!(!said.contains(database::PASSWORD) && !server.to_string().contains("sentinel:"), "{said}");
        let _ = database.port;
    });
}
