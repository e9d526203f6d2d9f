//! Events where they lie: the bytes of their messages, and where in them each text is. Looking at one allocates
//! nothing; most of what an event tells nobody asks for.

mod walk;

use bytes::Bytes;
use prost::Message as _;

use self::walk::{Fact, Head, Mark, Span};
use crate::{raw::EventBatch, v1::EventEnvelope};

/// Bytes that are no event: not a protobuf message, or text in it that is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a message sentinel.v1.EventEnvelope: {0}")]
pub struct Malformed(String);

/// Events, checked once and read in place.
#[derive(Debug, Clone, Default)]
pub struct Events {
    messages: Vec<Bytes>,
    heads: Vec<Head>,
    /// Of all events, one after the other.
    facts: Vec<Fact>,
}

impl Events {
    /// Events that came as messages `sentinel.v1.EventEnvelope`.
    ///
    /// # Errors
    /// [`Malformed`]: one of them is none.
    pub fn read(messages: Vec<Bytes>) -> Result<Self, Malformed> {
        let mut heads = Vec::with_capacity(messages.len());
        let mut facts = Vec::new();
        for message in &messages {
            let head = walk::head(message, &mut facts)?;
            heads.push(head);
            if heads.len() == 1 {
                // Events of a batch are of one kind with each other, more or less.
                facts.reserve(facts.len().saturating_mul(messages.len() - 1).min(FACTS));
            }
        }
        Ok(Self { messages, heads, facts })
    }

    /// Events of a `sentinel.v1.EventBatch`.
    ///
    /// # Errors
    /// [`Malformed`]: it is none, or one of its events is none.
    pub fn of_batch(batch: impl Into<Bytes>) -> Result<Self, Malformed> {
        let batch = EventBatch::decode(batch.into()).map_err(|error| Malformed(error.to_string()))?;
        Self::read(batch.events)
    }

    /// The same events as messages in memory.
    pub fn of(envelopes: &[EventEnvelope]) -> Self {
        let messages = envelopes.iter().map(|envelope| envelope.encode_to_vec().into()).collect();
        // What was just encoded can be read.
        Self::read(messages).unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The event at this place.
    pub fn get(&self, place: usize) -> Option<Event<'_>> {
        let (message, head) = (self.messages.get(place)?, self.heads.get(place)?);
        let facts = self.facts.get(head.facts.clone()).unwrap_or_default();
        Some(Event { message, head, facts })
    }

    /// All, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Event<'_>> {
        self.messages.iter().zip(&self.heads).map(|(message, head)| {
            let facts = self.facts.get(head.facts.clone()).unwrap_or_default();
            Event { message, head, facts }
        })
    }
}

/// Places of facts that are reserved at most before they are found: a first event must not promise too much.
const FACTS: usize = 1 << 16;

/// An event of [`Events`].
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    message: &'a Bytes,
    head: &'a Head,
    facts: &'a [Fact],
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> &'a str { self.text(self.head.$name) })*
    };
}

impl<'a> Event<'a> {
    texts! {
        /// Its name, a UUID; empty when the sender gave it none.
        event_id;
        /// The node.
        hostname;
        /// The pod that caused it; empty outside Kubernetes.
        pod_name;
        /// The pod's Kubernetes namespace; empty outside Kubernetes.
        namespace;
        /// Full id of the container that caused it; empty on the host.
        container_id;
        /// Its kind.
        event_type;
    }

    /// When it happened, nanoseconds since the Unix epoch.
    pub fn ts_unix_nano(&self) -> u64 {
        self.head.time_ns
    }

    /// What the event says of itself under this key; none when it does not.
    pub fn data(&self, key: &str) -> Option<&'a str> {
        self.find(true, key)
    }

    /// What surrounds it under this key; none when that is not told.
    pub fn attribute(&self, key: &str) -> Option<&'a str> {
        self.find(false, key)
    }

    /// Its message `sentinel.v1.EventEnvelope`.
    pub fn message(&self) -> &'a Bytes {
        self.message
    }

    /// All of it in memory.
    pub fn envelope(&self) -> EventEnvelope {
        // It was looked at: it can be decoded.
        EventEnvelope::decode(&**self.message).unwrap_or_default()
    }

    fn find(&self, data: bool, key: &str) -> Option<&'a str> {
        // Of a key that is there twice the last counts, as in any protobuf map.
        let mark = Mark::of(data, key.as_bytes());
        let same = |fact: &&Fact| fact.mark == mark && fact.key.of(self.message) == key.as_bytes();
        self.facts.iter().rev().find(same).map(|fact| self.text(fact.value))
    }

    fn text(&self, span: Span) -> &'a str {
        // It was looked at: it is UTF-8.
        str::from_utf8(span.of(self.message)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
