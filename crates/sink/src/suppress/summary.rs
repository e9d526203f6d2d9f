//! The alert that stands for those that were held back.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

use chrono::{DateTime, SecondsFormat};
use sentinel_event::Alert;

use super::table::Held;
use crate::form::escape;

/// An alert of the same rule, whose fields are `suppressed.count`, `suppressed.first` and `suppressed.last`.
pub(super) fn of(held: &Held, hostname: &str) -> Alert {
    let Held { count, rule_id, rule, priority, severity, risk_score, .. } = held;
    let rfc = |nanos: u64| {
        DateTime::from_timestamp_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
            .to_rfc3339_opts(SecondsFormat::Nanos, true)
    };
    let (first, last, id) = (rfc(held.first_ns), rfc(held.last_ns), identity(held.last_ns));
    let reason = format!("{rule}: {count} more such alerts were held back (first={first} last={last})");
    let json = |text: &str| {
        let mut out = Vec::new();
        escape(text, &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    let (quoted_reason, quoted_rule, quoted_id, node) =
        (json(&reason), json(rule), json(rule_id), json(hostname));
    let fields = format!(
        "\"suppressed.count\":{count},\"suppressed.first\":\"{first}\",\"suppressed.last\":\"{last}\""
    );
    let sentinel_json = format!(
        "{{\"rule_id\":\"{quoted_id}\",\"severity\":\"{}\",\"risk_score\":{risk_score},\"reason\":\"{quoted_reason}\",\"recommendation\":\"\",\
         \"event\":{{}},\"timestamp\":\"{last}\",\"rule\":\"{quoted_rule}\",\"tags\":[],\"output_fields\":{{{fields}}},\
         \"suppressed\":{{\"count\":{count},\"first\":\"{first}\",\"last\":\"{last}\"}}}}",
        severity.name()
    );
    let falco_json = format!(
        "{{\"hostname\":\"{node}\",\"output\":\"{quoted_reason}\",\"output_fields\":{{{fields}}},\"priority\":\"{}\",\"rule\":\"{quoted_rule}\",\
         \"source\":\"syscall\",\"tags\":[],\"time\":\"{last}\",\"uuid\":\"{id}\"}}",
        priority.name()
    );
    Alert {
        id,
        time_ns: held.last_ns,
        rule_id: rule_id.clone(),
        rule: rule.clone(),
        priority: *priority,
        severity: *severity,
        risk_score: *risk_score,
        fields: vec![
            ("SUPPRESSED_COUNT", count.to_string().into()),
            ("SUPPRESSED_FIRST", first.as_str().into()),
            ("SUPPRESSED_LAST", last.as_str().into()),
        ],
        sentinel_json: sentinel_json.into_bytes(),
        falco_json: falco_json.into_bytes(),
        text: format!("{last}: {} {reason}", priority.name()).into_bytes(),
        reason: reason.into(),
    }
}

/// A UUID version 7 of that time; its random bits are the operating system's.
fn identity(nanos: u64) -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (millis, one, two) = (nanos / 1_000_000, random(), random());
    let (high, low) = (millis >> 16 & 0xffff_ffff, millis & 0xffff);
    format!(
        "{high:08x}-{low:04x}-7{:03x}-{:04x}-{:012x}",
        one & 0xfff,
        0x8000 | (one >> 12 & 0x3fff),
        two & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sentinel_event::{Priority, Severity};

    use super::*;

    #[test]
    fn a_summary_says_how_many_from_when_to_when() {
        let held = Held {
            count: 42,
            first_ns: 1_700_000_000_000_000_000,
            last_ns: 1_700_000_001_000_000_000,
            rule_id: Arc::from("a\"b"),
            rule: Arc::from("A \"rule\""),
            priority: Priority::Warning,
            severity: Severity::Medium,
            risk_score: 55,
        };
        let alert = of(&held, "node");
        let sentinel: serde_json::Value = serde_json::from_slice(&alert.sentinel_json).unwrap();
        assert_eq!(sentinel["rule_id"], "a\"b");
        assert_eq!(sentinel["suppressed"]["count"], 42);
        assert_eq!(sentinel["suppressed"]["first"], "2023-11-14T22:13:20.000000000Z");
        assert_eq!(sentinel["timestamp"], "2023-11-14T22:13:21.000000000Z");
        let falco: serde_json::Value = serde_json::from_slice(&alert.falco_json).unwrap();
        assert_eq!(falco["output_fields"]["suppressed.count"], 42);
        assert_eq!((falco["priority"].as_str(), falco["hostname"].as_str()), (Some("Warning"), Some("node")));
        assert_eq!(
            String::from_utf8(alert.text).unwrap(),
            "2023-11-14T22:13:21.000000000Z: Warning A \"rule\": 42 more such alerts were held back \
             (first=2023-11-14T22:13:20.000000000Z last=2023-11-14T22:13:21.000000000Z)"
        );
        let id = alert.id.as_bytes();
        assert_eq!((id.len(), id[14]), (36, b'7'), "{}", alert.id);
        assert!(matches!(id[19], b'8' | b'9' | b'a' | b'b'), "{}", alert.id);
    }
}
