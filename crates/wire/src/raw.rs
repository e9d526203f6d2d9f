//! `PushEvents` for receivers that look at events where they lie: the same messages and the same service as in
//! [`v1`](crate::v1), but that events stay bytes. See [`Events`](crate::Events).

use bytes::Bytes;
use prost::Message;

/// `sentinel.v1.EventBatch`, its events not decoded: on the wire the same.
#[derive(Clone, PartialEq, Message)]
pub struct EventBatch {
    /// Chosen by the sender, rising within a stream.
    #[prost(uint64, tag = "1")]
    pub sequence: u64,
    /// Each a `sentinel.v1.EventEnvelope`.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub events: Vec<Bytes>,
}

pub use service::detector_service_server;

/// Generated from `proto/sentinel/v1/events.proto`: the server.
mod service {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/raw/sentinel.v1.rs"));
}
