//! What the hops count. Each hop adds on its own thread; the metrics port reads.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_event::{Kind, LossCause, Stage};

use crate::ages::Ages;

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
#[derive(Debug)]
pub(crate) struct Losses([ByKind; Stage::ALL.len() * CAUSES]);

impl Default for Losses {
    fn default() -> Self {
        Self(std::array::from_fn(|_| ByKind::default()))
    }
}

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

/// Alerts, and what became of them inside the process; each output counts for itself.
#[derive(Debug, Default)]
pub(crate) struct AlertMeters {
    /// Matches of rules.
    pub(crate) raised: AtomicU64,
    /// To the observer of the same program.
    pub(crate) view: AlertWayMeters,
    /// To the detector's hub.
    pub(crate) hub: AlertWayMeters,
}

/// What one way of alerts counts.
#[derive(Debug, Default)]
pub(crate) struct AlertWayMeters {
    /// Alerts that the receiver has taken.
    pub(crate) delivered: AtomicU64,
    /// Alerts that found the queue full.
    pub(crate) lost_full: AtomicU64,
    /// Alerts that nobody took until the end.
    pub(crate) lost_closed: AtomicU64,
}

impl AlertMeters {
    /// Alerts that did not arrive, both ways.
    pub(crate) fn lost(&self) -> u64 {
        let ways = [&self.view, &self.hub].into_iter();
        ways.flat_map(|way| [&way.lost_full, &way.lost_closed]).map(|lost| lost.load(Ordering::Relaxed)).sum()
    }
}

/// What one way out counts.
#[derive(Debug, Default)]
pub(crate) struct OutletMeters {
    /// Events go this way.
    pub(crate) active: AtomicBool,
    /// Events that the receiver has taken.
    pub(crate) delivered: ByKind,
    /// Their bytes.
    pub(crate) bytes: AtomicU64,
    /// Events that wait on disk for the next start, once the agent has stopped.
    pub(crate) kept: AtomicU64,
    /// Events of former runs that the receiver has taken.
    pub(crate) recovered: AtomicU64,
    /// Attempts that came to nothing, and are made again.
    pub(crate) retries: AtomicU64,
    /// The last attempt came to nothing.
    pub(crate) away: AtomicBool,
    /// Bytes on disk that wait.
    pub(crate) spooled_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Outlets {
    /// Standard output, a descriptor, or an observer.
    stdout: OutletMeters,
    grpc: OutletMeters,
    nats: OutletMeters,
    file: OutletMeters,
}

/// Every counter of the agent itself. Of each kind: decoded = lost at the queue + filtered + forwarded, and for
/// each outlet forwarded = folded + delivered + kept + lost there, once nothing is under way. Reports of losses (kind
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
    outlets: Outlets,
    /// How old they are when they have been enriched and judged.
    pub(crate) ages: Ages,
    /// Events that were lost.
    pub(crate) lost: Losses,
    /// Alerts.
    pub(crate) alerts: AlertMeters,
    /// How often the rules have been replaced.
    pub(crate) reloads: AtomicU64,
    /// How often a reload was refused.
    pub(crate) reloads_refused: AtomicU64,
    /// Processes known to store our output.
    pub(crate) consumers: AtomicUsize,
    /// Enrichment's tables, as of the last second.
    pub(crate) enrich: Mutex<sentinel_enrich::Counters>,
    /// Events that went on while what is asked about their container was under way.
    pub(crate) impatient: AtomicU64,
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
            outlets: Outlets::default(),
            ages: Ages::default(),
            lost: Losses::default(),
            alerts: AlertMeters::default(),
            reloads: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            consumers: AtomicUsize::new(0),
            enrich: Mutex::new(sentinel_enrich::Counters::default()),
            impatient: AtomicU64::new(0),
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

    /// The counters of the way that ends a stage.
    pub(crate) fn outlet(&self, stage: Stage) -> &OutletMeters {
        match stage {
            Stage::Grpc => &self.outlets.grpc,
            Stage::Nats => &self.outlets.nats,
            Stage::File => &self.outlets.file,
            Stage::Stdout | Stage::Hook | Stage::Ring | Stage::Decode | Stage::Queue => &self.outlets.stdout,
        }
    }

    /// The ways that are used.
    pub(crate) fn outlets(&self) -> impl Iterator<Item = (Stage, &OutletMeters)> {
        let ways =
            [Stage::Stdout, Stage::Grpc, Stage::Nats, Stage::File].map(|stage| (stage, self.outlet(stage)));
        ways.into_iter().filter(|(_, outlet)| outlet.active.load(Ordering::Relaxed))
    }

    /// Events that were delivered, on all ways.
    pub(crate) fn delivered(&self) -> u64 {
        self.outlets().map(|(_, outlet)| outlet.delivered.sum()).sum()
    }

    /// Forwarded events that are neither delivered nor lost nor kept, on the way that is slowest: under way, or
    /// held for their sums.
    pub(crate) fn under_way(&self) -> u64 {
        let out = self.forwarded.sum().saturating_sub(self.folded.sum());
        let left = self.outlets().map(|(stage, outlet)| {
            let lost: u64 =
                LossCause::ALL.iter().filter_map(|cause| self.lost.of(stage, *cause)).map(ByKind::sum).sum();
            out.saturating_sub(outlet.delivered.sum() + outlet.kept.load(Ordering::Relaxed) + lost)
        });
        left.max().unwrap_or(0)
    }
}
