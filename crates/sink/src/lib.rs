//! Outputs of alerts, and the files and spools they stand on.
//!
//! Comes in: [`Alert`](sentinel_event::Alert)s, rendered when they were found, and a [`OutputsConfig`]. Goes out:
//! lines on standard output and in files that rotate, HTTP requests, syslog messages, journal entries.
//! [`Outputs::send`] never waits: each output has a thread and a bounded queue of its own, counts what it cannot
//! take by cause, and fails for itself alone. [`Suppression`] holds back repetition and says so.
//!
//! The crate must never decide what to send.

mod backoff;
mod bus;
mod config;
mod counters;
mod error;
mod form;
mod output;
mod outputs;
mod rotate;
mod spool;
mod suppress;
mod tls;
mod worker;

pub use backoff::Backoff;
pub use bus::{Bus, BusError, Connected, PARTITIONS};
pub use config::{
    Batch, Dedup, Facility, FileOutput, HttpOutput, JournaldOutput, OrOff, OutputsConfig, RateLimit,
    SpoolConfig, StdoutOutput, Suppression, SyslogOutput, TlsFiles, documented,
};
pub use counters::{Counters, DropCause};
pub use error::SinkError;
pub use form::Format;
pub use outputs::{OutputStatus, Outputs};
pub use rotate::{RotatingFile, Rotation};
pub use spool::{Place, Record, Spool, SpoolError};
pub use suppress::SuppressedRule;
