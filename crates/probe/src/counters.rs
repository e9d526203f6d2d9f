//! What the kernel side counts, added up over the processors.

use std::sync::atomic::{AtomicU64, Ordering};

use libbpf_rs::{MapCore, MapFlags};
use sentinel_event::{Kind, KindSet};
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::{ProbeError, abi, canary::Canary, decode::wire_id, filter::Filter};

/// What the kernel side counts. All since the programs were loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// By kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindCounters>,
    /// Bytes waiting in the ring now; none before Linux 5.14.
    pub ring_used: Option<u64>,
    /// Size of the ring in bytes.
    pub ring_size: u64,
    /// How often the kernel passed a program over that was at work on the same processor already, by the kind that it
    /// reports; none: by one that reports several. At the last look; 0 before Linux 5.12, which does not tell.
    pub skipped: Vec<(Option<Kind>, u64)>,
    /// Records that could not be decoded.
    pub malformed: u64,
    /// Open files in the table of sums, at the last sweep.
    pub open_files: u64,
}

/// Counters of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCounters {
    /// The kind.
    pub kind: Kind,
    /// Records that were wanted: delivered and lost.
    pub produced: u64,
    /// Of these, lost because the ring was full.
    pub lost: u64,
    /// Our own doing, left out on purpose.
    pub excluded: u64,
    /// Found the ring full, but a later record told the same.
    pub deferred: u64,
    /// Opens that [`FileInterest`](sentinel_event::FileInterest) leaves out.
    pub filtered: u64,
    /// Read or write calls that went into sums and gave no event of their own.
    pub folded: u64,
}

/// What the reader and the control side share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    wanted: std::sync::Mutex<KindSet>,
    pub(crate) malformed: AtomicU64,
    pub(crate) open_files: AtomicU64,
    pub(crate) folded: [AtomicU64; 2],
    /// Opens that passed the kernel's side and were left out by the reader.
    pub(crate) filtered: AtomicU64,
    filter: std::sync::Mutex<Option<std::sync::Arc<Filter>>>,
    /// See [`Counters::skipped`].
    skipped: std::sync::Mutex<Vec<(Option<Kind>, u64)>>,
    /// Everything that was in the ring then has been read: nanoseconds since boot.
    pub(crate) caught_up: AtomicU64,
    pub(crate) canary: Canary,
    /// Events of acts of the canary, by id of the kind.
    pub(crate) canaries: Canaries,
}

/// See [`Shared::canaries`].
#[derive(Debug)]
pub(crate) struct Canaries([AtomicU64; abi::SENTINEL_KIND_MAX as usize]);

impl Default for Canaries {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::default()))
    }
}

impl Canaries {
    fn of(&self, kind: Kind) -> Option<&AtomicU64> {
        self.0.get(usize::try_from(wire_id(kind)?).ok()?)
    }

    pub(crate) fn count(&self, kinds: &[Kind]) {
        for count in kinds.iter().filter_map(|kind| self.of(*kind)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    pub(crate) fn wanted(&self) -> KindSet {
        *self.wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn want(&self, kinds: KindSet) {
        *self.wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = kinds;
    }

    pub(crate) fn filter(&self) -> Option<std::sync::Arc<Filter>> {
        self.filter.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(crate) fn set_filter(&self, filter: Option<std::sync::Arc<Filter>>) {
        *self.filter.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = filter;
    }

    /// Programs of this kind were passed over `more` times since the last call.
    pub(crate) fn skip(&self, kind: Option<Kind>, more: u64) {
        let mut skipped = self.skipped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match skipped.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += more,
            None => skipped.push((kind, more)),
        }
    }

    pub(crate) fn skipped(&self) -> Vec<(Option<Kind>, u64)> {
        self.skipped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn folded(&self, kind: Kind) -> u64 {
        let [reads, writes] = &self.folded;
        match kind {
            Kind::FileRead => reads.load(Ordering::Relaxed),
            Kind::FileWrite => writes.load(Ordering::Relaxed),
            _ => 0,
        }
    }

    /// Everything but the ring.
    pub(crate) fn counters(&self, counts: &impl MapCore) -> Result<Counters, ProbeError> {
        let mut kinds = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            let folded = self.folded(*kind);
            let mut sum = KindCounters { folded, ..of_kind(counts, *kind)? };
            let canaries = self.canaries.of(*kind).map_or(0, |count| count.load(Ordering::Relaxed));
            sum.produced = sum.produced.saturating_sub(canaries);
            sum.excluded += canaries;
            if *kind == Kind::FileOpen {
                let here = self.filtered.load(Ordering::Relaxed);
                sum.produced = sum.produced.saturating_sub(here);
                sum.filtered += here;
            }
            kinds.push(sum);
        }
        Ok(Counters {
            kinds,
            ring_used: None,
            ring_size: 0,
            skipped: self.skipped(),
            malformed: self.malformed.load(Ordering::Relaxed),
            open_files: self.open_files.load(Ordering::Relaxed),
        })
    }
}

/// The counters of one kind from the per-CPU map `counts`.
pub(crate) fn of_kind(counts: &impl MapCore, kind: Kind) -> Result<KindCounters, ProbeError> {
    let mut sum =
        KindCounters { kind, produced: 0, lost: 0, excluded: 0, deferred: 0, filtered: 0, folded: 0 };
    let Some(id) = wire_id(kind) else {
        return Ok(sum);
    };
    let values = counts
        .lookup_percpu(id.as_bytes(), MapFlags::ANY)
        .map_err(ProbeError::refused("the map counts"))?
        .unwrap_or_default();
    for value in values {
        if let Ok((value, _)) = abi::sentinel_counts::read_from_prefix(&value) {
            sum.produced += value.produced;
            sum.lost += value.lost;
            sum.excluded += value.excluded;
            sum.deferred += value.deferred;
            sum.filtered += value.filtered;
        }
    }
    Ok(sum)
}
