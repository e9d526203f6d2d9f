//! The detector: takes events and alerts from nodes, judges, remembers, tells.
//!
//! Comes in: `sentinel.v1.DetectorService` over gRPC. Goes out: one ordered feed of alerts and an API over HTTP,
//! and the history on the disk. Nothing is acknowledged before it is safe there. The crate never needs
//! privileges, a kernel of any version, or BPF.

mod anomaly;
mod bus;
mod config;
mod engine;
mod error;
mod grpc;
mod history;
mod http;
mod hub;
mod intake;
mod meters;
mod nodes;
mod piece;
mod program;
mod replay;
mod run;
mod store;
mod time;
mod traces;

pub use config::{
    Age, Baseline, ClientTls, Config, ConfigError, DEFAULT_PATH, EngineName, External, Grpc, History, Http,
    LogLevel, Nats, NatsTls, PostgresUrl, Retention, Tls, reference,
};
pub use error::DetectorError;
pub use program::main;
pub use replay::Pace;
pub use run::{Detector, Remote};
