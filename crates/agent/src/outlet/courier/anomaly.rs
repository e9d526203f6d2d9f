//! What a detector found becomes an alert of the node (design.md, 4.1).

use std::time::SystemTime;

use sentinel_event::{Alert, Priority, Severity, Text};
use sentinel_wire::v1::{DetectionResponse, EventEnvelope};
use serde_json::{Value, json};

/// `rule_id` of such alerts.
const RULE_ID: &str = "anomaly";
const RULE: &str = "Anomaly";

/// The alert; `event` is what was judged, while it is known.
pub(super) fn alert(answer: &DetectionResponse, event: Option<&EventEnvelope>) -> Alert {
    let risk_score = risk(answer.score);
    let (severity, priority) = level(risk_score);
    let reason = match clean(&answer.reason) {
        reason if reason.is_empty() => "the detector found an anomaly".to_owned(),
        reason => reason,
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let time_ns = event.map(|event| event.ts_unix_nano).filter(|time| *time > 0).unwrap_or(now);
    let time = chrono::DateTime::from_timestamp_nanos(i64::try_from(time_ns).unwrap_or(i64::MAX));
    let time = time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    let get = |key: &str| {
        let value = event.and_then(|event| event.data.get(key).or_else(|| event.attributes.get(key)));
        clean(value.map(String::as_str).unwrap_or_default())
    };
    let number = |key: &str| get(key).parse::<u64>().map_or(Value::Null, Value::from);
    let of = |part: fn(&EventEnvelope) -> &str| clean(event.map(part).unwrap_or_default());
    let sentinel = json!({
        "rule_id": RULE_ID, "rule": RULE, "severity": severity.name(), "risk_score": risk_score, "reason": reason,
        "recommendation": "Look at what the process did before and after.",
        "event": {
            "PID": number("pid"), "PPID": number("proc.ppid"), "UID": number("user.uid"), "Comm": get("comm"),
            "Filename": get("filename"), "EventType": of(|event| &event.event_type), "ID": clean(&answer.event_id),
        },
        "container": {"id": of(|event| &event.container_id)},
        "pod": {
            "name": of(|event| &event.pod_name), "namespace": of(|event| &event.namespace),
            "node": of(|event| &event.hostname),
        },
        "timestamp": time, "tags": ["anomaly"], "output_fields": {"score": answer.score},
    });
    let falco = json!({
        "hostname": of(|event| &event.hostname), "output": format!("{time}: {} {reason}", priority.name()),
        "output_fields": {"score": answer.score, "evt.id": clean(&answer.event_id)}, "priority": priority.name(),
        "rule": RULE, "source": "syscall", "tags": ["anomaly"], "time": time,
    });
    let fields = [
        ("PID", get("pid")),
        ("COMM", get("comm")),
        ("FILENAME", get("filename")),
        ("EVENT_TYPE", of(|event| &event.event_type)),
        ("CONTAINER_ID", of(|event| &event.container_id)),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Alert {
        // An event that is sent again is judged again.
        id: clean(&answer.event_id),
        time_ns,
        rule_id: RULE_ID.into(),
        rule: RULE.into(),
        priority,
        severity,
        risk_score,
        fields: fields.map(|(name, value)| (name, Text::from(value))).collect(),
        sentinel_json: sentinel.to_string().into_bytes(),
        falco_json: falco.to_string().into_bytes(),
        text: format!("{time}: {} {reason}", priority.name()).into_bytes(),
        reason: Text::from(reason),
    }
}

/// A score from 0 to 1 as a risk from 0 to 100; what is no number is no reason to overlook it.
fn risk(score: f64) -> u8 {
    let wanted = if score.is_nan() { 100.0 } else { (score * 100.0).clamp(0.0, 100.0) };
    (0..=100).rev().find(|risk| f64::from(*risk) <= wanted + 0.5).unwrap_or(0)
}

fn level(risk: u8) -> (Severity, Priority) {
    match risk {
        90.. => (Severity::Critical, Priority::Critical),
        70.. => (Severity::High, Priority::Error),
        40.. => (Severity::Medium, Priority::Warning),
        20.. => (Severity::Low, Priority::Notice),
        _ => (Severity::Info, Priority::Informational),
    }
}

/// A detector's text, in which no control character is left.
fn clean(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anomaly_has_its_reason_and_a_hundredfold_score() {
        let answer = DetectionResponse {
            event_id: "id".into(),
            anomaly: true,
            reason: "odd\n".into(),
            score: 0.9,
            ts: None,
        };
        let data = [("comm", "sh"), ("pid", "7")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let event = EventEnvelope {
            event_type: "exec".into(),
            ts_unix_nano: 1_700_000_000_000_000_000,
            data: data.into(),
            ..EventEnvelope::default()
        };
        let alert = alert(&answer, Some(&event));
        assert_eq!((&*alert.rule_id, alert.risk_score, alert.severity), ("anomaly", 90, Severity::Critical));
        let object: Value = serde_json::from_slice(&alert.sentinel_json).unwrap();
        assert_eq!(object["reason"], "odd\u{fffd}");
        assert_eq!((&object["event"]["PID"], &object["event"]["Comm"]), (&json!(7), &json!("sh")));
        assert_eq!(object["timestamp"], "2023-11-14T22:13:20.000000000Z");
        for (score, expected) in [(0.0, 0), (0.555, 56), (1.0, 100), (7.0, 100), (-1.0, 0), (f64::NAN, 100)] {
            assert_eq!(risk(score), expected, "{score}");
        }
    }
}
