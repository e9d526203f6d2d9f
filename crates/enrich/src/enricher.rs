//! The face of the crate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sentinel_event::{Body, Event, Head, Observation, Process, ProcessKey, Workload};

use crate::budget::Budget;
use crate::deaths::Deaths;
use crate::directory::{Directory, Nobody};
use crate::names::Names;
use crate::places::{Places, cell};
use crate::source::Source;
use crate::table::Table;
use crate::workloads::{Key, Visit, Workloads};

/// Processes whose program has to be looked up.
const WANTED: usize = 1024;
/// Such look-ups a second.
const LOOKUPS: u64 = 500;

/// Bounds of the tables.
#[derive(Debug, Clone)]
pub struct Options {
    /// Processes, ended ones included; at least 1. About 500 bytes each, arguments not counted.
    pub processes: usize,
    /// How long an ended process stays, and what was of a cgroup that has gone, in event time. Full tables drop
    /// them earlier.
    pub keep_exited: Duration,
    /// cgroups whose container is remembered; as many workloads, containers and user databases.
    pub containers: usize,
    /// Node and boot, for the names of executions: [`sentinel_event::ExecId::host`].
    pub host: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { processes: 65_536, keep_exited: Duration::from_secs(30), containers: 16_384, host: 0 }
    }
}

/// What the tables hold, and what they lost or did not know. Counts are since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processes in the table now.
    pub processes: usize,
    /// Of these, ended ones.
    pub exited: usize,
    /// Ended processes that left before their time, for want of room.
    pub evicted_exited: u64,
    /// Living processes that left for want of room.
    pub evicted_living: u64,
    /// Events of processes that the table did not know.
    pub misses: u64,
    /// cgroups in the table now.
    pub containers: usize,
    /// cgroups that left for want of room.
    pub evicted_containers: u64,
    /// Workloads (cgroup and mount namespace) in the table now.
    pub workloads: usize,
    /// Containers whose runtime was asked.
    pub runtimes: usize,
    /// User databases.
    pub users: usize,
    /// Addresses whose names are known.
    pub names: usize,
    /// Addresses that left for want of room.
    pub evicted_names: u64,
    /// Of workloads, runtimes and users, what left for want of room.
    pub evicted_workloads: u64,
}

/// Turns events into observations. One thread owns it.
#[derive(Debug)]
pub struct Enricher {
    table: Table,
    places: Places,
    workloads: Workloads,
    deaths: Deaths,
    names: Names,
    source: Box<dyn Source>,
    directory: Box<dyn Directory>,
    wanted: VecDeque<ProcessKey>,
    lookups: Budget,
    /// Event time: the latest of all events so far, nanoseconds since boot.
    now_ns: u64,
    misses: u64,
}

impl Enricher {
    /// With empty tables.
    pub fn new(options: &Options, source: Box<dyn Source>) -> Self {
        let keep_ns = u64::try_from(options.keep_exited.as_nanos()).unwrap_or(u64::MAX);
        Self {
            table: Table::new(options.processes, keep_ns, options.host),
            places: Places::new(options.containers),
            workloads: Workloads::new(options.containers),
            deaths: Deaths::new(keep_ns, options.containers),
            names: Names::default(),
            source,
            directory: Box::new(Nobody),
            wanted: VecDeque::new(),
            lookups: Budget::new(LOOKUPS),
            now_ns: 0,
            misses: 0,
        }
    }

    /// The same, and this is who is asked about containers and users.
    #[must_use]
    pub fn with_directory(mut self, directory: Box<dyn Directory>) -> Self {
        self.directory = directory;
        self
    }

    /// Adds the processes of a snapshot with exact start times (the kernel's task iterator). Take it
    /// after the probe is attached and before its first event is observed: nothing falls between.
    pub fn fill(&mut self, processes: Vec<Process>) {
        self.table.fill(processes, true, self.now_ns);
    }

    /// As [`Self::fill`], from the source (`/proc`); its start times are matched within a clock tick.
    pub fn fill_from_source(&mut self) {
        let processes = self.source.processes();
        self.table.fill(processes, false, self.now_ns);
    }

    /// Looks up what the tables lack for these events and for earlier ones: containers of unknown
    /// cgroups, programs of processes that were never announced. The only method that does I/O; call it
    /// with each batch before its events are observed. Rates are bounded, so a flood does not stall it.
    pub fn prepare(&mut self, batch: &[Event]) {
        self.workloads.take_answers(&mut *self.directory);
        self.bury();
        self.visit(batch);
        while let Some(key) = self.wanted.front().copied()
            && self.lookups.take(self.now_ns)
        {
            self.wanted.pop_front();
            if let Some(process) = self.source.process(key.tgid) {
                self.table.complete(key, process);
            }
        }
    }

