//! What an output counts.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

macro_rules! causes {
    ($($(#[doc = $doc:literal])* $Variant:ident = $name:literal,)*) => {
        /// Why an alert did not reach the receiver of an output.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DropCause { $($(#[doc = $doc])* $Variant,)* }

        impl DropCause {
            /// Every cause.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The name in metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)* }
            }
        }
    };
}

causes! {
    /// No room in the queue: the receiver is slow or away.
    Full = "full",
    /// No room in the spool, or the spool's disk failed.
    Spool = "spool",
    /// The receiver does not want it, ever.
    Refused = "refused",
    /// The output failed in a way that it should not.
    Failed = "failed",
    /// Nobody takes alerts any more.
    Closed = "closed",
    /// The program ended first.
    Stopped = "stopped",
}

impl fmt::Display for DropCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const CAUSES: usize = DropCause::ALL.len();

/// Counters of one output. Taken = delivered + dropped, once nothing waits; what a former run of the program left
/// in the spool is delivered on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Alerts that were given to it.
    pub taken: u64,
    /// Alerts that its receiver has.
    pub delivered: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Alerts that were put into the spool; they are delivered or dropped later.
    pub spooled: u64,
    /// Attempts that came to nothing, and are made again.
    pub retries: u64,
    /// Whether the last attempt came to something.
    pub up: bool,
    dropped: [u64; CAUSES],
}

impl Counters {
    /// Alerts that were lost for this cause.
    pub fn dropped(&self, cause: DropCause) -> u64 {
        self.dropped.get(cause as usize).copied().unwrap_or(0)
    }

    /// Alerts that were lost.
    pub fn dropped_all(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) taken: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) spooled: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// The last attempt failed.
    pub(crate) down: AtomicBool,
    dropped: [AtomicU64; CAUSES],
}

impl Tally {
    pub(crate) fn drop(&self, cause: DropCause, count: usize) {
        if let Some(counter) = self.dropped.get(cause as usize) {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn delivered(&self, count: usize, bytes: usize) {
        self.delivered.fetch_add(count as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counters {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            taken: get(&self.taken),
            delivered: get(&self.delivered),
            bytes: get(&self.bytes),
            spooled: get(&self.spooled),
            retries: get(&self.retries),
            up: !self.down.load(Ordering::Relaxed),
            dropped: std::array::from_fn(|at| self.dropped.get(at).map_or(0, get)),
        }
    }
}
