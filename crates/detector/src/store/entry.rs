//! An alert on its way into the store.

use std::{collections::BTreeMap, sync::Arc};

use sentinel_event::{Alert, Priority, Severity};
use sentinel_wire::v1;
use serde::Serialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::Brief;

/// Bytes of an identity or a name.
const NAME_MAX: usize = 512;
/// Bytes of an alert's JSON.
const JSON_MAX: usize = 256 << 10;
/// Keys that only we set.
const OURS: [&str; 3] = ["seq", "alert_id", "node"];

/// An object whose values stay the text they are: thousands of alerts a second go through here.
pub(crate) type Object = BTreeMap<String, Box<RawValue>>;

/// Puts a value into it.
pub(crate) fn put(object: &mut Object, key: &str, value: &(impl Serialize + ?Sized)) {
    if let Ok(value) = to_raw_value(value) {
        object.insert(key.to_owned(), value);
    }
}

/// An alert, checked.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) alert: Arc<Alert>,
    pub(crate) ts_ms: i64,
    pub(crate) node: String,
    pub(crate) pod: String,
    pub(crate) namespace: String,
    /// What the heat map has a row for: `NAMESPACE/POD`, else `NODE:CONTAINER`, else `NODE:UNIT`, else the node.
    pub(crate) workload: String,
    /// What is served, but for the sequence: `"alert_id":…,…}`.
    pub(crate) tail: String,
}

/// What a peer's alert must be: said to the peer, and in the log.
pub(crate) const MALFORMED: &str = "an alert needs alert_id, rule_id and hostname of at most 512 bytes, and \
    sentinel_json with an object of at most 256 KiB";

impl Entry {
    /// From an alert that a node pushed. None when it is malformed.
    pub(crate) fn pushed(alert: v1::Alert) -> Option<Self> {
        let named = |text: &str| !text.is_empty() && text.len() <= NAME_MAX;
        if !named(&alert.alert_id) || !named(&alert.rule_id) || !named(&alert.hostname) {
            return None;
        }
        if alert.rule.len() > NAME_MAX || alert.falco_json.len() > JSON_MAX || alert.text.len() > JSON_MAX {
            return None;
        }
        let priority = Priority::parse(&alert.priority).unwrap_or(Priority::Informational);
        let severity = Severity::find(&alert.severity).unwrap_or(priority.defaults().0);
        if alert.sentinel_json.len() > JSON_MAX {
            return None;
        }
        // What others wrote is read to the last letter: what cannot be told again would break the feed.
        let object: Map<String, Value> = serde_json::from_str(&alert.sentinel_json).ok()?;
        let owned = Alert {
            id: alert.alert_id,
            time_ns: alert.ts_unix_nano,
            rule: Arc::from(if alert.rule.is_empty() { &*alert.rule_id } else { &*alert.rule }),
            rule_id: Arc::from(alert.rule_id),
            priority,
            severity,
            risk_score: u8::try_from(alert.risk_score.min(100)).unwrap_or(100),
            reason: alert.reason.into(),
            fields: Vec::new(),
            sentinel_json: Value::Object(object).to_string().into_bytes(),
            falco_json: alert.falco_json.into_bytes(),
            text: alert.text.into_bytes(),
        };
        Self::new(owned, alert.hostname)
    }

    /// From an alert whose JSON this program wrote. None when that is no object, or too long.
    pub(crate) fn new(mut alert: Alert, node: String) -> Option<Self> {
        if alert.sentinel_json.len() > JSON_MAX {
            return None;
        }
        let mut object: Object = serde_json::from_slice(&alert.sentinel_json).ok()?;
        OURS.iter().for_each(|key| drop(object.remove(*key)));
        // What everybody looks for is there whatever the peer sent, and says what the alert says.
        put(&mut object, "rule_id", &*alert.rule_id);
        put(&mut object, "rule", &*alert.rule);
        put(&mut object, "severity", &alert.severity.name());
        put(&mut object, "risk_score", &alert.risk_score);
        if !object.contains_key("reason") {
            put(&mut object, "reason", &String::from_utf8_lossy(&alert.reason));
        }
        if !object.contains_key("timestamp") {
            put(&mut object, "timestamp", &crate::time::rfc3339(alert.time_ns));
        }
        let place = part(&object, "pod");
        let place = |key: &str| place.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (pod, namespace) = (place("name"), place("namespace"));
        let workload = workload(&object, &node, &pod, &namespace);
        let object = serde_json::to_string(&object).ok()?;
        let id = Value::from(alert.id.as_str());
        let tail = format!("\"alert_id\":{id},\"node\":{},{}", Value::from(node.as_str()), object.get(1..)?);
        if alert.fields.is_empty() {
            alert.fields = vec![("NODE", node.as_str().into())];
        }
        let ts_ms = crate::time::millis(alert.time_ns);
        Some(Self { alert: Arc::new(alert), ts_ms, node, pod, namespace, workload, tail })
    }

    /// What is counted of it.
    pub(crate) fn brief(&self) -> Brief<'_> {
        Brief {
            ts_ms: self.ts_ms,
            severity: rank(self.alert.severity),
            rule_id: &self.alert.rule_id,
            rule: &self.alert.rule,
            node: &self.node,
            pod: &self.pod,
            namespace: &self.namespace,
            workload: &self.workload,
        }
    }

    /// The object that is served.
    pub(crate) fn served(&self, seq: u64) -> String {
        served(seq, &self.tail)
    }
}

/// A part of an alert, read; null when it is not there.
fn part(alert: &Object, key: &str) -> Value {
    alert.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn workload(alert: &Object, node: &str, pod: &str, namespace: &str) -> String {
    if !pod.is_empty() {
        return format!("{namespace}/{pod}");
    }
    let container = part(alert, "container");
    let container = |key: &str| container.get(key).and_then(Value::as_str);
    let id = container("id").map(|id| id.get(..12).unwrap_or(id));
    let unit = part(alert, "unit");
    let unit = unit.as_str();
    let names = [container("name"), id, unit].into_iter().flatten();
    match names.filter(|name| name.len() <= NAME_MAX).find(|name| !name.is_empty()) {
        Some(name) => format!("{node}:{name}"),
        None => node.to_owned(),
    }
}

/// The object that is served.
pub(crate) fn served(seq: u64, tail: &str) -> String {
    format!("{{\"seq\":{seq},{tail}")
}

/// A severity as a number: 0 info to 4 critical.
pub(crate) fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The severity of a number.
pub(crate) fn severity_of(rank: u8) -> Severity {
    match rank {
        0 => Severity::Info,
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        _ => Severity::Critical,
    }
}
