//! The form that an alert takes in an output.

use std::collections::BTreeMap;

use sentinel_event::Alert;
use serde::{Deserialize, Serialize};

/// The form of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Sentinel's JSON object.
    #[default]
    Sentinel,
    /// Falco's JSON object.
    Falco,
    /// `time: Priority message`.
    Text,
}

impl Format {
    /// The rendered alert, without an end of line.
    pub(crate) fn of(self, alert: &Alert) -> &[u8] {
        match self {
            Self::Sentinel => &alert.sentinel_json,
            Self::Falco => &alert.falco_json,
            Self::Text => &alert.text,
        }
    }

    /// Media type of one alert.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Sentinel | Self::Falco => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// Constant fields that an output adds: `,"key":"value"` each, escaped once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extra(Vec<u8>);

impl Extra {
    pub(crate) fn new(fields: &BTreeMap<String, String>) -> Self {
        let mut json = Vec::new();
        for (key, value) in fields {
            json.extend_from_slice(b",\"");
            escape(key, &mut json);
            json.extend_from_slice(b"\":\"");
            escape(value, &mut json);
            json.push(b'"');
        }
        Self(json)
    }

    /// The alert with the fields: at the top of Sentinel's object, in `output_fields` of Falco's, whose top is
    /// fixed; plain text has no fields.
    pub(crate) fn render(&self, alert: &Alert, format: Format) -> Vec<u8> {
        const FIELDS: &[u8] = b"\"output_fields\":{";
        let object = format.of(alert);
        let own = match format {
            _ if self.0.is_empty() => None,
            Format::Text => None,
            Format::Sentinel => object.len().checked_sub(1),
            // Inside a string the quotes would be escaped.
            Format::Falco => {
                object.windows(FIELDS.len()).position(|at| at == FIELDS).map(|at| at + FIELDS.len())
            }
        };
        let Some((before, after)) = own.and_then(|at| object.split_at_checked(at)) else {
            return object.to_vec();
        };
        let mut out = Vec::with_capacity(object.len() + self.0.len());
        out.extend_from_slice(before);
        if before.ends_with(b"{") {
            out.extend_from_slice(self.0.get(1..).unwrap_or_default());
            if !after.starts_with(b"}") {
                out.push(b',');
            }
        } else {
            out.extend_from_slice(&self.0);
        }
        out.extend_from_slice(after);
        out
    }
}

/// Appends the inside of a JSON string. Every control character is escaped: a terminal may obey them.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    for char in text.chars() {
        match char {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            control if control.is_control() => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Bytes that a watched process chose, as one line of text: what is not UTF-8 is U+FFFD, control characters are
/// `\u{…}`.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for char in String::from_utf8_lossy(bytes).chars() {
        if char.is_control() { text.extend(char.escape_unicode()) } else { text.push(char) }
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use sentinel_event::{Priority, Severity};

    use super::*;

    /// An alert of a rule with this id.
    pub(crate) fn alert(rule_id: &str) -> Alert {
        Alert {
            id: "0190b6f5-0000-7000-8000-000000000001".into(),
            time_ns: 1_700_000_000_123_456_789,
            rule_id: Arc::from(rule_id),
            rule: Arc::from("A rule"),
            priority: Priority::Warning,
            severity: Severity::Medium,
            risk_score: 55,
            reason: b"a \"quoted\" file\n\xff"[..].into(),
            fields: vec![("PID", b"7"[..].into()), ("FILENAME", b"/tmp/a]b\\\"\n"[..].into())],
            sentinel_json: format!("{{\"rule_id\":\"{rule_id}\"}}").into_bytes(),
            falco_json: br#"{"output":"\"output_fields\":{","output_fields":{"a":1},"rule":"A rule"}"#
                .to_vec(),
            text: b"22:13:20.123456789: Warning a \"quoted\" file".to_vec(),
        }
    }

    #[test]
    fn extra_fields_are_where_readers_look() {
        let fields = BTreeMap::from([("env".into(), "a \"b\"\n".into()), ("x".into(), "y".into())]);
        let extra = Extra::new(&fields);
        let render =
            |extra: &Extra, alert: &Alert, format| String::from_utf8(extra.render(alert, format)).unwrap();
        let mut alert = alert("r");
        for (format, expected) in [
            (Format::Sentinel, r#"{"rule_id":"r","env":"a \"b\"\u000a","x":"y"}"#),
            (
                Format::Falco,
                r#"{"output":"\"output_fields\":{","output_fields":{"env":"a \"b\"\u000a","x":"y","a":1},"rule":"A rule"}"#,
            ),
            (Format::Text, r#"22:13:20.123456789: Warning a "quoted" file"#),
        ] {
            assert_eq!(render(&extra, &alert, format), expected);
            assert_eq!(render(&Extra::default(), &alert, format).as_bytes(), format.of(&alert));
        }
        alert.falco_json = br#"{"output_fields":{}}"#.to_vec();
        let expected = r#"{"output_fields":{"env":"a \"b\"\u000a","x":"y"}}"#;
        assert_eq!(render(&extra, &alert, Format::Falco), expected);
        alert.sentinel_json = b"{}".to_vec();
        assert_eq!(render(&extra, &alert, Format::Sentinel), r#"{"env":"a \"b\"\u000a","x":"y"}"#);
    }
}
