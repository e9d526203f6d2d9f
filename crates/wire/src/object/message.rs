//! JSON text → the bytes of a protobuf message, without an envelope in between.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::{
    ObjectError, plain,
    read::{AsText, Key, Nanos},
};
use crate::message::{
    ATTRIBUTES, CONTAINER_ID, DATA, EVENT_ID, EVENT_TYPE, EVENTS, HOSTNAME, NAMESPACE, POD_NAME, TIME, USUAL,
    entry, field, number, string,
};

/// Turns JSON objects of events into messages; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub struct Transcoder {
    message: Vec<u8>,
}

impl Transcoder {
    /// Appends the event of a JSON object to `out` as one of the `events` of a `sentinel.v1.EventBatch`, as
    /// [`Encoder::batched`](crate::Encoder::batched) does. Gives its time, nanoseconds since the Unix epoch. What
    /// other writers may do is as for [`read_object`](crate::read_object).
    ///
    /// # Errors
    /// When `text` is not such an object; `out` is as before then.
    pub fn batched(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<u64, ObjectError> {
        self.message.clear();
        self.message.reserve(USUAL);
        let found = match plain::envelope(text, &mut self.message) {
            Some(found) => found,
            None => {
                self.message.clear();
                let mut from = serde_json::Deserializer::from_slice(text);
                let found = from.deserialize_map(Envelope { message: &mut self.message })?;
                from.end()?;
                found
            }
        };
        if !found.typed {
            return Err(ObjectError::NoType);
        }
        // Behind what has a length: who looks for a text stops at the first field without one.
        if found.time_ns != 0 {
            number(&mut self.message, TIME, found.time_ns);
        }
        field(out, EVENTS, &self.message);
        Ok(found.time_ns)
    }
}

/// What is not text.
#[derive(Default)]
pub(super) struct Found {
    pub(super) time_ns: u64,
    pub(super) typed: bool,
}

struct Envelope<'b> {
    message: &'b mut Vec<u8>,
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Found, M::Error> {
        let Self { message } = self;
        let mut found = Found::default();
        while let Some(Key(key)) = map.next_key()? {
            let tag = match key.as_ref() {
                "event_id" => EVENT_ID,
                "hostname" => HOSTNAME,
                "pod" | "pod_name" => POD_NAME,
                "namespace" => NAMESPACE,
                "container_id" => CONTAINER_ID,
                "event_type" => {
                    let text: Option<Key<'_>> = map.next_value()?;
                    let text = text.as_ref().map(|Key(text)| text.as_bytes()).unwrap_or_default();
                    found.typed = !text.is_empty();
                    string(message, EVENT_TYPE, text);
                    continue;
                }
                "ts_unix_nano" => {
                    found.time_ns = map.next_value::<Nanos>()?.0;
                    continue;
                }
                "data" => {
                    map.next_value_seed(Texts { message, tag: DATA })?;
                    continue;
                }
                "attributes" => {
                    map.next_value_seed(Texts { message, tag: ATTRIBUTES })?;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if let Some(Key(text)) = map.next_value::<Option<Key<'_>>>()? {
                string(message, tag, text.as_bytes());
            }
        }
        Ok(found)
    }
}

/// A map of texts, or null.
struct Texts<'b> {
    message: &'b mut Vec<u8>,
    tag: u32,
}

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(Key(key)) = map.next_key()? {
            let value: &serde_json::value::RawValue = map.next_value()?;
            let value: Cow<'_, str> = AsText::of(value).map_err(M::Error::custom)?;
            entry(self.message, self.tag, key.as_bytes(), value.as_bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{batch_events, read_envelope, read_object};

    use super::*;

    fn check(text: &str) {
        let (mut coder, mut out) = (Transcoder::default(), b"before".to_vec());
        let coded = coder.batched(text.as_bytes(), &mut out);
        match read_object(text.as_bytes()) {
            Ok(event) => {
                assert_eq!(coded.unwrap(), event.ts_unix_nano, "{text}");
                let messages: Vec<_> = batch_events(out.get(6..).unwrap()).collect();
                assert_eq!(messages.len(), 1, "{text}");
                assert_eq!(read_envelope(messages.first().unwrap()).unwrap(), event, "{text}");
            }
            Err(error) => {
                let same = coded.unwrap_err();
                assert_eq!(same.is_syntax(), error.is_syntax(), "{text}: {same}");
                assert_eq!(out, b"before", "{text}");
            }
        }
    }

    #[test]
    fn the_message_is_that_of_the_envelope() {
        for text in [
            r#"{"event_type":"exec"}"#,
            r#" {"unknown":[{"a":1}],"event_type":"exec","data":null,"pod":null} "#,
            r#"{"ts_unix_nano":7,"event_id":"e","hostname":"h","pod_name":"p","namespace":"n","container_id":"c","event_type":"\u0065xec","data":{"a":"b\"\n\u00e9","c":1,"d":[1, 2],"e":null},"attributes":{"x.y":"z"}}"#,
            r#"{"ts_unix_nano":"18446744073709551615","event_type":"exec"}"#,
            r#"{"event_type":"exec","event_type":""}"#,
            r#"{"data":{"a":"1","a":"2"},"event_type":"exec"}"#,
            r#"{"data":{"a":"1","b":"1"},"event_type":"exec","data":{"a":"2"},"attributes":{"c":"1"},"attributes":null}"#,
            r#"{"hostname":"a","hostname":null,"pod":"p","pod_name":"q","event_type":"exec"}"#,
            r#"{"event_type":"exec","event_type":null}"#,
            r#"{"event_type":""}"#,
            r#"{"event_id":"e"}"#,
            r#"{"event_type":7}"#,
            r#"{"event_type":"exec","data":[]}"#,
            r#"{"event_type":"exec","ts_unix_nano":-1}"#,
            r#"{"event_type":"exec"} x"#,
            r#"{"event_type":"exec","data":{}}"#,
            r#"{"event_type":"exec","data":{"a":"1"},"attributes":{"é":"–"}}"#,
            r#"{"event_type":"exec","data":{"a":"1",}}"#,
            r#"{"event_type":"exec","ts_unix_nano":07}"#,
            r#"{"event_type":"exec","ts_unix_nano":18446744073709551616}"#,
            r#"{"event_type":"exec","ts_unix_nano":7,}"#,
            "{\"event_type\":\"exec\",\"data\":{\"a\":\"\u{1}\"}}",
            r#"{"event_type":"exec""#,
            "[]",
            "",
        ] {
            check(text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_read_in_two_ways(text in r#"\{("event_type":"[a-z\\"]{0,4}"|"data":\{("[a-c]":("x"|1|null|\[\]),?){0,3}\}|"hostname":("[a-b]"|null)|"ts_unix_nano":"?[0-9-]{1,3}"?|,|\}){0,6}"#) {
            check(&text);
        }
    }
}
