//! Alerts that come as JSON.

use std::{collections::BTreeMap, sync::Arc};

use chrono::DateTime;
use sentinel_event::{Alert, Priority, Severity};
use sentinel_wire::v1::EventEnvelope;
use serde_json::Value;

/// What an alert tells of its event, for a condition: the keys of `event`, by the keys of an envelope's `data` and
/// `attributes`.
const DATA: &[(&str, &str)] = &[
    ("PID", "pid"),
    ("TID", "tid"),
    ("UID", "uid"),
    ("GID", "gid"),
    ("Comm", "comm"),
    ("Filename", "filename"),
    ("DstIP", "peer_ip"),
    ("DstPort", "peer_port"),
];
const ATTRIBUTES: &[(&str, &str)] =
    &[("Syscall", "evt.type"), ("Result", "evt.rawres"), ("PPID", "proc.ppid")];

/// The event of an alert, as far as the alert tells.
pub(super) fn told(alert: &Value) -> EventEnvelope {
    let event = alert.get("event").unwrap_or(&Value::Null);
    let of = |keys: &[(&str, &str)]| -> BTreeMap<String, String> {
        keys.iter()
            .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), scalar(event.get(theirs)?)?)))
            .collect()
    };
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    if let Some(fields) = alert.get("output_fields").and_then(Value::as_object) {
        attributes.extend(fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))));
    }
    attributes.extend(of(ATTRIBUTES));
    EventEnvelope {
        event_type: text(event, "EventType"),
        ts_unix_nano: time_ns(alert),
        hostname: text(alert, "node"),
        container_id: alert.get("container").map(|container| text(container, "id")).unwrap_or_default(),
        data: of(DATA),
        attributes,
        ..EventEnvelope::default()
    }
}

/// The alert, for the live view: with its node, where it names one.
pub(super) fn shown(alert: &Value) -> Alert {
    let null = Value::Null;
    let event = alert.get("event").unwrap_or(&null);
    let parent = alert.get("lineage").and_then(|line| line.get(0)).map(|parent| text(parent, "name"));
    let container = alert.get("container").map(|container| text(container, "id"));
    let mut fields = vec![
        ("PID", event.get("PID").and_then(scalar).unwrap_or_default().into()),
        ("PPID", event.get("PPID").and_then(scalar).unwrap_or_default().into()),
        ("COMM", text(event, "Comm").into()),
        ("CONTAINER_ID", container.unwrap_or_default().into()),
    ];
    fields.extend(parent.map(|parent| ("PARENT", parent.into())));
    let (rule, node) = (text(alert, "rule"), text(alert, "node"));
    let rule = if node.is_empty() { rule } else { format!("{rule} on {node}") };
    let risk = alert.get("risk_score").and_then(Value::as_u64).unwrap_or_default();
    Alert {
        id: text(alert, "alert_id"),
        time_ns: time_ns(alert),
        rule_id: Arc::from(text(alert, "rule_id")),
        rule: Arc::from(rule),
        priority: Priority::Informational,
        severity: Severity::find(&text(alert, "severity")).unwrap_or(Severity::Info),
        risk_score: u8::try_from(risk.min(100)).unwrap_or(100),
        reason: text(alert, "reason").into(),
        fields,
        sentinel_json: Vec::new(),
        falco_json: Vec::new(),
        text: Vec::new(),
    }
}

fn text(object: &Value, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A text or a number; what is empty is not told.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn time_ns(alert: &Value) -> u64 {
    let time = DateTime::parse_from_rfc3339(&text(alert, "timestamp")).ok();
    time.and_then(|time| u64::try_from(time.timestamp_nanos_opt()?).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::choice::Filter;

    #[test]
    fn a_condition_sees_what_an_alert_tells() {
        let alert = json!({
            "rule_id": "r", "rule": "R", "severity": "high", "risk_score": 80, "node": "n",
            "timestamp": "2026-01-01T00:00:00.5Z", "container": {"id": ""},
            "event": {"PID": 7, "PPID": 6, "Comm": "nc", "EventType": "connect", "Syscall": "connect",
                      "DstIP": "10.0.0.6", "DstPort": 4444, "Result": 0},
            "output_fields": {"proc.cmdline": "nc 10.0.0.6", "proc.pname": "bash", "user.name": null},
        });
        let holds = |condition| Filter::new(condition).unwrap().holds(&told(&alert));
        assert!(holds("evt.type = connect and proc.name = nc and proc.pname = bash and proc.pid = 7"));
        assert!(holds("fd.rport = 4444 and fd.rip = 10.0.0.6 and proc.cmdline startswith nc"));
        assert!(!holds("fd.rport = 80"));
        let shown = shown(&alert);
        assert_eq!((&*shown.rule, shown.time_ns), ("R on n", 1_767_225_600_500_000_000));
    }

    #[test]
    fn an_alert_that_tells_nothing_is_shown_for_what_it_is() {
        assert_eq!(told(&json!({"rule_id": 7})).event_type, "");
        assert_eq!(shown(&json!({"rule_id": 7, "event": []})).severity, Severity::Info);
    }
}