    /// As [`Self::prepare`], when nothing has happened for so long: event time goes on, and what is over is forgotten.
    pub fn rest(&mut self, time: Duration) {
        self.now_ns = self.now_ns.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        self.table.expire(self.now_ns);
        self.prepare(&[]);
    }

    /// Forgets cgroups that have gone, and what only they had.
    fn bury(&mut self) {
        let over = self.deaths.over(&mut *self.source, self.now_ns);
        if !over.is_empty() {
            self.places.bury(&over);
            self.workloads.bury(&over);
        }
    }

    /// Where the events of this batch happened, as far as it is not known.
    fn visit(&mut self, batch: &[Event]) {
        let mut new = Vec::new();
        let mut settled = None;
        for event in batch {
            let head = &event.head;
            self.now_ns = self.now_ns.max(head.boot_ns);
            let (key, exec) = (key_of(head), matches!(event.body, Body::Exec(_)) && !head.failed());
            // Most events come from where the one before came from.
            if settled == Some(key) && !exec || head.process.tgid == 0 {
                continue;
            }
            if self.workloads.is_settled(key, exec, self.now_ns) {
                settled = Some(key);
                continue;
            }
            let cell = cell(head.cgroup_id, head.namespaces.mnt);
            self.places.want(cell, head.process.tgid, self.now_ns);
            new.push(Visit { key, cell, tgid: head.process.tgid, uid: head.uid, exec });
        }
        self.places.resolve(&mut *self.source, self.now_ns);
        while let Some(cell) = self.places.changed() {
            self.workloads.forget(cell);
        }
        for visit in new {
            self.workloads.visit(&visit, self.places.get(visit.cell), &mut *self.directory, self.now_ns);
        }
    }

    /// The workload of events like this one, as it is known now; for those that waited for it.
    pub fn workload(&self, head: &Head) -> Option<&Arc<Workload>> {
        self.workloads.get(key_of(head))
    }

    /// Adds to an event what the tables know and keeps them up to date. Never fails, drops or waits.
    ///
    /// The observation of an exec has the new program, that of an exit the process as ended, that of a
    /// fork the creator.
    pub fn observe(&mut self, mut event: Event) -> Observation {
        let head = &event.head;
        let key = head.process;
        if key.tgid == 0 {
            // A loss, or the idle task: nobody's doing.
            let ancestors = Default::default();
            return Observation { event, process: None, ancestors, container_id: None, workload: None };
        }
        self.now_ns = self.now_ns.max(head.boot_ns);
        if !self.table.touch(head, self.now_ns) {
            self.misses += 1;
            self.want(key);
        }
        match &event.body {
            Body::Fork(fork) if !self.table.fork(&event.head, fork.child, self.now_ns) => {
                self.want(fork.child)
            }
            Body::Exec(exec) if !event.head.failed() => self.table.exec(&event.head, exec),
            Body::Setuid(setuid) if !event.head.failed() => {
                self.table.allow(&event.head, setuid.after.capabilities());
            }
            Body::Capset(capset) if !event.head.failed() => {
                self.table.allow(&event.head, capset.after.capabilities());
            }
            Body::Exit(_) => self.table.exit(key, self.now_ns),
            _ => {}
        }
        let net = event.head.namespaces.net;
        match &mut event.body {
            Body::Dns(dns) => self.names.learn(net, dns, self.now_ns),
            body => self.names.tell(net, body, self.now_ns),
        }
        let workload = self.workload(&event.head).cloned();
        let container_id = workload.as_ref().and_then(|workload| workload.place.container.clone());
        let (process, ancestors) = self.table.get(key).unzip();
        Observation { event, process, ancestors: ancestors.unwrap_or_default(), container_id, workload }
    }

    /// Sizes and losses of the tables.
    pub fn counters(&self) -> Counters {
        let (workloads, runtimes, users) = self.workloads.sizes();
        Counters {
            processes: self.table.entries.len(),
            exited: self.table.ended(),
            evicted_exited: self.table.evicted.exited,
            evicted_living: self.table.evicted.living,
            misses: self.misses,
            containers: self.places.len(),
            evicted_containers: self.places.evicted,
            workloads,
            runtimes,
            users,
            names: self.names.len(),
            evicted_names: self.names.evicted,
            evicted_workloads: self.workloads.evicted,
        }
    }

    fn want(&mut self, key: ProcessKey) {
        if self.wanted.len() < WANTED {
            self.wanted.push_back(key);
        }
    }
}

fn key_of(head: &Head) -> Key {
    (head.cgroup_id, head.namespaces.mnt)
}

#[cfg(test)]
mod tests;
