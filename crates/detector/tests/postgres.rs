//! Detectors that share a history in a real PostgreSQL server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;
#[path = "postgres/server.rs"]
mod server;

use std::time::{Duration, Instant};

use common::{Feed, Running, alert, event, push, start};
use sentinel_detector::{Config, Detector};
use sentinel_wire::v1::{AlertBatch, EventBatch};
use serde_json::Value;
use server::{PASSWORD, Server};
use tokio_stream::{StreamExt as _, iter};
use tonic::Code;

async fn on(server: &Server) -> Running {
    start(&format!("history: {{postgresUrl: '{}'}}\nengines: []", server.url(PASSWORD, ""))).await
}

/// Why it does not start.
async fn refused(yaml: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("grpc: {{port: 0}}\nhttp: {{port: 0}}\noutputs: {{}}\n{yaml}")
        .replace("DIR", &dir.path().display().to_string());
    let error =
        Detector::start(&Config::parse("test.yaml", &text).unwrap()).await.err().expect("it is refused");
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

fn ids(page: &Value) -> Vec<&str> {
    page["alerts"].as_array().unwrap().iter().map(|alert| alert["alert_id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn detectors_of_one_server_share_one_history_and_one_feed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    // They begin together; one of them makes the tables.
    let (one, other) = tokio::join!(on(&server), on(&server));
    let mut feeds =
        [Feed::open(one.http, "/events", &[]).await, Feed::open(other.http, "/events", &[]).await];
    let (mut first, mut second) = (one.client().await, other.client().await);
    push(&mut first, vec![alert("a", "r", "high", "n", 1), alert("b", "r", "low", "n", 2)]).await;
    push(&mut second, vec![alert("c", "r\0s", "low", "m", 3), alert("a", "r", "high", "n", 1)]).await;
    push(&mut first, vec![alert("d", "r", "high", "n", 4)]).await;
    for feed in &mut feeds {
        let mut came = Vec::new();
        for _ in 0..4 {
            let (seq, alert) = feed.next().await.unwrap();
            came.push((seq, alert["alert_id"].as_str().unwrap().to_owned()));
        }
        assert!(
            came.is_sorted() && came.iter().map(|(_, id)| id.as_str()).eq(["a", "b", "c", "d"]),
            "{came:?}"
        );
    }
    for detector in [&one, &other] {
        let page = detector.json("/api/alerts").await;
        assert_eq!(ids(&page), ["d", "c", "b", "a"]);
        assert_eq!(ids(&detector.json("/api/alerts?severity=high&q=REASON+OF+A").await), ["a"]);
        assert_eq!(ids(&detector.json("/api/alerts?node=m").await), ["c"]);
        assert_eq!(detector.json("/api/stats?from=0&to=1000").await["total"], 4);
    }
    assert_eq!(other.metric("sentinel_detector_alerts_repeated_total").await, 1);
    // Who comes back to another detector goes on where he was.
    let mut again = Feed::open(other.http, "/events", &[("Last-Event-ID", "1")]).await;
    assert_eq!(again.next().await.unwrap().1["alert_id"], "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_was_told_of_processes_another_tells() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let (one, other) = tokio::join!(on(&server), on(&server));
    let now = 1_767_225_600_000;
    let read = |id: &str, file: &str| {
        event(
            id,
            "file_read",
            "n",
            &[("pid", "7"), ("filename", file), ("proc.name", "nc"), ("proc.ppid", "6")],
        )
    };
    let events = vec![read("1", "/etc/shadow"), read("2", "/tmp/\0\u{fffd}"), read("3", "/etc/passwd")];
    let mut acks = one
        .client()
        .await
        .push_events(iter([EventBatch { sequence: 5, events }]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(acks.next().await.unwrap().unwrap().sequence, 5);
    push(&mut other.client().await, vec![alert("a", "r", "high", "n", now)]).await;
    for detector in [&one, &other] {
        let past = detector.json("/api/lineage/a").await.to_string();
        assert!(past.contains("/etc/shadow") && past.contains("/etc/passwd"), "{past}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_take_stays_the_senders() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let detector = on(&server).await;
    let mut client = detector.client().await;
    push(&mut client, vec![alert("a", "r", "high", "n", 1)]).await;
    server.kill();
    let batch = |id: &str| AlertBatch { alerts: vec![alert(id, "r", "high", "n", 1)] };
    let status = client.push_alerts(batch("b")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(!status.message().contains(PASSWORD), "{status}");
    server.again();
    let begun = Instant::now();
    while let Err(status) = client.push_alerts(batch("b")).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ids(&detector.json("/api/alerts").await), ["b", "a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_connect_says_why_and_not_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let stranger = rcgen::generate_simple_self_signed(names).unwrap().cert;
    let ours = dir.path().join("ca.pem");
    let theirs = dir.path().join("stranger.pem");
    std::fs::write(&ours, cert.pem()).unwrap();
    std::fs::write(&theirs, stranger.pem()).unwrap();
    let files = [("ssl_cert_file", cert.pem()), ("ssl_key_file", signing_key.serialize_pem())];
    let server =
        Server::start_with(dir.path(), &files.each_ref().map(|(option, text)| (*option, text.as_str())));

    let with = |password: &str, ca: &std::path::Path| {
        let url = server.url(password, "?sslmode=require");
        format!("history: {{postgresUrl: '{url}', postgresTls: {{ca: {}}}}}", ca.display())
    };
    let running = start(&with(PASSWORD, &ours)).await;
    push(&mut running.client().await, vec![alert("a", "r", "high", "n", 1)]).await;

    for (yaml, expected) in [
        (with("let-me-in", &ours), "password authentication failed"),
        (with(PASSWORD, &theirs), "certificate"),
        (with(PASSWORD, &dir.path().join("none.pem")), "none.pem"),
    ] {
        let said = refused(&yaml).await;
        assert!(said.contains(expected) && said.contains("postgresql://localhost:"), "{said}");
        assert!(!said.contains(PASSWORD) && !said.contains("let-me-in"), "{said}");
    }
}
