//! `sentinel-agent` as a library: probe → enrichment → forward rules → output, with health and metrics.
//!
//! Comes in: a [`Config`] and a [`Job`]. Goes out: forwarded events, to standard output or to an
//! [`Observer`]. [`run`] returns when a signal, the receiver of the output or a failure ends it.
//!
//! Threads, one direction (design.md, section 2), each hop a bounded queue with counted loss:
//!
//! ```text
//! reader ──Vec<Event>──► pipeline (enrich, match, fold, encode) ──Parcel──► outlets ──► stdout │ file │ gRPC │ Observer
//!    main thread: probe control, signals, reload, consumers      http thread: health, metrics
//! ```
//!
//! The agent must never block the reader, and never stop for an input it did not expect.

mod ages;
mod alerts;
mod capture;
mod config;
mod consumers;
mod detect;
mod error;
mod fold;
mod hops;
mod http;
mod identity;
mod ledger;
mod meters;
mod notify;
mod outlet;
mod parcel;
mod pipeline;
mod program;
mod queue;
mod rules;
mod run;
mod signals;
mod status;
mod tamper;
mod usage;
mod waiting;
mod watch;

use std::{fs::File, ops::ControlFlow, path::PathBuf};

pub use capture::{Capture, CaptureError, Control};
pub use config::{
    AppendMatch, AppendOutput, BUILTIN, Capture as CaptureConfig, Config, ConfigError, DEFAULT_PATH,
    Detection, Enrichment, ExtraField, Grpc, Health, Kubernetes, LogLevel, Matching, Metrics, PriorityName,
    Select, Stream, StreamFile, StreamMode, StreamModes, SyncSeconds, Tls, Which,
    reference as config_reference,
};
pub use detect::{Detected, check_detection};
pub use error::AgentError;
pub use program::main;
pub use run::{Agent, Remote, run};
use sentinel_event::{Alert, Observation};
pub use sentinel_rules::forward::ForwardRules;
pub use sentinel_service::{SettingsError, init_logging};
pub use signals::obey as obey_signals;
use tikv_jemallocator::Jemalloc;

/// Of every program that has the agent in it; libbpf's memory too. How it is set: `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What to run, besides the configuration.
pub struct Job {
    /// Which events are forwarded.
    pub rules: Rules,
    /// Where forwarded events go.
    pub sink: Sink,
    /// Where alerts go in place of standard output; the other outputs of the configuration stay.
    pub alerts: Option<Box<dyn AlertObserver>>,
    /// Open the health and metrics ports of the configuration. `sentinel run` leaves them closed, so that it
    /// works beside an installed agent.
    pub listen: bool,
}

/// Where the forward rules come from.
#[derive(Debug, Clone)]
pub enum Rules {
    /// A file, read at start and again on SIGHUP.
    File {
        /// Its path.
        path: PathBuf,
        /// A missing file is an error; otherwise it means [`ForwardRules::default`].
        required: bool,
    },
    /// These, for good. SIGHUP does nothing.
    Fixed(ForwardRules),
}

/// Where forwarded events go.
pub enum Sink {
    /// Where `stream.mode` of the configuration says.
    Streams,
    /// Standard output, one JSON object a line (design.md, 4.2). A closed pipe ends the program with success.
    Stdout,
    /// The same into an open file, pipe or socket. Alerts still go to the outputs of the configuration.
    Descriptor(File),
    /// A piece of the same program, in place of standard output: `sentinel run` draws its live view with it.
    /// Other modes of the configuration's `stream.mode` hold besides.
    Observer(Box<dyn Observer>),
}

/// Receives forwarded events inside the process.
pub trait Observer: Send {
    /// Called from the outlet's thread with each batch, in order; with an empty one when 50 ms pass without
    /// events, so that a view can redraw. May be slow: what does not fit the queue meanwhile is lost and
    /// counted, and arrives as events of kind `loss`. `Break` stops the program with success.
    fn observe(&mut self, batch: &[Observation]) -> ControlFlow<()>;
}

/// Receives alerts inside the process.
pub trait AlertObserver: Send {
    /// Called from the alerts' thread with each alert, in order and at once. May be slow: what does not fit the
    /// queue meanwhile is lost and counted.
    fn alert(&mut self, alert: &Alert);
}

impl<F: FnMut(&Alert) + Send> AlertObserver for F {
    fn alert(&mut self, alert: &Alert) {
        self(alert);
    }
}

impl<F: FnMut(&[Observation]) -> ControlFlow<()> + Send> Observer for F {
    fn observe(&mut self, batch: &[Observation]) -> ControlFlow<()> {
        self(batch)
    }
}
