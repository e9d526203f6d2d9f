//! A rule matched, or a detector found an anomaly: what every output is told.

use std::sync::Arc;

use crate::{Priority, Severity, Text};

/// One alert, rendered when it was found: an output picks a form and knows nothing of rules.
///
/// Texts hold bytes that the watched process chose; the rendered forms are escaped, so that no file name can
/// forge a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Identity across outputs, detectors and restarts: a UUID.
    pub id: String,
    /// When the event happened: nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The rule's `id`: its name as a slug, unless it says another.
    pub rule_id: Arc<str>,
    /// The rule's name.
    pub rule: Arc<str>,
    /// Falco's priority.
    pub priority: Priority,
    /// Sentinel's severity.
    pub severity: Severity,
    /// 0 (harmless) to 100.
    pub risk_score: u8,
    /// The rule's output with the event's values, not escaped.
    pub reason: Text,
    /// Names and values that a structured log keeps as fields of their own, e.g. `("PID", "7")`; not escaped.
    pub fields: Vec<(&'static str, Text)>,
    /// The object of Sentinel's JSON, without an end of line.
    pub sentinel_json: Vec<u8>,
    /// The object of Falco's JSON, without an end of line.
    pub falco_json: Vec<u8>,
    /// `time: Priority message`, escaped, without an end of line.
    pub text: Vec<u8>,
}
