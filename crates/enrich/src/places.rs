//! Which place a cgroup is: its path, and what that says.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sentinel_event::{Place, Text};

use crate::budget::Budget;
use crate::place::place_of;
use crate::source::{ROOT_CGROUP, Source};

/// What has a place: a cgroup; and where the hierarchy of version 2 says nothing, as on hosts that run everything in
/// its root, the mount namespace besides. 0 stands for all of them.
pub(crate) type Cell = (u64, u32);

/// The cell of a process.
pub(crate) fn cell(cgroup_id: u64, mnt: u32) -> Cell {
    (cgroup_id, if cgroup_id == ROOT_CGROUP { mnt } else { 0 })
}

/// How long an answer holds that may have become wrong: nothing was found, or it could not be verified.
const DOUBT_NS: u64 = 10_000_000_000;

/// Unknown cgroups that wait for a look-up.
const WAITING: usize = 256;

/// Scans of the whole hierarchy and look-ups through `/proc` a second.
const SCANS: u64 = 1;
const LOOKUPS: u64 = 500;

/// Places by cell, bounded.
#[derive(Debug)]
pub(crate) struct Places {
    known: FxHashMap<Cell, Known>,
    /// Cells to look up, each with a process that was in it.
    waiting: VecDeque<(Cell, u32)>,
    /// Those that no process could tell: they wait for a scan.
    missed: Vec<Cell>,
    /// Those that became another place since somebody asked.
    changed: Vec<Cell>,
    bound: usize,
    scans: Budget,
    lookups: Budget,
    pub(crate) evicted: u64,
}

#[derive(Debug)]
struct Known {
    place: Arc<Place>,
    used_ns: u64,
    /// Event time from which on it is asked again.
    doubt_ns: Option<u64>,
}

impl Places {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            known: FxHashMap::default(),
            waiting: VecDeque::new(),
            missed: Vec::new(),
            changed: Vec::new(),
            bound: bound.max(1),
            scans: Budget::new(SCANS),
            lookups: Budget::new(LOOKUPS),
            evicted: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The place of a cell, as far as it is known, and the event time from which on it should be asked again.
    pub(crate) fn get(&self, cell: Cell) -> Option<(&Arc<Place>, Option<u64>)> {
        self.known.get(&cell).map(|known| (&known.place, known.doubt_ns))
    }

    /// Notes that an event comes from this cell; an unknown one is looked up by [`Self::resolve`].
    pub(crate) fn want(&mut self, cell: Cell, tgid: u32, now_ns: u64) {
        if let Some(known) = self.known.get_mut(&cell) {
            known.used_ns = now_ns;
            if known.doubt_ns.is_none_or(|doubt_ns| now_ns < doubt_ns) {
                return;
            }
        }
        if cell.0 != 0
            && self.waiting.len() < WAITING
            && !self.waiting.iter().any(|(waiting, _)| *waiting == cell)
        {
            self.waiting.push_back((cell, tgid));
        }
    }

    /// A cell that became another place since this was called last.
    pub(crate) fn changed(&mut self) -> Option<Cell> {
        self.changed.pop()
    }

    /// Forgets cgroups that have gone for good.
    pub(crate) fn bury(&mut self, cgroups: &FxHashSet<u64>) {
        self.known.retain(|(cgroup, _), _| !cgroups.contains(cgroup));
    }

    /// Looks up what is waiting: first in the kernel's book of births, which knows cgroups that have gone; then
    /// through the process; then, for processes that have ended or moved, by one pass over all cgroups, at most once
    /// a second.
    pub(crate) fn resolve(&mut self, source: &mut dyn Source, now_ns: u64) {
        while let Some(&(cell, tgid)) = self.waiting.front()
            && self.lookups.take(now_ns)
        {
            self.waiting.pop_front();
            if cell.0 != ROOT_CGROUP
                && let Some(path) = source.born(cell.0)
            {
                self.learn(cell, Some(&path), false, now_ns, source);
                continue;
            }
            match source.cgroup_of(tgid) {
                Some(cgroup) if cgroup.id == Some(cell.0) => {
                    // Version 1 knows more than the root of version 2; another process may know even more.
                    let root = cell.0 == ROOT_CGROUP;
                    let legacy = cgroup.legacy.filter(|_| root);
                    self.learn(cell, Some(legacy.as_ref().unwrap_or(&cgroup.path)), root, now_ns, source);
                }
                // Its directory cannot be seen from here, so nothing contradicts.
                Some(cgroup) if cgroup.id.is_none() => {
                    self.learn(cell, Some(&cgroup.path), true, now_ns, source);
                }
                _ => {
                    self.learn(cell, None, true, now_ns, source);
                    if self.missed.len() < WAITING {
                        self.missed.push(cell);
                    }
                }
            }
        }
        if self.missed.is_empty() || !self.scans.take(now_ns) {
            return;
        }
        let paths: FxHashMap<u64, _> = source.cgroups().into_iter().collect();
        for cell in std::mem::take(&mut self.missed) {
            let path = paths.get(&cell.0);
            self.learn(cell, path, path.is_none(), now_ns, source);
        }
    }

    fn learn(&mut self, cell: Cell, path: Option<&Text>, doubt: bool, now_ns: u64, source: &mut dyn Source) {
        let mut place = path.map(|path| place_of(path.as_ref())).unwrap_or_default();
        if let (None, Some(unit)) = (&place.container, &place.unit) {
            place.invocation = source.invocation(unit);
        }
        // In the root there may be containers all the same; and one that is called as rules call the host is neither.
        if !doubt && cell.0 != ROOT_CGROUP && place.container.as_deref() != Some("host") {
            source.placed(cell.0, place.container.is_some());
        }
        if self.known.len() >= self.bound && !self.known.contains_key(&cell) {
            self.evict();
        }
        let doubt_ns = doubt.then(|| now_ns.saturating_add(DOUBT_NS));
        let known = Known { place: Arc::new(place), used_ns: now_ns, doubt_ns };
        let same = |old: &Known| old.place == known.place && old.doubt_ns == known.doubt_ns;
        if self.known.get(&cell).is_none_or(|old| !same(old)) {
            self.changed.push(cell);
        }
        self.known.insert(cell, known);
    }

    /// Forgets the 16th part that was used least recently.
    fn evict(&mut self) {
        let mut used: Vec<_> = self.known.iter().map(|(id, known)| (known.used_ns, *id)).collect();
        let count = (self.bound / 16).max(1).min(used.len());
        if count < used.len() {
            used.select_nth_unstable(count);
        }
        for (_, id) in used.into_iter().take(count) {
            self.evicted += u64::from(self.known.remove(&id).is_some());
        }
    }
}

#[cfg(test)]
mod tests;
