//! JSON text → envelope, without a tree in between.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Unexpected, Visitor},
};
use serde_json::value::RawValue;

use crate::v1::EventEnvelope;

pub(super) fn envelope(text: &[u8]) -> serde_json::Result<EventEnvelope> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let event = from.deserialize_map(Envelope)?;
    from.end()?;
    Ok(event)
}

/// A string that is copied only when it holds escapes.
#[derive(Deserialize)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

struct Envelope;

impl<'de> Visitor<'de> for Envelope {
    type Value = EventEnvelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<EventEnvelope, M::Error> {
        let mut event = EventEnvelope::default();
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "event_id" => text(&mut map, &mut event.event_id)?,
                "ts_unix_nano" => event.ts_unix_nano = map.next_value::<Nanos>()?.0,
                "hostname" => text(&mut map, &mut event.hostname)?,
                "pod" | "pod_name" => text(&mut map, &mut event.pod_name)?,
                "namespace" => text(&mut map, &mut event.namespace)?,
                "container_id" => text(&mut map, &mut event.container_id)?,
                "event_type" => {
                    event.event_type.clear();
                    text(&mut map, &mut event.event_type)?;
                }
                "data" => texts(&mut map, &mut event.data)?,
                "attributes" => texts(&mut map, &mut event.attributes)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(event)
    }
}

/// What is said twice counts as in a protobuf message: the last text, and `null` says nothing.
fn text<'de, M: MapAccess<'de>>(map: &mut M, to: &mut String) -> Result<(), M::Error> {
    if let Some(text) = map.next_value()? {
        *to = text;
    }
    Ok(())
}

/// The same of maps: all their entries, the last of each key.
fn texts<'de, M: MapAccess<'de>>(map: &mut M, to: &mut BTreeMap<String, String>) -> Result<(), M::Error> {
    let texts = map.next_value::<Option<BTreeMap<String, AsText>>>()?.unwrap_or_default();
    to.extend(texts.into_iter().map(|(key, AsText(value))| (key, value)));
    Ok(())
}

/// Nanoseconds, as a number or as its digits: many JSON writers cannot hold 64 bits.
pub(super) struct Nanos(pub(super) u64);

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Nanos;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nanoseconds since the Unix epoch")
            }

            fn visit_u64<E: serde::de::Error>(self, nanos: u64) -> Result<Nanos, E> {
                Ok(Nanos(nanos))
            }

            fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<Nanos, E> {
                digits.parse().map(Nanos).map_err(|_| E::invalid_value(Unexpected::Str(digits), &self))
            }
        }
        from.deserialize_any(Number)
    }
}

/// A string, or the JSON text of anything else; nothing for null.
pub(super) struct AsText(String);

impl AsText {
    /// The text of a value.
    pub(super) fn of(value: &RawValue) -> serde_json::Result<Cow<'_, str>> {
        let raw = value.get();
        if raw == "null" {
            return Ok(Cow::Borrowed(""));
        }
        if !raw.starts_with('"') {
            return Ok(Cow::Borrowed(raw));
        }
        // Most strings hold no escape, and then the text is between the quotes.
        let inside = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
            return Ok(Cow::Borrowed(inside));
        }
        serde_json::from_str(raw).map(Cow::Owned)
    }
}

impl<'de> Deserialize<'de> for AsText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(from)?;
        Self::of(value).map(|text| Self(text.into_owned())).map_err(D::Error::custom)
    }
}
