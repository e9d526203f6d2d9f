//! HTTP and HTTPS against a real server: slow, gone, angry, with the wrong certificate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;
#[path = "common/web.rs"]
mod web;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use common::{LONG, alert, counters, outputs, until};
use sentinel_sink::DropCause;
use web::{Authority, Web};

const OBJECT: [&str; 3] = [
    r#"{"rule_id":"a_rule","reason":"1"}"#,
    r#"{"rule_id":"a_rule","reason":"2"}"#,
    r#"{"rule_id":"a_rule","reason":"3"}"#,
];

#[test]
fn an_alert_is_a_request() {
    let web = Web::start(None);
    let outputs = outputs(&format!(
        "http: {{url: '{}/in?a=b', headers: {{Authorization: Bearer x}}, extraFields: {{env: prod}}}}",
        web.url()
    ));
    outputs.send(&alert("1"));
    outputs.send(&alert("2"));
    outputs.stop(LONG);
    let requests = web.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].head.starts_with("POST /in?a=b HTTP/1.1\r\n"), "{}", requests[0].head);
    for header in ["content-type: application/json", "authorization: Bearer x", "user-agent: sentinel/"] {
        assert!(
            requests[0].head.to_lowercase().contains(&header.to_lowercase()),
            "{header}: {}",
            requests[0].head
        );
    }
    assert_eq!(requests[0].body, r#"{"rule_id":"a_rule","reason":"1","env":"prod"}"#);
    assert_eq!(web.connections(), 1, "one connection serves all");
}

#[test]
fn a_batch_is_an_array() {
    let web = Web::start(None);
    web.answer(500);
    let outputs = outputs(&format!("http: {{url: '{}', batch: {{alerts: 10}}}}", web.url()));
    for reason in ["1", "2", "3"] {
        outputs.send(&alert(reason));
    }
    until("it is tried", || counters(&outputs).retries > 0);
    web.answer(200);
    outputs.stop(LONG);
    let bodies: Vec<String> = web.taken();
    let all: Vec<serde_json::Value> = bodies
        .iter()
        .flat_map(|body| serde_json::from_str::<Vec<serde_json::Value>>(body).unwrap())
        .collect();
    let reasons: Vec<_> = all.iter().map(|object| object["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["1", "2", "3"]);
}

#[test]
fn what_time_may_mend_is_tried_again_and_the_rest_is_not() {
    let web = Web::start(None);
    let outputs = outputs(&format!("http: {{url: '{}'}}", web.url()));
    for (at, status) in [503, 429, 408, 500].into_iter().enumerate() {
        web.answer(status);
        let before = counters(&outputs);
        outputs.send(&alert("1"));
        until("it is tried again", || counters(&outputs).retries > before.retries);
        web.answer(200);
        until("it is delivered", || counters(&outputs).delivered == at as u64 + 1);
    }
    for status in [400, 401, 404, 301] {
        web.answer(status);
        let before = counters(&outputs);
        outputs.send(&alert("1"));
        until("it is refused", || {
            counters(&outputs).dropped(DropCause::Refused) > before.dropped(DropCause::Refused)
        });
        assert_eq!(counters(&outputs).retries, before.retries);
    }
    outputs.stop(LONG);
}

#[test]
fn a_server_that_hangs_is_given_up_and_tried_again() {
    let web = Web::start(None);
    web.hang(true);
    let outputs = outputs(&format!("http: {{url: '{}', timeoutSeconds: 1}}", web.url()));
    let begun = Instant::now();
    outputs.send(&alert("1"));
    assert!(begun.elapsed() < Duration::from_millis(500));
    until("it is given up", || counters(&outputs).retries > 0);
    web.hang(false);
    outputs.stop(LONG);
    assert_eq!(counters(&outputs).delivered, 1);
}

#[test]
fn a_spool_bridges_a_server_that_is_away_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let web = Web::start(None);
    let yaml =
        format!("http: {{url: '{}', spool: {{path: {}}}}}", web.url(), dir.path().join("spool").display());
    web.answer(500);
    let first = outputs(&yaml);
    first.send(&alert("1"));
    until("it is on disk", || counters(&first).spooled == 1);
    first.send(&alert("2"));
    first.stop(LONG);
    drop(first);
    web.answer(200);
    let second = outputs(&yaml);
    second.send(&alert("3"));
    until("all are there", || counters(&second).delivered == 3);
    assert_eq!(web.taken(), OBJECT);
    second.stop(LONG);
}

fn tls(directory: &Path, ca: &str, client: Option<&str>) -> String {
    let path = |name: &str, end: &str| directory.join(format!("{name}.{end}")).display().to_string();
    let ours = client.map(|name| format!(", cert: {}, key: {}", path(name, "crt"), path(name, "key")));
    format!("{{ca: {}{}}}", path(ca, "crt"), ours.unwrap_or_default())
}

#[test]
fn https_needs_a_certificate_of_the_right_authority() {
    let dir = tempfile::tempdir().unwrap();
    let (good, evil) = (Authority::new(dir.path(), "good"), Authority::new(dir.path(), "evil"));
    let web = Web::start(Some(good.server(None)));
    let output = |ca| outputs(&format!("http: {{url: '{}', tls: {}}}", web.url(), tls(dir.path(), ca, None)));
    let right = output("good");
    right.send(&alert("1"));
    right.stop(LONG);
    assert_eq!(web.taken(), OBJECT[..1]);

    let wrong = output("evil");
    wrong.send(&alert("2"));
    until("it is refused", || counters(&wrong).retries > 0);
    wrong.stop(Duration::ZERO);
    assert_eq!(web.taken().len(), 1);
    drop(evil);
}

#[test]
fn both_sides_may_ask_for_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let (good, evil) = (Authority::new(dir.path(), "good"), Authority::new(dir.path(), "evil"));
    good.client("ours");
    evil.client("forged");
    let web = Web::start(Some(good.server(Some(&good))));
    let output = |client| {
        outputs(&format!("http: {{url: '{}', tls: {}}}", web.url(), tls(dir.path(), "good", client)))
    };
    for client in [None, Some("forged")] {
        let refused = output(client);
        refused.send(&alert("0"));
        until("it is refused", || counters(&refused).retries > 0);
        refused.stop(Duration::ZERO);
    }
    assert_eq!(web.taken(), [""; 0]);
    let right = output(Some("ours"));
    right.send(&alert("1"));
    right.stop(LONG);
    assert_eq!(web.taken(), OBJECT[..1]);
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (good, evil) = (Authority::new(dir.path(), "good"), Authority::new(dir.path(), "evil"));
    evil.client("ours");
    let web = Web::start(Some(good.server(Some(&good))));
    let outputs =
        outputs(&format!("http: {{url: '{}', tls: {}}}", web.url(), tls(dir.path(), "good", Some("ours"))));
    outputs.send(&alert("1"));
    until("it is refused", || counters(&outputs).retries > 0);
    good.client("ours");
    until("it is delivered", || counters(&outputs).delivered == 1);
    assert_eq!(web.taken(), OBJECT[..1]);
}
