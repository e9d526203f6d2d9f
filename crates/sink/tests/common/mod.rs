//! Alerts, and waiting for them.
#![allow(dead_code)] // each test file uses a part

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sentinel_event::{Alert, Priority, Severity};
use sentinel_sink::{Counters, Outputs, OutputsConfig, Suppression};

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// An alert with this reason.
pub(crate) fn alert(reason: &str) -> Alert {
    Alert {
        id: "0190b6f5-0000-7000-8000-000000000001".into(),
        time_ns: 1_700_000_000_123_456_789,
        rule_id: Arc::from("a_rule"),
        rule: Arc::from("A rule"),
        priority: Priority::Warning,
        severity: Severity::Medium,
        risk_score: 55,
        reason: reason.into(),
        fields: vec![("PID", "7".into()), ("FILENAME", "/tmp/a\nb".into())],
        sentinel_json: format!("{{\"rule_id\":\"a_rule\",\"reason\":\"{reason}\"}}").into_bytes(),
        falco_json: format!("{{\"output\":\"{reason}\",\"output_fields\":{{}}}}").into_bytes(),
        text: format!("22:13:20.123456789: Warning {reason}").into_bytes(),
    }
}

/// Outputs of a section `outputs`.
pub(crate) fn outputs(yaml: &str) -> Outputs {
    Outputs::start(&parse(yaml), &Suppression::default(), "node").unwrap()
}

pub(crate) fn parse(yaml: &str) -> OutputsConfig {
    serde_yaml::from_str(yaml).unwrap()
}

/// Counters of the only output.
pub(crate) fn counters(outputs: &Outputs) -> Counters {
    let status = outputs.status();
    assert_eq!(status.len(), 1);
    status[0].counters
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
