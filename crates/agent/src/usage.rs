//! What the node, its pods, containers and units use: processor time and traffic.
//!
//! The kernel counts processor time for each cgroup (version 2; `cpuacct` of version 1 where that is in use) and
//! traffic for each network namespace. So a pod has both, and a unit, which shares the node's namespace, has the first
//! only. Everything is read, nothing is switched on.

mod host;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use sentinel_event::Place;
use sentinel_wire::v1::node_status::CgroupUse;

use crate::identity::Registry;
use host::Host;

/// Workloads that a report tells of; the busiest.
const TOLD: usize = 64;

/// What the kernel has counted for somebody since he is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    cpu_ns: u64,
    received: u64,
    sent: u64,
}

/// A cgroup that people have a name for: a pod, a container or a unit.
#[derive(Debug)]
struct Seat {
    /// From the root of the hierarchy.
    path: String,
    place: Place,
    /// A container of the pod; none when it is no pod.
    inside: Option<Place>,
    counts: Counts,
}

/// Remembers the last look.
#[derive(Debug)]
pub(crate) struct Usage {
    host: Host,
    before: Option<(Instant, HashMap<String, Counts>)>,
}

/// What was used since the look before.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// Zero the first time, when nothing is known.
    pub(crate) period: Duration,
    /// Processors that are online.
    pub(crate) cpus: u32,
    /// The node first.
    pub(crate) cgroups: Vec<CgroupUse>,
}

impl Usage {
    /// Of this host.
    pub(crate) fn new() -> Self {
        Self { host: Host::new("/proc".into()), before: None }
    }

    /// Reads what the kernel counted meanwhile; some milliseconds.
    pub(crate) fn look(&mut self, registry: &Registry) -> Used {
        let now = Instant::now();
        let (cpus, node) = self.host.node();
        let seats = self.host.seats();
        let mut counts: HashMap<String, Counts> =
            seats.iter().map(|seat| (seat.path.clone(), seat.counts)).collect();
        counts.insert("/".to_owned(), node);
        let Some((then, before)) = self.before.replace((now, counts)) else {
            seats.iter().for_each(|seat| ask(registry, seat));
            return Used { cpus, ..Used::default() };
        };
        let mut cgroups = Vec::new();
        for seat in &seats {
            let old = before.get(&seat.path).copied();
            if old.is_none() {
                ask(registry, seat);
            }
            let used = seat.counts.since(old.unwrap_or_default());
            if used != Counts::default() {
                let container_id = seat.place.container.as_deref().unwrap_or_default();
                cgroups.push(told(&seat.path, used, container_id, name(registry, seat)));
            }
        }
        cgroups.sort_by_key(|one| std::cmp::Reverse((one.cpu_ns, one.received_bytes + one.sent_bytes)));
        cgroups.truncate(TOLD);
        let node = node.since(before.get("/").copied().unwrap_or_default());
        cgroups.insert(0, told("/", node, "", String::new()));
        Used { period: now.duration_since(then), cpus, cgroups }
    }
}

impl Counts {
    /// What came on top; after a new start of the counter, all that it has.
    fn since(self, old: Self) -> Self {
        let grown = |new: u64, old: u64| new.checked_sub(old).unwrap_or(new);
        Self {
            cpu_ns: grown(self.cpu_ns, old.cpu_ns),
            received: grown(self.received, old.received),
            sent: grown(self.sent, old.sent),
        }
    }
}

fn told(path: &str, used: Counts, container_id: &str, name: String) -> CgroupUse {
    CgroupUse {
        path: path.to_owned(),
        container_id: container_id.to_owned(),
        cpu_ns: used.cpu_ns,
        received_bytes: used.received,
        sent_bytes: used.sent,
        name,
    }
}

/// Has the name looked up; it is there for a later report.
fn ask(registry: &Registry, seat: &Seat) {
    let place = seat.inside.as_ref().unwrap_or(&seat.place);
    if place.container.as_ref().is_some_and(|id| registry.name(id).is_none()) {
        registry.look_up(place);
    }
}

/// What people call it.
fn name(registry: &Registry, seat: &Seat) -> String {
    let place = seat.inside.as_ref().unwrap_or(&seat.place);
    let known = place.container.as_ref().and_then(|id| registry.name(id));
    if let Some(pod) = known.as_ref().and_then(|known| known.pod.as_ref()) {
        return pod.to_string();
    }
    match (&seat.place.container, known) {
        (Some(_), Some(known)) => known.container.into(),
        (None, _) if seat.place.pod_uid.is_none() => {
            seat.place.unit.as_deref().unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
