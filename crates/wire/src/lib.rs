//! How an event looks outside: the protobuf messages of `sentinel.v1`, the JSON object of a line, and [`evt1`] logs.
//!
//! Comes in: an [`Observation`](sentinel_event::Observation) and the [`Node`] it happened on. Goes out: an
//! [`v1::EventEnvelope`] ([`envelope`]) or bytes ([`Encoder`]). Both are made from one description of the
//! facts ([`facts`]), so they cannot disagree; `docs/reference/events.md` is written from it too.
//! [`read_object`] and [`write_object`] turn objects into envelopes and back; [`Events`] looks at messages where they lie.
//! The crate decides nothing: every fact it is given is encoded.

mod actor;
mod envelope;
mod errno;
mod events;
pub mod evt1;
mod facts;
mod flags;
mod id;
mod json;
mod message;
mod node;
mod object;
mod part;
pub mod raw;
mod reference;
pub mod rpc;
mod syscall;
mod value;

pub use envelope::envelope;
pub use events::{Event, Events, Malformed};
pub use facts::{Fact, Section, facts, facts_of};
pub use id::{EventId, EventIds};
pub use json::{Encoder, RULES};
pub use message::{Batch, batch_events, event_id, event_type, read_envelope};
pub use node::Node;
pub use object::{ObjectError, Transcoder, read_object, write_object};
pub use part::{Part, parts};
pub use reference::reference;
pub use syscall::syscall_name;
pub use value::Value;

/// Generated from `proto/sentinel/v1/events.proto`: messages, `detector_service_client`, `detector_service_server`.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/sentinel.v1.rs"));
}

/// `proto/` as an encoded `google.protobuf.FileDescriptorSet`: what gRPC reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
