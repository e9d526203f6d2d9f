//! Engines at work: over the wire, in a chain, and one that somebody wrote in Python.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;
#[path = "engines/python.rs"]
mod python;

use std::fs;

use common::{Feed, Running, event, start};
use python::Python;
use sentinel_wire::v1::{BatchAck, EventBatch, EventEnvelope};
use tempfile::TempDir;
use tokio_stream::{StreamExt as _, iter};

/// A detector with one rule: nobody writes below /etc.
async fn with_rule(more: &str) -> Running {
    let directory = TempDir::new().unwrap();
    let rule = "- rule: Write below etc\n  desc: x\n  condition: evt.type = write and fd.name startswith /etc/\n  \
                output: File below etc written (file=%fd.name)\n  priority: ERROR\n";
    fs::write(directory.path().join("r.yaml"), rule).unwrap();
    common::start_in(directory, &format!("rules: [DIR/r.yaml]\n{more}")).await
}

fn written(id: &str, path: &str) -> EventEnvelope {
    event(
        id,
        "file_write",
        "n1",
        &[("filename", path), ("bytes", "5"), ("comm", "tee"), ("pid", "7"), ("tid", "7")],
    )
}

fn read(id: &str, path: &str, comm: &str) -> EventEnvelope {
    event(id, "file_read", "n1", &[("filename", path), ("comm", comm), ("pid", "8")])
}

async fn pushed(detector: &Running, events: Vec<EventEnvelope>) -> BatchAck {
    let batch = EventBatch { sequence: 1, events };
    let mut acks = detector.client().await.push_events(iter([batch])).await.unwrap().into_inner();
    acks.next().await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_no_node_judged_is_an_alert_and_one_that_was_judged_is_not() {
    let detector = with_rule("").await;
    let mut feed = Feed::open(detector.http, "/events", &[]).await;
    let mut judged = written("e3", "/etc/hosts");
    judged.attributes.insert("sentinel.rules".into(), "1".into());
    let events = vec![written("e1", "/tmp/x"), written("e2", "/etc/hosts"), judged];
    let ack = pushed(&detector, events.clone()).await;
    assert_eq!(ack.anomalies.len(), 1);
    let anomaly = &ack.anomalies[0];
    assert_eq!((anomaly.event_id.as_str(), anomaly.anomaly, anomaly.score), ("e2", true, 0.8));
    assert_eq!(anomaly.reason, "Write below etc: File below etc written (file=/etc/hosts)");
    let (_, alert) = feed.next().await.unwrap();
    assert_eq!(
        (&alert["rule_id"], &alert["severity"], &alert["node"]),
        (&"write_below_etc".into(), &"high".into(), &"n1".into())
    );
    // The node makes an alert of our answer under the event's identity: it is the same.
    assert_eq!(alert["alert_id"], "e2");

    // Sent again, because the acknowledgement was lost: judged again, told once.
    assert_eq!(pushed(&detector, events).await.anomalies.len(), 1);
    assert_eq!(detector.json("/api/alerts").await["alerts"].as_array().unwrap().len(), 1);

    // The old call hears of it too, event by event.
    let events = vec![written("e4", "/etc/passwd"), written("e5", "/tmp/x")];
    let answers = detector.client().await.stream_events(iter(events)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap()).collect().await;
    assert_eq!(answers.iter().map(|answer| answer.anomaly).collect::<Vec<_>>(), [true, false]);
    let rules = detector.json("/api/rules").await;
    assert_eq!(rules["rules"][0]["hits"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_detectors_judges_as_its_last_one() {
    let last = with_rule("").await;
    let first =
        start(&format!("engines: [external, pass-through]\nexternal: {{endpoint: 'http://{}'}}", last.grpc))
            .await;
    let ack = pushed(&first, vec![written("e1", "/tmp/x"), written("e2", "/etc/hosts")]).await;
    assert_eq!(ack.anomalies.len(), 1);
    assert!(ack.anomalies[0].reason.starts_with("Write below etc"), "{ack:?}");
    let alerts = first.json("/api/alerts").await;
    let alert = &alerts["alerts"][0];
    assert_eq!((&alert["rule_id"], &alert["alert_id"]), (&"anomaly".into(), &"e2".into()));
    assert_eq!(alert["event"]["Filename"], "/etc/hosts");
    assert_eq!(alert["tags"], serde_json::json!(["anomaly", "external"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_detector_that_is_away_holds_up_nothing() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let detector = with_rule(&format!(
        "engines: [external, rules]\nexternal: {{endpoint: 'http://{nobody}', timeoutMs: 200}}"
    ))
    .await;
    for _ in 0..5 {
        assert_eq!(pushed(&detector, vec![written("e2", "/etc/hosts")]).await.anomalies.len(), 1);
    }
    assert_eq!(detector.metric("sentinel_detector_external_unasked_total").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_python_is_a_detector() {
    let directory = TempDir::new().unwrap();
    let (python, port) = Python::start(directory.path());
    let detector = start(&format!(
        "engines: [external]\nexternal: {{endpoint: 'http://127.0.0.1:{port}', timeoutMs: 20000}}"
    ))
    .await;
    let events = vec![
        read("e1", "/etc/shadow", "cat"),
        read("e2", "/etc/shadow", "sshd"),
        read("e3", "/etc/hosts", "cat"),
    ];
    let ack = pushed(&detector, events).await;
    assert_eq!(ack.anomalies.len(), 1, "{ack:?}");
    assert_eq!((ack.anomalies[0].event_id.as_str(), ack.anomalies[0].score), ("e1", 0.9));
    assert_eq!(ack.anomalies[0].reason, "cat touches /etc/shadow");
    let alerts = detector.json("/api/alerts?rule=anomaly").await;
    assert_eq!(alerts["alerts"][0]["severity"], "high");

    // Our own calls are not its: the agent hears so, and falls back to StreamEvents.
    let mut client = common::client(format!("127.0.0.1:{port}").parse().unwrap()).await;
    let refused = match client.push_events(iter([EventBatch::default()])).await {
        Ok(acks) => acks.into_inner().next().await.unwrap().unwrap_err(),
        Err(refused) => refused,
    };
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
    drop(python);
}
