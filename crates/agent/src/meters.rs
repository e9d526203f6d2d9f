//! What the hops count. Each hop adds on its own thread; the metrics port reads.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_event::{Kind, LossCause, Stage};

const KINDS: usize = Kind::ALL.len();
const CAUSES: usize = LossCause::ALL.len();

/// A counter for each kind.
#[derive(Debug)]
pub(crate) struct ByKind([AtomicU64; KINDS]);

impl Default for ByKind {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl ByKind {
    /// Counts `count` more of `kind`.
    pub(crate) fn add(&self, kind: Kind, count: u64) {
        if let Some(counter) = self.0.get(kind as usize) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// How many there are of `kind`.
    pub(crate) fn get(&self, kind: Kind) -> u64 {
        self.0.get(kind as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// How many there are in all.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }
}

/// What is lost between the reader and the outside, by stage, cause and kind.
#[derive(Debug, Default)]
pub(crate) struct Losses([ByKind; Stage::ALL.len() * CAUSES]);

impl Losses {
    /// The counters of one stage and cause.
    pub(crate) fn of(&self, stage: Stage, cause: LossCause) -> Option<&ByKind> {
        self.0.get(stage as usize * CAUSES + cause as usize)
    }

    /// All that is lost.
    pub(crate) fn sum(&self) -> u64 {
        self.0.iter().map(ByKind::sum).sum()
    }
}

/// Every counter of the agent itself. Of each kind: decoded = lost at the queue + filtered + forwarded, and
/// forwarded = folded + delivered + lost at the output, once nothing is under way. Reports of losses (kind
/// `loss`) that the agent makes are counted from `forwarded` on.
#[derive(Debug)]
pub(crate) struct Meters {
    /// Events that came from the probe.
    pub(crate) decoded: ByKind,
    /// Events that no forward rule wants.
    pub(crate) filtered: ByKind,
    /// Events that a forward rule wants, before folding.
    pub(crate) forwarded: ByKind,
    /// Of these, events whose sums another one carries.
    pub(crate) folded: ByKind,
    /// Events that the output has taken.
    pub(crate) delivered: ByKind,
    /// Bytes that the output has taken.
    pub(crate) bytes: AtomicU64,
    /// Events that were lost.
    pub(crate) lost: Losses,
    /// How often the rules have been replaced.
    pub(crate) reloads: AtomicU64,
    /// How often a reload was refused.
    pub(crate) reloads_refused: AtomicU64,
    /// Processes known to store our output.
    pub(crate) consumers: AtomicUsize,
    /// Enrichment's tables, as of the last second.
    pub(crate) enrich: Mutex<sentinel_enrich::Counters>,
    /// Capturing has begun.
    pub(crate) started: AtomicBool,
    begin: Instant,
    polled_ms: AtomicU64,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            decoded: ByKind::default(),
            filtered: ByKind::default(),
            forwarded: ByKind::default(),
            folded: ByKind::default(),
            delivered: ByKind::default(),
            bytes: AtomicU64::new(0),
            lost: Losses::default(),
            reloads: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            consumers: AtomicUsize::new(0),
            enrich: Mutex::new(sentinel_enrich::Counters::default()),
            started: AtomicBool::new(false),
            begin: Instant::now(),
            polled_ms: AtomicU64::new(0),
        }
    }
}

impl Meters {
    /// The reader has come back from the ring.
    pub(crate) fn polled(&self) {
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.polled_ms.store(now, Ordering::Relaxed);
    }

    /// How long the reader has not come back.
    pub(crate) fn since_poll(&self) -> Duration {
        self.begin.elapsed().saturating_sub(Duration::from_millis(self.polled_ms.load(Ordering::Relaxed)))
    }

    /// Enrichment's tables.
    pub(crate) fn enrich(&self) -> sentinel_enrich::Counters {
        *self.enrich.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwarded events that are neither delivered nor lost: under way, or held for their sums.
    pub(crate) fn under_way(&self) -> u64 {
        let lost: u64 = LossCause::ALL
            .iter()
            .filter_map(|cause| self.lost.of(Stage::Stdout, *cause))
            .map(ByKind::sum)
            .sum();
        self.forwarded.sum().saturating_sub(self.folded.sum() + self.delivered.sum() + lost)
    }
}
