//! Somebody works against the sensor: an alert like every other, on every output. No rule makes it, since a rule can
//! only judge what the sensor still sees.

use std::time::SystemTime;

use sentinel_event::{Alert, Priority, Severity, Text};
use sentinel_probe::HookFault;
use sentinel_wire::EventIds;
use serde_json::json;

/// `rule_id` of such alerts.
const RULE_ID: &str = "sensor_tampering";
const RULE: &str = "Sensor tampering";
const RISK: u8 = 95;
const RECOMMENDATION: &str =
    "Find out who had root on this machine just now, and do not trust what it tells until then.";

/// What is wrong, as an alert of this node.
pub(crate) fn alert(fault: &HookFault, hostname: &str, ids: &mut EventIds) -> Alert {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let time = chrono::DateTime::from_timestamp_nanos(i64::try_from(time_ns).unwrap_or(i64::MAX));
    let time = time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    let (severity, priority) = (Severity::Critical, Priority::Critical);
    let hook = fault.hook.as_deref().unwrap_or_default();
    let reason = match (fault.program, hook) {
        ("", _) => format!("the sensor was tampered with: {}", fault.reason),
        (program, "") => format!("the sensor was tampered with: program {program}: {}", fault.reason),
        (program, hook) => {
            format!("the sensor was tampered with: program {program} at {hook}: {}", fault.reason)
        }
    };
    let fields = json!({"sensor.program": fault.program, "sensor.hook": hook, "sensor.fault": fault.reason});
    let sentinel = json!({
        "rule_id": RULE_ID, "rule": RULE, "severity": severity.name(), "risk_score": RISK, "reason": reason,
        "recommendation": RECOMMENDATION, "event": {"EventType": "canary"}, "container": {"id": ""},
        "pod": {"name": "", "namespace": "", "node": hostname}, "timestamp": time, "addr": "", "lineage": [], "tags": ["sensor"],
        "output_fields": fields,
    });
    let text = format!("{time}: {} {reason}", priority.name());
    let falco = json!({
        "hostname": hostname, "output": text, "output_fields": fields, "priority": priority.name(), "rule": RULE,
        "source": "syscall", "tags": ["sensor"], "time": time,
    });
    Alert {
        id: ids.next(time_ns).to_string(),
        time_ns,
        rule_id: RULE_ID.into(),
        rule: RULE.into(),
        priority,
        severity,
        risk_score: RISK,
        fields: vec![("EVENT_TYPE", Text::from("canary"))],
        sentinel_json: sentinel.to_string().into_bytes(),
        falco_json: falco.to_string().into_bytes(),
        text: text.into_bytes(),
        reason: Text::from(reason),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_fault_names_the_program_and_the_hook() {
        let mut fault =
            HookFault { program: "exec", hook: Some("tp_btf/x".into()), reason: "it is gone".into() };
        let told = |fault: &HookFault| alert(fault, "node", &mut EventIds::default());
        let first = told(&fault);
        assert_eq!((&*first.rule_id, first.severity, first.risk_score), (RULE_ID, Severity::Critical, RISK));
        let words = "the sensor was tampered with: program exec at tp_btf/x: it is gone";
        assert_eq!(first.reason, words);
        let object: Value = serde_json::from_slice(&first.sentinel_json).unwrap();
        assert_eq!((&object["reason"], &object["pod"]["node"]), (&json!(words), &json!("node")));
        let object: Value = serde_json::from_slice(&first.falco_json).unwrap();
        assert_eq!(object["output_fields"]["sensor.program"], "exec");
        fault.hook = None;
        assert_eq!(told(&fault).reason, "the sensor was tampered with: program exec: it is gone");
        fault.program = "";
        assert_eq!(told(&fault).reason, "the sensor was tampered with: it is gone");
    }
}
