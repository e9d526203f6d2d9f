//! Events as the bytes of protobuf messages, without the messages in between: one event costs no allocation.

use bytes::Bytes;
use prost::{
    Message as _,
    encoding::{decode_varint, encode_varint, encoded_len_varint},
};
use sentinel_event::Observation;

use crate::{
    Encoder, EventId, Section,
    facts::{Part, facts_in},
    json::RULES,
    v1::EventEnvelope,
    value::Value,
};

// Tags of fields with a length (wire type 2): number << 3 | 2.
pub(crate) const EVENT_ID: u32 = 1 << 3 | 2;
pub(crate) const HOSTNAME: u32 = 2 << 3 | 2;
pub(crate) const POD_NAME: u32 = 3 << 3 | 2;
pub(crate) const NAMESPACE: u32 = 4 << 3 | 2;
pub(crate) const CONTAINER_ID: u32 = 5 << 3 | 2;
pub(crate) const EVENT_TYPE: u32 = 9 << 3 | 2;
pub(crate) const DATA: u32 = 10 << 3 | 2;
pub(crate) const ATTRIBUTES: u32 = 20 << 3 | 2;
/// A number (wire type 0).
pub(crate) const TIME: u32 = 30 << 3;
pub(crate) const KEY: u32 = 1 << 3 | 2;
pub(crate) const VALUE: u32 = 2 << 3 | 2;
/// `EventBatch.events`.
pub(crate) const EVENTS: u32 = 2 << 3 | 2;
/// `EventBatch.sequence`.
const SEQUENCE: u32 = 1 << 3;

impl Encoder {
    /// Appends the event to `out` as one of the `events` of a `sentinel.v1.EventBatch`: tag, length, message. The
    /// event is called `id`. See [`batch_events`] and [`Batch`].
    pub fn batched(&mut self, id: EventId, observation: &Observation, folded: u64, out: &mut Vec<u8>) {
        let mut message = Vec::with_capacity(USUAL);
        string(&mut message, EVENT_ID, &id.text());
        string(&mut message, HOSTNAME, self.node.hostname.as_bytes());
        if let Some(pod) = observation.pod() {
            string(&mut message, POD_NAME, pod.name.as_bytes());
            string(&mut message, NAMESPACE, pod.namespace.as_bytes());
        }
        string(
            &mut message,
            CONTAINER_ID,
            observation.container_id.as_deref().unwrap_or_default().as_bytes(),
        );
        string(&mut message, EVENT_TYPE, observation.event.kind().name().as_bytes());
        let mut text = String::new();
        let mut put = |message: &mut Vec<u8>, section, key: &str, value: Value<'_>| {
            text.clear();
            value.write(&mut text);
            let tag = if section == Section::Data { DATA } else { ATTRIBUTES };
            entry(message, tag, key.as_bytes(), text.as_bytes());
        };
        let mut told = |part, message: &mut Vec<u8>| {
            facts_in(part, observation, folded, &mut |fact, value| {
                put(message, fact.section, fact.key, value);
            });
        };
        told(Part::Before, &mut message);
        message.extend_from_slice(self.messages.encoded(observation, |message| told(Part::Actor, message)));
        told(Part::After, &mut message);
        if let Some(generation) = self.rules {
            put(&mut message, Section::Attributes, RULES, Value::U64(generation));
        }
        if observation.event.head.real_ns != 0 {
            number(&mut message, TIME, observation.event.head.real_ns);
        }
        field(out, EVENTS, &message);
    }
}

/// A message seldom has more bytes.
pub(crate) const USUAL: usize = 1536;

/// Nothing is left out, as the default would be.
pub(crate) fn field(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    encode_varint(tag.into(), out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// An entry of a map of texts.
pub(crate) fn entry(out: &mut Vec<u8>, tag: u32, key: &[u8], value: &[u8]) {
    // Their tags have one byte each.
    let size = |text: &[u8]| 1 + encoded_len_varint(text.len() as u64) + text.len();
    encode_varint(tag.into(), out);
    encode_varint((size(key) + size(value)) as u64, out);
    field(out, KEY, key);
    field(out, VALUE, value);
}

pub(crate) fn string(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        field(out, tag, bytes);
    }
}

pub(crate) fn number(out: &mut Vec<u8>, tag: u32, value: u64) {
    encode_varint(tag.into(), out);
    encode_varint(value, out);
}

/// An `EventBatch` of events that [`Encoder::batched`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Chosen by the sender, rising within a stream.
    pub sequence: u64,
    /// As they were written, one behind the other.
    pub events: Bytes,
}

impl Batch {
    /// What stands before the events in the message.
    pub fn head(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(11);
        number(&mut out, SEQUENCE, self.sequence);
        out
    }
}

/// The messages in what [`Encoder::batched`] wrote; ends early where it is not right.
pub fn batch_events(mut events: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let tag = decode_varint(&mut events).ok()?;
        let length = usize::try_from(decode_varint(&mut events).ok()?).ok()?;
        let (message, rest) = events.split_at_checked(length).filter(|_| tag == u64::from(EVENTS))?;
        events = rest;
        Some(message)
    })
}

/// The `event_id` of a message that [`Encoder::batched`] wrote.
pub fn event_id(message: &[u8]) -> Option<&[u8]> {
    text_of(message, EVENT_ID)
}

/// The `event_type` of a message that [`Encoder::batched`] wrote.
pub fn event_type(message: &[u8]) -> Option<&[u8]> {
    text_of(message, EVENT_TYPE)
}

/// The envelope that a message is.
pub fn read_envelope(message: &[u8]) -> Option<EventEnvelope> {
    EventEnvelope::decode(message).ok()
}

/// The first field with this tag; those that are looked for come before any without a length.
fn text_of(message: &[u8], wanted: u32) -> Option<&[u8]> {
    texts_of(message, wanted).next()
}

/// The fields with this tag, up to the first without a length.
pub(crate) fn texts_of(mut message: &[u8], wanted: u32) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        loop {
            let tag = decode_varint(&mut message).ok()?;
            let length = usize::try_from(decode_varint(&mut message).ok()?).ok()?;
            let (field, rest) = message.split_at_checked(length).filter(|_| tag & 7 == 2)?;
            message = rest;
            if tag == u64::from(wanted) {
                return Some(field);
            }
        }
    })
}
