//! Alerts of what detectors find: an event that is an anomaly, or a report of one.

use std::sync::Arc;

use sentinel_event::{Alert, Priority, Severity};
use sentinel_wire::v1::{AnomalyReport, EventEnvelope};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::time::{now_ns, rfc3339};

/// Id of the rule that stands for every anomaly.
pub(crate) const RULE_ID: &str = "anomaly";
const RULE: &str = "Anomaly";
/// Bytes of an identity that a peer may choose.
const ID_MAX: usize = 128;
/// Bytes of a reason that are kept.
const REASON_MAX: usize = 4096;

/// Whether a peer's identity of an event can be one.
pub(crate) fn is_identity(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The identity of an alert about an event: the event's own for the first, so that the node that makes an alert
/// of our answer and we who make one of the event mean the same; one derived from it for further ones. A batch
/// that comes twice gives the same.
pub(crate) fn identity(event: &EventEnvelope, rule_id: &str, first: bool) -> String {
    if first && is_identity(&event.event_id) {
        return event.event_id.clone();
    }
    let seed = format!("{}\n{}\n{}\n{rule_id}", event.hostname, event.event_id, event.ts_unix_nano);
    derived(&seed)
}

fn derived(seed: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes()).to_string()
}

/// Risk, severity and priority of a score; what is no number counts as harmless.
fn weigh(score: f64) -> (u8, Severity, Priority) {
    let risk = (0..=100u8).rev().find(|risk| score * 100.0 + 0.5 >= f64::from(*risk)).unwrap_or(0);
    let (severity, priority) = match risk {
        95.. => (Severity::Critical, Priority::Critical),
        80.. => (Severity::High, Priority::Error),
        55.. => (Severity::Medium, Priority::Warning),
        30.. => (Severity::Low, Priority::Notice),
        _ => (Severity::Info, Priority::Informational),
    };
    (risk, severity, priority)
}

