//! How an event looks outside: the protobuf messages of `sentinel.v1` and the JSON object of a line.
//!
//! Comes in: an [`Observation`](sentinel_event::Observation) and the [`Node`] it happened on. Goes out: an
//! [`v1::EventEnvelope`] ([`envelope`]) or bytes ([`Encoder`]). Both are made from one description of the
//! facts ([`facts`]), so they cannot disagree; `docs/reference/events.md` is written from it too.
//! The crate decides nothing: every fact it is given is encoded.

mod envelope;
mod errno;
mod facts;
mod flags;
mod id;
mod json;
mod node;
mod reference;
mod syscall;
mod value;

pub use envelope::envelope;
pub use facts::{Fact, Section, facts, facts_of};
pub use id::{EventId, EventIds};
pub use json::Encoder;
pub use node::Node;
pub use reference::reference;
pub use syscall::syscall_name;
pub use value::Value;

/// Generated from `proto/sentinel/v1/events.proto`.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/sentinel.v1.rs"));
}
