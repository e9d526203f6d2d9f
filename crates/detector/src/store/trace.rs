//! What is kept of events: who ran, and what it touched.

use prost::Message;

/// What a process was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) ppid: u32,
    /// Since the Unix epoch; 0 when it is not known.
    pub(crate) start_ns: u64,
    /// When this was seen, milliseconds since the Unix epoch.
    pub(crate) ts_ms: i64,
    pub(crate) name: String,
    pub(crate) exe: String,
    pub(crate) cmdline: String,
}

/// Something that a process did. A protobuf message: many of them are one row.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Touch {
    /// Milliseconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub(crate) ts_ms: i64,
    #[prost(uint32, tag = "2")]
    pub(crate) pid: u32,
    #[prost(string, tag = "3")]
    pub(crate) event_type: String,
    /// A path, an address, a program.
    #[prost(string, tag = "4")]
    pub(crate) what: String,
}

/// The content of a row.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Page {
    #[prost(message, repeated, tag = "1")]
    pub(super) touches: Vec<Touch>,
}

/// What is kept of a node's events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traces {
    pub(crate) node: String,
    pub(crate) processes: Vec<Process>,
    pub(crate) touches: Vec<Touch>,
}

impl Traces {
    /// Nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.touches.is_empty()
    }
}
