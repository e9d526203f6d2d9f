//! Events that wait for what is asked about their container: beside the stream, in order, for a bounded time.
//!
//! Only containers wait, and only while an answer is under way; everybody else's events pass. An event that has
//! waited long enough goes on with what is known, and what it becomes says so.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sentinel_enrich::Enricher;
use sentinel_event::{Head, Observation};

/// Events that wait, of all containers together.
const ROOM: usize = 8192;

/// How long it is remembered that a container's events need not wait: longer than any answer takes.
const FORGET: Duration = Duration::from_secs(10);

/// Cgroup and mount namespace.
type Key = (u64, u32);

/// The events that wait.
#[derive(Debug)]
pub(crate) struct Waiting {
    patience: Duration,
    groups: HashMap<Key, Group>,
    held: usize,
    /// Events that went on although an answer was under way.
    pub(crate) impatient: u64,
}

#[derive(Debug)]
struct Group {
    /// Of its first event: where it is.
    head: Head,
    events: VecDeque<(Instant, Observation)>,
    /// When one had waited long enough: the others need not wait again.
    over: Option<Instant>,
}

impl Waiting {
    /// Zero: nobody waits.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, groups: HashMap::new(), held: 0, impatient: 0 }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Holds an event that has to wait; gives back one that has not.
    pub(crate) fn hold(&mut self, observation: Observation, now: Instant) -> Option<Observation> {
        let pending = observation.workload.as_ref().is_some_and(|workload| workload.is_pending());
        if !pending && self.groups.is_empty() {
            return Some(observation);
        }
        let key = key(&observation);
        let group =
            match self.groups.get_mut(&key) {
                Some(group) => group,
                None if pending && !self.patience.is_zero() => self.groups.entry(key).or_insert_with(|| {
                    Group { head: observation.event.head.clone(), events: VecDeque::new(), over: None }
                }),
                None => return Some(observation),
            };
        if group.over.is_some() {
            self.impatient += u64::from(pending);
            return Some(observation);
        }
        group.events.push_back((now, observation));
        self.held += 1;
        None
    }

    /// The events whose time has come: answered, or over. In the order of each container.
    pub(crate) fn due(&mut self, now: Instant, enricher: &Enricher) -> Vec<Observation> {
        let mut out = Vec::new();
        let (patience, full) = (self.patience, self.held >= ROOM);
        self.groups.retain(|_, group| {
            let current = enricher.workload(&group.head);
            let answered = current.is_none_or(|workload| !workload.is_pending());
            let late =
                |(since, _): &(Instant, Observation)| now.saturating_duration_since(*since) >= patience;
            if !answered && !full && !group.events.front().is_some_and(late) {
                return true;
            }
            self.held -= group.events.len();
            self.impatient += if answered { 0 } else { group.events.len() as u64 };
            out.extend(group.events.drain(..).map(|(_, mut observation)| {
                if let Some(current) = current {
                    observation.container_id = current.place.container.clone().or(observation.container_id);
                    observation.workload = Some(Arc::clone(current));
                }
                observation
            }));
            let since = *group.over.get_or_insert(now);
            !answered && now.saturating_duration_since(since) < FORGET
        });
        out
    }

    /// All of them, at the end.
    pub(crate) fn drain(&mut self, enricher: &Enricher) -> Vec<Observation> {
        self.patience = Duration::ZERO;
        self.due(Instant::now(), enricher)
    }
}

fn key(observation: &Observation) -> Key {
    let head = &observation.event.head;
    (head.cgroup_id, head.namespaces.mnt)
}

#[cfg(test)]
mod tests;