/// An event that an engine finds strange.
pub(crate) fn of_event(event: &EventEnvelope, engine: &str, reason: &str, score: f64, id: String) -> Alert {
    let data = |key: &str| event.data.get(key).map(String::as_str).unwrap_or_default();
    let around = |key: &str| event.attributes.get(key).map(String::as_str).unwrap_or_default();
    let exe = if data("exe").is_empty() { around("proc.exepath") } else { data("exe") };
    let mut told = Map::new();
    let mut fields: Vec<(&'static str, sentinel_event::Text)> = Vec::new();
    for (key, field, text, number) in [
        ("PID", "PID", data("pid"), true),
        ("TID", "TID", data("tid"), true),
        ("PPID", "PPID", around("proc.ppid"), true),
        ("UID", "UID", data("uid"), true),
        ("GID", "GID", data("gid"), true),
        ("CgroupID", "CGROUP_ID", around("sentinel.cgroup_id"), true),
        ("Comm", "COMM", data("comm"), false),
        ("Exe", "EXE", exe, false),
        ("Filename", "FILENAME", if data("filename").is_empty() { exe } else { data("filename") }, false),
        ("EventType", "EVENT_TYPE", event.event_type.as_str(), false),
        ("Syscall", "SYSCALL", around("evt.type"), false),
        ("Result", "RESULT", around("evt.rawres"), true),
        ("ExecID", "EXEC_ID", around("proc.exec_id"), false),
        ("ParentExecID", "PARENT_EXEC_ID", around("proc.parent_exec_id"), false),
        ("Proto", "PROTO", data("protocol"), false),
        ("DstIP", "DST_IP", data("peer_ip"), false),
        ("DstPort", "DST_PORT", data("peer_port"), true),
    ] {
        if text.is_empty() {
            continue;
        }
        let value = match text.parse::<i64>() {
            Ok(parsed) if number => Value::from(parsed),
            _ => Value::from(text),
        };
        told.insert(key.into(), value);
        fields.push((field, text.into()));
    }
    let parent = json!({
        "pid": around("proc.ppid").parse::<u32>().unwrap_or(0),
        "name": around("proc.pname"),
        "exe": around("proc.pexepath"),
    });
    let lineage = if around("proc.ppid").is_empty() { Vec::new() } else { vec![parent] };
    let addr = match (data("peer_ip"), data("peer_port")) {
        ("", _) => String::new(),
        (ip, port) if ip.contains(':') => format!("[{ip}]:{port}"),
        (ip, port) => format!("{ip}:{port}"),
    };
    let outputs: Map<String, Value> =
        event.attributes.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut object = json!({
        "event": told,
        "container": {"id": event.container_id, "name": around("container.name"), "runtime": "", "image": around("container.image.repository")},
        "pod": {"name": event.pod_name, "namespace": event.namespace, "node": event.hostname},
        "addr": addr,
        "lineage": lineage,
        "tags": ["anomaly", engine],
        "output_fields": outputs,
        "event_id": event.event_id,
    });
    let ns = if event.ts_unix_nano == 0 { now_ns() } else { event.ts_unix_nano };
    let mut alert = render(&mut object, &event.hostname, reason, score, ns, id);
    alert.fields.splice(0..0, fields);
    alert
}

/// A report that somebody made; its node. Known labels say where: `hostname` or `node`, `pod`, `namespace`,
/// `container_id`.
pub(crate) fn of_report(report: &AnomalyReport) -> (Alert, String) {
    let label = |keys: [&str; 2]| {
        let found = keys.iter().find_map(|key| report.labels.get(*key));
        found.map(String::as_str).unwrap_or_default()
    };
    let node = label(["hostname", "node"]);
    let labels: Map<String, Value> =
        report.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let mut object = json!({
        "event": {},
        "container": {"id": label(["container_id", "container.id"]), "name": "", "runtime": "", "image": ""},
        "pod": {"name": label(["pod", "pod_name"]), "namespace": label(["namespace", "k8s.ns.name"]), "node": node},
        "addr": "",
        "lineage": [],
        "tags": ["anomaly", "report"],
        "output_fields": labels,
        "event_id": report.event_id,
    });
    // A report that is sent again, because its answer was lost, is the same.
    let id = if report.event_id.is_empty() {
        derived(&format!("{:?}\n{}\n{}", report.labels, report.reason, now_ns()))
    } else {
        derived(&format!("report\n{}\n{}", report.event_id, report.reason))
    };
    (render(&mut object, node, &report.reason, report.score, now_ns(), id), node.to_owned())
}

/// Completes the object and makes the other forms of it.
fn render(object: &mut Value, node: &str, reason: &str, score: f64, ns: u64, id: String) -> Alert {
    let reason = match reason.char_indices().find(|(at, _)| *at >= REASON_MAX) {
        Some((at, _)) => reason.get(..at).unwrap_or_default(),
        None if reason.is_empty() => "a detector found an anomaly and gave no reason",
        None => reason,
    };
    let (risk, severity, priority) = weigh(score);
    let time = rfc3339(ns);
    let clock = time.get(11..29).unwrap_or_default();
    let line = format!("{clock}: {} {reason}", priority.name());
    let falco = json!({
        "hostname": node, "message": reason, "output": line, "output_fields": object.get("output_fields"),
        "priority": priority.name(), "rule": RULE, "source": "syscall", "tags": object.get("tags"), "time": time,
    });
    if let Some(object) = object.as_object_mut() {
        object.extend([
            ("rule_id".to_owned(), RULE_ID.into()),
            ("rule".to_owned(), RULE.into()),
            ("severity".to_owned(), severity.name().into()),
            ("risk_score".to_owned(), risk.into()),
            ("reason".to_owned(), reason.into()),
            ("recommendation".to_owned(), "Look at what the process did before and after.".into()),
            ("timestamp".to_owned(), time.into()),
        ]);
    }
    Alert {
        id,
        time_ns: ns,
        rule_id: Arc::from(RULE_ID),
        rule: Arc::from(RULE),
        priority,
        severity,
        risk_score: risk,
        reason: reason.into(),
        fields: vec![("NODE", node.into())],
        sentinel_json: object.to_string().into_bytes(),
        falco_json: falco.to_string().into_bytes(),
        text: escaped(&line).into_bytes(),
    }
}

/// As in JSON, without the quotes around: one line, whatever is in it.
fn escaped(line: &str) -> String {
    let quoted = Value::from(line).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
