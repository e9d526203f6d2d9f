//! What is told of the process that acts, encoded once for many events.
//!
//! More than half of an event's text is about its process, parent, container and user, and the same for every event
//! of the process until something changes. So it is encoded once and copied. It counts only while everything that it
//! was made from is the same; the objects are held, so that none of them gives its address to another one meanwhile.

use std::sync::Arc;

use sentinel_event::{Comm, Head, Namespaces, Observation, Process, ProcessKey, Workload};

/// Actors that are remembered, about 2 KiB each. One more takes the place of another.
const ACTORS: usize = 128;

/// What the facts about an actor are made from.
#[derive(Debug)]
struct Sources {
    process: Option<Arc<Process>>,
    ancestors: Arc<[Arc<Process>]>,
    workload: Option<Arc<Workload>>,
    container_id: Option<Arc<str>>,
    told: Told,
}

/// Of the head, what the facts about an actor are made from.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    process: ProcessKey,
    parent: ProcessKey,
    comm: Comm,
    namespaces: Namespaces,
    cgroup_id: u64,
    ids: [u32; 7],
    execution: u16,
    /// Epoch minus boot, nanoseconds.
    epoch_ns: u64,
}

impl Told {
    fn of(head: &Head) -> Self {
        Self {
            process: head.process,
            parent: head.parent,
            comm: head.comm,
            namespaces: head.namespaces,
            cgroup_id: head.cgroup_id,
            ids: [head.vpid, head.group, head.session, head.tty, head.euid, head.egid, head.loginuid],
            execution: head.execution,
            epoch_ns: head.real_ns.wrapping_sub(head.boot_ns),
        }
    }
}

impl Sources {
    fn of(observation: &Observation) -> Self {
        Self {
            process: observation.process.clone(),
            ancestors: observation.ancestors.clone(),
            workload: observation.workload.clone(),
            container_id: observation.container_id.clone(),
            told: Told::of(&observation.event.head),
        }
    }

    fn hold(&self, observation: &Observation) -> bool {
        same(self.process.as_ref(), observation.process.as_ref())
            && same(self.workload.as_ref(), observation.workload.as_ref())
            && Arc::ptr_eq(&self.ancestors, &observation.ancestors)
            && self.told == Told::of(&observation.event.head)
            && self.container_id == observation.container_id
    }
}

fn same<T>(left: Option<&Arc<T>>, right: Option<&Arc<T>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => Arc::ptr_eq(left, right),
        (None, None) => true,
        _ => false,
    }
}

/// The actors of late, encoded in one way.
#[derive(Debug, Default)]
pub(crate) struct Actors(Vec<Option<(Sources, Vec<u8>)>>);

impl Actors {
    /// The encoded facts about whoever acts; `encode` appends them when they are not known.
    pub(crate) fn encoded(&mut self, observation: &Observation, encode: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.0.is_empty() {
            self.0.resize_with(ACTORS, || None);
        }
        let head = &observation.event.head;
        let mixed = (u64::from(head.process.tgid) << 32 ^ head.process.start_ns ^ u64::from(head.euid))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = usize::try_from(mixed >> 40).unwrap_or_default() % ACTORS;
        let Some(slot) = self.0.get_mut(at) else { return &[] };
        let known = slot.as_ref().is_some_and(|(sources, _)| sources.hold(observation));
        if !known {
            let mut bytes = slot.take().map(|(_, bytes)| bytes).unwrap_or_default();
            bytes.clear();
            encode(&mut bytes);
            // Seldom: long arguments. They must not hold memory for good.
            bytes.shrink_to(2 * bytes.len());
            *slot = Some((Sources::of(observation), bytes));
        }
        slot.as_ref().map_or(&[], |(_, bytes)| bytes)
    }
}
