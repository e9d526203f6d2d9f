#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn scores_become_the_risk_a_rule_would_have() {
    for (score, risk, severity) in [
        (1.0, 100, Severity::Critical),
        (7.0, 100, Severity::Critical),
        (0.946, 95, Severity::Critical),
        (0.8, 80, Severity::High),
        (0.55, 55, Severity::Medium),
        (0.3, 30, Severity::Low),
        (0.29, 29, Severity::Info),
        (-1.0, 0, Severity::Info),
        (f64::NAN, 0, Severity::Info),
        (f64::INFINITY, 100, Severity::Critical),
    ] {
        assert_eq!((weigh(score).0, weigh(score).1), (risk, severity), "{score}");
    }
}

fn event() -> EventEnvelope {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    EventEnvelope {
        event_id: "0190b5f0-0000-7000-8000-000000000001".into(),
        hostname: "n1".into(),
        pod_name: "web-1".into(),
        namespace: "shop".into(),
        event_type: "connect".into(),
        data: map(&[("pid", "7"), ("comm", "nc"), ("peer_ip", "2001:db8::1"), ("peer_port", "4444")]),
        attributes: map(&[
            ("proc.ppid", "6"),
            ("proc.pname", "bash"),
            ("proc.exepath", "/usr/bin/nc"),
            ("proc.exec_id", "a-7-9-1"),
        ]),
        ts_unix_nano: 951_782_400_000_000_001,
        ..EventEnvelope::default()
    }
}

#[test]
fn an_anomaly_says_what_an_alert_of_a_rule_says() {
    let alert = of_event(&event(), "baseline", "never \"seen\"\nbefore", 0.9, "id".into());
    let object: Value = serde_json::from_slice(&alert.sentinel_json).unwrap();
    assert_eq!(object["rule_id"], "anomaly");
    assert_eq!((&object["severity"], &object["risk_score"]), (&json!("high"), &json!(90)));
    assert_eq!(object["event"]["PID"], 7);
    assert_eq!(object["event"]["DstPort"], 4444);
    assert_eq!(object["event"]["ExecID"], "a-7-9-1");
    assert_eq!(object["event"]["EventType"], "connect");
    assert_eq!(object["addr"], "[2001:db8::1]:4444");
    assert_eq!(object["pod"], json!({"name": "web-1", "namespace": "shop", "node": "n1"}));
    assert_eq!(object["lineage"], json!([{"pid": 6, "name": "bash", "exe": ""}]));
    assert_eq!(object["timestamp"], "2000-02-29T00:00:00.000000001Z");
    assert_eq!(String::from_utf8(alert.text).unwrap(), r#"00:00:00.000000001: Error never \"seen\"\nbefore"#);
    let falco: Value = serde_json::from_slice(&alert.falco_json).unwrap();
    assert_eq!((&falco["rule"], &falco["priority"]), (&json!("Anomaly"), &json!("Error")));
}

#[test]
fn an_alert_of_an_event_is_the_same_whenever_the_event_comes() {
    let event = event();
    assert_eq!(identity(&event, "a", true), event.event_id);
    let second = identity(&event, "a", false);
    assert_eq!(second, identity(&event, "a", false));
    assert_ne!(second, identity(&event, "b", false));
    let nameless = EventEnvelope { event_id: String::new(), ..event };
    assert_eq!(identity(&nameless, "a", true).len(), 36);
}

#[test]
fn a_report_says_where_by_its_labels_and_is_bounded() {
    let report = AnomalyReport {
        event_id: "e".into(),
        reason: "é".repeat(REASON_MAX),
        score: 0.5,
        labels: [("hostname", "n2"), ("pod", "p")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    };
    let (alert, node) = of_report(&report);
    assert_eq!((node.as_str(), alert.reason.len()), ("n2", REASON_MAX));
    assert_eq!(alert.id, of_report(&report).0.id);
    let object: Value = serde_json::from_slice(&alert.sentinel_json).unwrap();
    assert_eq!(object["pod"]["name"], "p");
}
