//! The JSON object of an event that is an envelope already: what a file or a line holds (design.md, 4.2).

mod message;
mod plain;
mod read;

pub use message::Transcoder;

use crate::{
    json::Json,
    v1::EventEnvelope,
    value::{Out as _, Value},
};

/// Why a JSON text is not an event.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// Not JSON, or not an object, or a value that cannot be what its key says.
    #[error("not an event's JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// An object without the one key that no event lacks.
    #[error("not an event: it has no event_type")]
    NoType,
}

impl ObjectError {
    /// The text is no JSON at all, or ends too early: perhaps not even its bounds are right.
    pub fn is_syntax(&self) -> bool {
        matches!(self, Self::Json(error) if !error.is_data())
    }
}

/// Appends the object of `event` to `out`: one line, without its end. Control characters are escaped.
pub fn write_object(event: &EventEnvelope, out: &mut Vec<u8>) {
    let text = |out: &mut Vec<u8>, key: &str, value: &str| {
        out.extend_from_slice(key.as_bytes());
        Json(out).any(value.as_bytes());
    };
    text(out, "{\"event_id\":\"", &event.event_id);
    out.extend_from_slice(b"\",\"ts_unix_nano\":");
    Value::U64(event.ts_unix_nano).write(&mut Json(out));
    text(out, ",\"hostname\":\"", &event.hostname);
    text(out, "\",\"pod\":\"", &event.pod_name);
    text(out, "\",\"namespace\":\"", &event.namespace);
    text(out, "\",\"container_id\":\"", &event.container_id);
    text(out, "\",\"event_type\":\"", &event.event_type);
    for (opening, map) in
        [(&b"\",\"data\":{"[..], &event.data), (&b"},\"attributes\":{"[..], &event.attributes)]
    {
        out.extend_from_slice(opening);
        for (at, (key, value)) in map.iter().enumerate() {
            text(out, if at == 0 { "\"" } else { ",\"" }, key);
            text(out, "\":\"", value);
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"}}");
}

/// The event of a JSON object. Other writers are met half way: keys may be absent (but for `event_type`), unknown
/// ones are passed over, `pod_name` is `pod`, and values of `data` and `attributes` that are not strings become
/// their JSON text.
///
/// # Errors
/// When `text` is not such an object.
pub fn read_object(text: &[u8]) -> Result<EventEnvelope, ObjectError> {
    let event: EventEnvelope = read::envelope(text)?;
    if event.event_type.is_empty() { Err(ObjectError::NoType) } else { Ok(event) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, event: &EventEnvelope) {
        assert_eq!(&read_object(text.as_bytes()).unwrap(), event, "{text}");
    }

    #[test]
    fn other_writers_are_met_half_way() {
        let event = |event_type: &str| EventEnvelope { event_type: event_type.into(), ..Default::default() };
        check(r#"{"event_type":"exec"}"#, &event("exec"));
        check(r#" {"unknown":[{"a":1}],"event_type":"exec","data":null} "#, &event("exec"));
        let mut expected = EventEnvelope { pod_name: "p".into(), ts_unix_nano: 7, ..event("file_read") };
        check(r#"{"event_type":"file_read","pod_name":"p","ts_unix_nano":"7"}"#, &expected);
        check(r#"{"event_type":"file_read","pod":"p","ts_unix_nano":7}"#, &expected);
        for (key, value) in [("a", "1"), ("b", "true"), ("c", ""), ("d", r#"[1,"x"]"#), ("e", "-2.5")] {
            expected.data.insert(key.into(), value.into());
        }
        check(
            r#"{"event_type":"file_read","pod":"p","ts_unix_nano":7,"data":{"a":1,"b":true,"c":null,"d":[1,"x"],"e":-2.5}}"#,
            &expected,
        );
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for (text, syntax) in [
            ("", true),
            ("{", true),
            ("{\"event_type\":\"exec\"", true),
            ("{\"event_type\":\"exec\"}x", true),
            ("\u{1}", true),
            ("[]", false),
            ("7", false),
            ("{}", false),
            ("{\"event_type\":\"\"}", false),
            ("{\"event_type\":7}", false),
            ("{\"event_type\":\"exec\",\"ts_unix_nano\":-1}", false),
            ("{\"event_type\":\"exec\",\"ts_unix_nano\":1.5}", false),
            ("{\"event_type\":\"exec\",\"data\":[]}", false),
        ] {
            let error = read_object(text.as_bytes()).unwrap_err();
            assert_eq!(error.is_syntax(), syntax, "{text}: {error}");
        }
        let deep = format!("{{\"event_type\":\"exec\",\"data\":{{\"a\":{}", "[".repeat(1_000_000));
        assert!(read_object(deep.as_bytes()).is_err(), "no stack is deep enough");
        assert!(read_object(b"{\"event_type\":\"\xff\"}").is_err());
    }
}
