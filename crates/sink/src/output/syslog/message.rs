//! The text of a message.

use std::io::Write as _;

use chrono::{DateTime, SecondsFormat};
use sentinel_event::Alert;

use crate::{Facility, Format, form::printable};

/// What every message of this program begins with.
#[derive(Debug)]
pub(super) struct Header {
    facility: u8,
    hostname: String,
    pid: u32,
}

impl Header {
    pub(super) fn new(facility: Facility, hostname: &str) -> Self {
        // PRINTUSASCII, at most 255; "-" for nothing (RFC 5424, 6.2.4).
        let mut hostname: String = hostname.chars().filter(char::is_ascii_graphic).take(255).collect();
        if hostname.is_empty() {
            hostname.push('-');
        }
        Self { facility: facility.number(), hostname, pid: std::process::id() }
    }

    /// The message of an alert.
    pub(super) fn message(&self, alert: &Alert, format: Format) -> Vec<u8> {
        // A priority of Falco's is a severity of syslog's: both count from Emergency, 0, to Debug, 7.
        let priority = u16::from(self.facility) * 8 + u16::from(alert.priority as u8);
        let time = DateTime::from_timestamp_nanos(i64::try_from(alert.time_ns).unwrap_or(i64::MAX));
        let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut out = Vec::with_capacity(1024);
        let (hostname, pid) = (&self.hostname, self.pid);
        // Writing to a vector does not fail.
        let _ = write!(out, "<{priority}>1 {time} {hostname} sentinel {pid} alert [sentinel@32473");
        for (name, value) in [
            ("alert_id", alert.id.as_bytes()),
            ("rule_id", alert.rule_id.as_bytes()),
            ("rule", alert.rule.as_bytes()),
            ("severity", alert.severity.name().as_bytes()),
            ("risk_score", alert.risk_score.to_string().as_bytes()),
        ] {
            parameter(&mut out, name, value);
        }
        for (name, value) in &alert.fields {
            parameter(&mut out, &name.to_ascii_lowercase(), value);
        }
        out.extend_from_slice(b"] ");
        match format {
            Format::Text => out.extend_from_slice(printable(&alert.reason).as_bytes()),
            Format::Sentinel | Format::Falco => out.extend_from_slice(format.of(alert)),
        }
        out
    }
}

/// ` name="value"`, so that no value can end its quotes or its line (RFC 5424, 6.3.3).
fn parameter(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    if name.is_empty() || name.len() > 32 || !name.bytes().all(good) {
        return;
    }
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    for char in printable(value).chars() {
        if matches!(char, '"' | '\\' | ']') {
            out.push(b'\\');
        }
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::tests::alert;

    #[test]
    fn no_value_can_end_its_quotes_or_its_line() {
        let header = Header { facility: 3, hostname: "node".into(), pid: 7 };
        let text = |format| String::from_utf8(header.message(&alert("r"), format)).unwrap();
        let head = r#"<28>1 2023-11-14T22:13:20.123456Z node sentinel 7 alert [sentinel@32473 alert_id="0190b6f5-0000-7000-8000-000000000001" rule_id="r" rule="A rule" severity="medium" risk_score="55" pid="7" filename="/tmp/a\]b\\\"\\u{a}"] "#;
        assert_eq!(text(Format::Text), format!("{head}a \"quoted\" file\\u{{a}}\u{fffd}"));
        assert_eq!(text(Format::Sentinel), format!("{head}{{\"rule_id\":\"r\"}}"));
    }

    #[test]
    fn a_name_of_the_host_is_one_word() {
        for (name, expected) in [("node", "node"), ("", "-"), ("a b\n\u{e4}", "ab")] {
            assert_eq!(Header::new(Facility::DAEMON, name).hostname, expected);
        }
    }
}
