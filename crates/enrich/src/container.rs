//! Which container a cgroup belongs to.

use std::collections::VecDeque;
use std::sync::Arc;

use bstr::{BStr, ByteSlice as _};
use rustc_hash::FxHashMap;

use crate::budget::Budget;
use crate::source::Source;

/// Prefixes that runtimes put before the id of a container in the name of its cgroup. Monitors such as
/// `crio-conmon-` and `libpod-conmon-` run outside their container and are not among them.
const PREFIXES: [&str; 6] = ["docker-", "cri-containerd-", "containerd-", "crio-", "libpod-", "nerdctl-"];

/// Digits of a full container id.
const ID_LEN: usize = 64;

/// How long an answer holds that may have become wrong: nothing was found, or it could not be verified.
const DOUBT_NS: u64 = 10_000_000_000;

/// Unknown cgroups that wait for a look-up.
const WAITING: usize = 256;

/// Scans of the whole hierarchy and look-ups through `/proc` a second.
const SCANS: u64 = 1;
const LOOKUPS: u64 = 500;

/// The id of the innermost container that a cgroup path names; none on the host.
///
/// Knows docker, containerd (also as used by Kubernetes), CRI-O, podman and nerdctl, with the systemd
/// and the cgroupfs driver. Whoever may create cgroups can make up such a name.
pub fn container_of(cgroup: &BStr) -> Option<Arc<str>> {
    cgroup.rsplit(|b| *b == b'/').find_map(id_of).map(Arc::from)
}

/// `docker-ID.scope`, `ID`, `kubepods-….slice:cri-containerd:ID`.
fn id_of(component: &[u8]) -> Option<&str> {
    let name = component.strip_suffix(b".scope").unwrap_or(component).to_str().ok()?;
    let name = name.rsplit(':').next()?;
    let id = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (id.len() == ID_LEN && id.bytes().all(hex)).then_some(id)
}

/// Containers by cgroup id, bounded.
#[derive(Debug)]
pub(crate) struct Containers {
    known: FxHashMap<u64, Known>,
    /// Cgroups to look up, each with a process that was in it.
    waiting: VecDeque<(u64, u32)>,
    /// Those that no process could tell: they wait for a scan.
    missed: Vec<u64>,
    bound: usize,
    scans: Budget,
    lookups: Budget,
    pub(crate) evicted: u64,
}

#[derive(Debug)]
struct Known {
    container: Option<Arc<str>>,
    used_ns: u64,
    /// Event time from which on it is asked again.
    doubt_ns: Option<u64>,
}

impl Containers {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            known: FxHashMap::default(),
            waiting: VecDeque::new(),
            missed: Vec::new(),
            bound: bound.max(1),
            scans: Budget::new(SCANS),
            lookups: Budget::new(LOOKUPS),
            evicted: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The container of a cgroup, as far as it is known.
    pub(crate) fn get(&self, cgroup_id: u64) -> Option<Arc<str>> {
        self.known.get(&cgroup_id)?.container.clone()
    }

    /// Notes that an event comes from this cgroup; an unknown one is looked up by [`Self::resolve`].
    pub(crate) fn want(&mut self, cgroup_id: u64, tgid: u32, now_ns: u64) {
        if let Some(known) = self.known.get_mut(&cgroup_id) {
            known.used_ns = now_ns;
            if known.doubt_ns.is_none_or(|doubt_ns| now_ns < doubt_ns) {
                return;
            }
        }
        if cgroup_id != 0
            && self.waiting.len() < WAITING
            && !self.waiting.iter().any(|(waiting, _)| *waiting == cgroup_id)
        {
            self.waiting.push_back((cgroup_id, tgid));
        }
    }

    /// Looks up what is waiting: first through the process, which is cheap; then, for processes that have
    /// ended or moved, by one pass over all cgroups, at most once a second.
    pub(crate) fn resolve(&mut self, source: &mut dyn Source, now_ns: u64) {
        while let Some(&(id, tgid)) = self.waiting.front()
            && self.lookups.take(now_ns)
        {
            self.waiting.pop_front();
            match source.cgroup_of(tgid) {
                Some(cgroup) if cgroup.id == Some(id) => self.learn(id, Some(&cgroup.path), false, now_ns),
                // Its directory cannot be seen from here, so nothing contradicts.
                Some(cgroup) if cgroup.id.is_none() => self.learn(id, Some(&cgroup.path), true, now_ns),
                _ => {
                    self.learn(id, None, true, now_ns);
                    if self.missed.len() < WAITING {
                        self.missed.push(id);
                    }
                }
            }
        }
        if self.missed.is_empty() || !self.scans.take(now_ns) {
            return;
        }
        let paths: FxHashMap<u64, _> = source.cgroups().into_iter().collect();
        for id in std::mem::take(&mut self.missed) {
            let path = paths.get(&id);
            self.learn(id, path, path.is_none(), now_ns);
        }
    }

    fn learn(&mut self, id: u64, path: Option<&sentinel_event::Text>, doubt: bool, now_ns: u64) {
        let container = path.and_then(|path| container_of(path.as_bstr()));
        if self.known.len() >= self.bound && !self.known.contains_key(&id) {
            self.evict();
        }
        let doubt_ns = doubt.then(|| now_ns.saturating_add(DOUBT_NS));
        self.known.insert(id, Known { container, used_ns: now_ns, doubt_ns });
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
