//! Every call of the service, by a real client over the loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use common::{PATIENCE, alert, event, push, start};
use sentinel_wire::v1::{AnomalyReport, EventBatch, NodeStatus};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use tokio_stream::{StreamExt as _, iter};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_stream_events_is_answered() {
    let detector = start("engines: [pass-through]").await;
    let events: Vec<_> =
        (0..1000).map(|n| event(&format!("e{n}"), "file_read", "n1", &[("pid", "7")])).collect();
    let mut answers = detector.client().await.stream_events(iter(events)).await.unwrap().into_inner();
    for number in 0..1000 {
        let answer = timeout(PATIENCE, answers.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((answer.event_id, answer.anomaly), (format!("e{number}"), false));
        assert!(answer.ts.unwrap().seconds > 1_700_000_000);
    }
    assert!(answers.next().await.is_none());
    assert_eq!(detector.metric("sentinel_detector_events_total").await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_acknowledged_in_order() {
    let detector = start("").await;
    let batches: Vec<_> = (1..=200)
        .map(|sequence| EventBatch {
            sequence,
            events: vec![event("e", "file_write", "n1", &[("pid", "7"), ("filename", "/a")]); 10],
        })
        .collect();
    let mut acks = detector.client().await.push_events(iter(batches)).await.unwrap().into_inner();
    for sequence in 1..=200 {
        let ack = timeout(PATIENCE, acks.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((ack.sequence, ack.anomalies.len()), (sequence, 0));
    }
    assert!(acks.next().await.is_none());
    assert_eq!(detector.metric("sentinel_detector_batches_total").await, 200);
    assert_eq!(detector.metric("sentinel_detector_events_total").await, 2000);
    assert_eq!(detector.metric("sentinel_detector_events_waiting").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_comes_twice_is_one() {
    let detector = start("").await;
    let mut client = detector.client().await;
    push(&mut client, vec![alert("a", "r1", "high", "n1", 1000), alert("b", "r1", "high", "n1", 2000)]).await;
    push(&mut client, vec![alert("b", "r1", "high", "n1", 2000), alert("c", "r1", "high", "n1", 3000)]).await;
    let alerts = detector.json("/api/alerts").await;
    let ids: Vec<_> =
        alerts["alerts"].as_array().unwrap().iter().map(|a| a["alert_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["c", "b", "a"]);
    assert_eq!(detector.metric("sentinel_detector_alerts_repeated_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_alert_costs_itself() {
    let detector = start("").await;
    let mut bad: Vec<_> = (0..5).map(|n| alert(&format!("bad{n}"), "r", "high", "n", 1)).collect();
    bad[0].alert_id = String::new();
    bad[1].sentinel_json = "[1]".into();
    bad[2].sentinel_json = format!("{{\"a\":\"{}\"}}", "x".repeat(300 << 10));
    bad[3].hostname = String::new();
    bad[4].rule_id = "r".repeat(600);
    bad.push(alert("good", "r", "high", "n", 1));
    // What a node must not decide is ours.
    bad[5].sentinel_json = r#"{"seq": 99, "alert_id": "x", "node": "x", "reason": "kept"}"#.into();
    push(&mut detector.client().await, bad).await;
    let alerts = detector.json("/api/alerts").await;
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let kept = &alerts["alerts"][0];
    assert_eq!(
        (kept["seq"].as_u64(), &kept["alert_id"], &kept["node"]),
        (Some(1), &"good".into(), &"n".into())
    );
    assert_eq!((&kept["reason"], &kept["severity"]), (&"kept".into(), &"high".into()));
    assert_eq!(detector.metric("sentinel_detector_alerts_malformed_total").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_becomes_one_alert_however_often_it_is_sent() {
    let detector = start("").await;
    let report = AnomalyReport {
        event_id: "e1".into(),
        reason: "odd".into(),
        score: 0.97,
        labels: [("hostname".to_owned(), "n1".to_owned())].into(),
    };
    for _ in 0..2 {
        detector.client().await.report_anomaly(report.clone()).await.unwrap();
    }
    let alerts = detector.json("/api/alerts?rule=anomaly").await;
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let alert = &alerts["alerts"][0];
    assert_eq!(
        (&alert["severity"], &alert["reason"], &alert["node"]),
        (&"critical".into(), &"odd".into(), &"n1".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_without_a_name_is_refused() {
    let detector = start("").await;
    let mut client = detector.client().await;
    let refused = client.report_status(NodeStatus::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    client.report_status(NodeStatus { hostname: "n".into(), ..NodeStatus::default() }).await.unwrap();
    assert_eq!(detector.metric("sentinel_detector_reports_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_are_served() {
    let detector = start("").await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", detector.grpc)).unwrap();
    let channel = channel.connect().await.unwrap();
    for service in ["", "sentinel.v1.DetectorService"] {
        let request = HealthCheckRequest { service: service.into() };
        let answer = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();
        assert_eq!(answer.status, 1, "{service:?} is serving");
    }
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(channel);
    let mut answers = reflection.server_reflection_info(iter([request])).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    assert!(list.service.iter().any(|service| service.name == "sentinel.v1.DetectorService"), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_ends_its_call_and_no_other() {
    let detector = start("grpc: {maxMessageBytes: 65536}").await;
    let mut client = detector.client().await;
    let (batches, receiver) = tokio::sync::mpsc::channel(4);
    let receiver = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut acks = client.clone().push_events(receiver).await.unwrap().into_inner();
    let small = |sequence| EventBatch { sequence, events: vec![event("e", "exec", "n", &[])] };
    batches.send(small(1)).await.unwrap();
    assert_eq!(acks.next().await.unwrap().unwrap().sequence, 1);

    let large = event(&"e".repeat(70_000), "exec", "n", &[]);
    let refused = client.push_events(iter([EventBatch { sequence: 1, events: vec![large] }])).await;
    let refused = match refused {
        Ok(acks) => acks.into_inner().next().await.unwrap().unwrap_err(),
        Err(refused) => refused,
    };
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");

    // The same connection, the other call.
    batches.send(small(2)).await.unwrap();
    assert_eq!(acks.next().await.unwrap().unwrap().sequence, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_loses_the_place_and_waits_for_nobody_else() {
    let detector = start("grpc: {maxConnections: 2}").await;
    let mut silent =
        [TcpStream::connect(detector.grpc).await.unwrap(), TcpStream::connect(detector.grpc).await.unwrap()];
    // Both places are taken by silence; we are served when they are given back.
    let served = timeout(PATIENCE, detector.client()).await.expect("silence gives way");
    drop(served);
    for stream in &mut silent {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closed");
        drop(end);
    }
    detector.metric_reaches("sentinel_detector_grpc_silent_total", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_does_not_take_stays_the_senders() {
    let detector = start("").await;
    let database = rusqlite::Connection::open(detector.directory.path().join("history.db")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    let full = "CREATE TRIGGER full_a BEFORE INSERT ON alerts BEGIN SELECT raise(FAIL, 'disk is full'); END;
                CREATE TRIGGER full_t BEFORE INSERT ON touches BEGIN SELECT raise(FAIL, 'disk is full'); END;";
    database.execute_batch(full).unwrap();
    let mut client = detector.client().await;
    let alerts = vec![alert("a", "r", "high", "n", 1)];
    let batch = sentinel_wire::v1::AlertBatch { alerts };
    let refused = client.push_alerts(batch.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("disk is full"), "{refused}");
    let facts = [("pid", "7"), ("comm", "cat"), ("filename", "/a")];
    let events = EventBatch { sequence: 1, events: vec![event("e", "file_read", "n", &facts)] };
    let mut acks = client.push_events(iter([events.clone()])).await.unwrap().into_inner();
    assert_eq!(acks.next().await.unwrap().unwrap_err().code(), Code::Unavailable);

    database.execute_batch("DROP TRIGGER full_a; DROP TRIGGER full_t").unwrap();
    client.push_alerts(batch).await.unwrap();
    let mut acks = client.push_events(iter([events])).await.unwrap().into_inner();
    assert_eq!(acks.next().await.unwrap().unwrap().sequence, 1);
    assert_eq!(detector.metric("sentinel_detector_events_total").await, 1);
}
