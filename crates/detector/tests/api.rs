//! The API over HTTP: what it answers, to whom, and what it says it answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use common::{Running, alert, event, get, push, request, start};
use sentinel_wire::v1::{
    EventBatch, NodeStatus,
    node_status::{CgroupUse, Hook, RuleHits, RuleSetStatus},
};
use serde_json::{Value, json};
use tokio_stream::{StreamExt as _, iter};

const T: u64 = 1_767_225_600_000; // 2026-01-01, ms

/// A detector with alerts of two nodes.
async fn with_alerts(yaml: &str) -> Running {
    let detector = start(yaml).await;
    let mut other = alert("c", "r2", "critical", "n2", T + 2500);
    other.sentinel_json = other.sentinel_json.replace("web-1", "").replace("reason of c", "Tänze 100%");
    let alerts = vec![alert("a", "r1", "low", "n1", T), alert("b", "r1", "high", "n1", T + 1500), other];
    push(&mut detector.client().await, alerts).await;
    detector
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["alerts"].as_array().unwrap().iter().map(|alert| alert["alert_id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_found_by_each_filter() {
    let detector = with_alerts("").await;
    let (from, to) = (format!("from={}", T + 1500), format!("to={}", T + 1500));
    for (query, expected) in [
        ("", &["c", "b", "a"][..]),
        (&from, &["c", "b"]),
        (&to, &["a"]),
        ("rule=r1", &["b", "a"]),
        ("rule=Rule&severity=critical", &["c"]),
        ("severity=critical,low", &["c", "a"]),
        ("node=n2", &["c"]),
        ("pod=web-1", &["b", "a"]),
        ("q=REASON%20OF%20b", &["b"]),
        ("q=T%C3%A4nze+100%25", &["c"]),
        ("q=%25", &["c"]),
        ("q='%3B%20DROP%20TABLE%20alerts", &[]),
        ("before=3", &["b", "a"]),
        ("rule=&node=&q=", &["c", "b", "a"]),
    ] {
        let answer = detector.json(&format!("/api/alerts?{query}")).await;
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(answer["next"], Value::Null, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other() {
    let detector = with_alerts("").await;
    let first = detector.json("/api/alerts?limit=2").await;
    assert_eq!((ids(&first), first["next"].as_u64()), (vec!["c", "b"], Some(2)));
    let second = detector.json("/api/alerts?limit=2&before=2").await;
    assert_eq!((ids(&second), &second["next"]), (vec!["a"], &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_make_no_sense_are_refused_in_words() {
    let detector = start("").await;
    for (path, part) in [
        ("/api/alerts?limit=0", "1 to 1000"),
        ("/api/alerts?limit=1001", "use before"),
        ("/api/alerts?severity=worst", "critical, high"),
        ("/api/alerts?nod=n", "nod"),
        ("/api/alerts?from=yesterday", "from"),
        ("/api/stats?bucket=1", "bucket: expected at least"),
        ("/api/stats?from=9&to=3", "before to"),
    ] {
        let answer = get(detector.http, path, &[]).await;
        assert!(answer.status == 400 && answer.body.contains(part), "{path}: {answer:?}");
    }
    assert_eq!(get(detector.http, "/api/lineage/none", &[]).await.status, 404);
    assert_eq!(get(detector.http, "/nowhere", &[]).await.status, 404);
    assert_eq!(request(detector.http, "POST", "/api/alerts", &[]).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_counted_by_what_they_have() {
    let detector = with_alerts("").await;
    let stats = detector.json(&format!("/api/stats?from={T}&to={}&bucket=1000", T + 3000)).await;
    let none = json!({"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0});
    let with = |severity: &str| {
        let mut counts = none.clone();
        counts[severity] = json!(1);
        counts
    };
    let expected = json!({
        "from": T, "to": T + 3000, "bucket": 1000, "total": 3,
        "by_severity": {"critical": 1, "high": 1, "medium": 0, "low": 1, "info": 0},
        "by_rule": [
            {"rule_id": "r1", "rule": "Rule", "severity": "high", "count": 2},
            {"rule_id": "r2", "rule": "Rule", "severity": "critical", "count": 1},
        ],
        "by_node": [{"node": "n1", "count": 2}, {"node": "n2", "count": 1}],
        "by_pod": [{"pod": "web-1", "namespace": "shop", "count": 2}],
        "buckets": [
            {"t": T, "count": 1, "by_severity": with("low")},
            {"t": T + 1000, "count": 1, "by_severity": with("high")},
            {"t": T + 2000, "count": 1, "by_severity": with("critical")},
        ],
        "heatmap": [
            {"workload": "shop/web-1", "t": T, "count": 1},
            {"workload": "shop/web-1", "t": T + 1000, "count": 1},
            {"workload": "n2", "t": T + 2000, "count": 1},
        ],
    });
    assert_eq!(stats, expected);
}

/// Events of a shell that ran a program, which read a file and connected.
async fn with_events(detector: &Running) {
    let around = |event: sentinel_wire::v1::EventEnvelope, ppid: &str| {
        let attributes = [
            ("proc.name", "nc"),
            ("proc.exepath", "/usr/bin/nc"),
            ("proc.cmdline", "nc -e sh"),
            ("proc.ppid", ppid),
            ("proc.pid.ts", "1767225590000000000"),
            ("proc.pname", "bash"),
            ("proc.pexepath", "/usr/bin/bash"),
            ("proc.pcmdline", "bash -l"),
        ];
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        sentinel_wire::v1::EventEnvelope { attributes: attributes.collect(), ..event }
    };
    let read = around(
        event("e1", "file_read", "n1", &[("pid", "7"), ("comm", "nc"), ("filename", "/etc/shadow")]),
        "6",
    );
    let connect = around(
        event(
            "e2",
            "connect",
            "n1",
            &[("pid", "7"), ("comm", "nc"), ("peer_ip", "10.0.0.9"), ("peer_port", "4444")],
        ),
        "6",
    );
    // Its parent started another one.
    let beside =
        event("e4", "file_unlink", "n1", &[("pid", "8"), ("comm", "nc"), ("filename", "/tmp/dropped")]);
    let elsewhere = event("e3", "file_read", "n2", &[("pid", "7"), ("filename", "/not/ours")]);
    let batch = EventBatch { sequence: 1, events: vec![read, connect, around(beside, "6"), elsewhere] };
    // Twice, as after a lost acknowledgement.
    for _ in 0..2 {
        let mut acks = detector.client().await.push_events(iter([batch.clone()])).await.unwrap().into_inner();
        acks.next().await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_an_alert_is_told_from_events() {
    let detector = with_alerts("").await;
    with_events(&detector).await;
    let lineage = detector.json("/api/lineage/a").await;
    assert_eq!(lineage["alert"]["alert_id"], "a");
    assert_eq!(
        lineage["processes"],
        json!([
            {"pid": 7, "ppid": 6, "name": "nc", "exe": "/usr/bin/nc", "cmdline": "nc -e sh", "start_ns": 1_767_225_590_000_000_000u64, "self": true},
            {"pid": 6, "ppid": 1, "name": "bash", "exe": "/usr/bin/bash", "cmdline": "bash -l", "start_ns": 0, "self": false},
            {"pid": 1, "ppid": 0, "name": "init", "exe": "/sbin/init", "cmdline": "", "start_ns": 0, "self": false},
            {"pid": 8, "ppid": 6, "name": "nc", "exe": "/usr/bin/nc", "cmdline": "nc -e sh", "start_ns": 1_767_225_590_000_000_000u64, "self": false},
        ])
    );
    assert_eq!(
        lineage["touched"],
        json!([
            {"ts_ms": T, "event_type": "connect", "pid": 7, "what": "10.0.0.9:4444"},
            {"ts_ms": T, "event_type": "file_read", "pid": 7, "what": "/etc/shadow"},
            {"ts_ms": T, "event_type": "file_unlink", "pid": 8, "what": "/tmp/dropped"},
        ])
    );
}

async fn with_status(detector: &Running) {
    let hits = RuleHits {
        rule_id: "r1".into(),
        rule: "Rule".into(),
        hits: 5,
        suppressed: 2,
        last_unix_nano: T * 1_000_000,
        condition: "evt.type = connect".into(),
        events: "connect".into(),
    };
    for (hostname, generation) in [("n1", 3), ("n2", 4)] {
        let status = NodeStatus {
            hostname: hostname.into(),
            version: "1.2".into(),
            ts_unix_nano: T * 1_000_000,
            started_unix_nano: T * 1_000_000,
            kernel: "6.18".into(),
            counters: [("sentinel_events_total{kind=\"exec\"}".to_owned(), 7.5)].into(),
            hooks: vec![Hook { name: "exec".into(), healthy: false, reason: "refused".into() }],
            rules: Some(RuleSetStatus { generation, hash: "h".into(), hits: vec![hits.clone()] }),
            cgroups: vec![CgroupUse {
                path: "/a".into(),
                name: "shop/web".into(),
                cpu_ns: 9,
                received_bytes: 8,
                sent_bytes: 7,
                ..CgroupUse::default()
            }],
            cgroups_ns: 5_000_000_000,
            cpus: 4,
        };
        detector.client().await.report_status(status).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_rules_are_what_nodes_reported() {
    let detector = start("").await;
    with_events(&detector).await;
    with_status(&detector).await;
    let mut answer = detector.json("/api/nodes").await;
    assert!(answer["nodes"][0]["last_seen_ms"].take().as_u64().unwrap() > T);
    assert_eq!(
        answer["nodes"][0],
        json!({
            "node": "n1", "version": "1.2", "kernel": "6.18", "last_seen_ms": null, "started_ms": T, "connected": true,
            "counters": {"sentinel_events_total{kind=\"exec\"}": 7.5},
            "hooks": [{"name": "exec", "healthy": false, "reason": "refused"}],
            "rules": {"generation": 3, "hash": "h", "hits": [{"rule_id": "r1", "rule": "Rule", "hits": 5, "suppressed": 2, "last_ms": T}]},
            "cgroups": [{"path": "/a", "name": "shop/web", "container_id": "", "cpu_ns": 9, "received_bytes": 8, "sent_bytes": 7}],
            "cgroups_ms": 5000, "cpus": 4,
        })
    );
    assert_eq!(answer["detector"]["events_total"], 8);
    let rules = detector.json("/api/rules").await;
    let rule = rules["rules"].as_array().unwrap().iter().find(|rule| rule["rule_id"] == "r1").unwrap();
    assert_eq!((&rule["hits"], &rule["suppressed"], &rule["last_ms"]), (&json!(10), &json!(4), &json!(T)));
    assert_eq!((&rule["condition"], &rule["events"]), (&json!("evt.type = connect"), &json!("connect")));
    assert_eq!(
        rule["loaded"][1],
        json!({"node": "n2", "generation": 4, "hash": "h", "hits": 5, "suppressed": 2, "last_ms": T})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_token_only_health_is_told() {
    let detector = start("http: {token: 0123456789abcdef}").await;
    let bearer = |token: &str| format!("Bearer {token}");
    let paths = [
        "/events",
        "/api/alerts",
        "/api/stats",
        "/api/nodes",
        "/api/rules",
        "/api/lineage/a",
        "/metrics",
        "/openapi.json",
        "/nowhere",
    ];
    for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", "x"] {
        for path in paths {
            let answer = get(detector.http, path, &[("Authorization", &bearer(wrong))]).await;
            assert_eq!(answer.status, 401, "{path} {wrong:?}");
            assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
        }
    }
    assert_eq!(get(detector.http, "/api/nodes", &[]).await.status, 401);
    assert_eq!(
        get(detector.http, "/api/nodes", &[("Authorization", "Basic 0123456789abcdef")]).await.status,
        401
    );
    assert_eq!(get(detector.http, "/healthz", &[]).await.status, 200);
    for scheme in ["Bearer", "bearer"] {
        let right = format!("{scheme} 0123456789abcdef");
        assert_eq!(get(detector.http, "/api/nodes", &[("Authorization", &right)]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_read_nothing_unless_they_may() {
    let detector = start("http: {corsOrigins: ['http://localhost:5173']}").await;
    let granted = "access-control-allow-origin: http://localhost:5173";
    let answer = get(detector.http, "/api/nodes", &[("Origin", "http://localhost:5173")]).await;
    assert!(answer.head.contains(granted), "{answer:?}");
    let asked = request(detector.http, "OPTIONS", "/api/nodes", &[("Origin", "http://localhost:5173")]).await;
    assert!(asked.status == 204 && asked.head.contains("allow-headers: authorization"), "{asked:?}");
    let other = get(detector.http, "/api/nodes", &[("Origin", "http://evil")]).await;
    assert!(!other.head.contains("access-control"), "{other:?}");
    let closed = start("").await;
    let answer = get(closed.http, "/api/nodes", &[("Origin", "http://localhost:5173")]).await;
    assert!(!answer.head.contains("access-control"), "{answer:?}");
}
