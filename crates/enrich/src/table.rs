//! The processes of the host, bounded.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sentinel_event::{Capabilities, Exec, ExecId, Head, Process, ProcessKey};

use crate::entry::{Chain, Entry, acting, from_fork, from_head};
use crate::source::TICK_NS;

/// How many ancestors an observation has at most.
pub const ANCESTORS: usize = 16;

/// Counters of what left the table for want of room.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evicted {
    pub(crate) exited: u64,
    pub(crate) living: u64,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) entries: FxHashMap<ProcessKey, Entry>,
    /// Keys that `/proc` told (start time in clock ticks) of processes whose true key is known by now.
    pub(crate) aliases: FxHashMap<ProcessKey, ProcessKey>,
    /// Processes that only `/proc` has told of so far, by tgid.
    coarse: FxHashMap<u32, ProcessKey>,
    /// Ended processes by time of exit; those past `keep_ns` that still have children are in `retained`.
    exited: BTreeSet<(u64, ProcessKey)>,
    retained: BTreeSet<(u64, ProcessKey)>,
    /// Goes up whenever ancestors that an entry has stored may have become wrong.
    pub(crate) epoch: u64,
    serial: u64,
    bound: usize,
    keep_ns: u64,
    /// Of every process.
    host: u64,
    pub(crate) evicted: Evicted,
}

impl Table {
    /// At most `bound` processes (at least 1); ended ones stay `keep_ns` of event time.
    pub(crate) fn new(bound: usize, keep_ns: u64, host: u64) -> Self {
        Self {
            entries: FxHashMap::default(),
            aliases: FxHashMap::default(),
            coarse: FxHashMap::default(),
            exited: BTreeSet::new(),
            retained: BTreeSet::new(),
            epoch: 0,
            serial: 0,
            bound: bound.max(1),
            keep_ns,
            host,
            evicted: Evicted::default(),
        }
    }

    pub(crate) fn ended(&self) -> usize {
        self.exited.len() + self.retained.len()
    }

    /// Adds the processes that the table does not know yet. `exact` is false for start times that were
    /// cut to clock ticks.
    pub(crate) fn fill(&mut self, processes: Vec<Process>, exact: bool, now_ns: u64) {
        let living: FxHashMap<u32, u64> = self
            .entries
            .values()
            .filter(|entry| entry.exited_ns.is_none())
            .map(|entry| (entry.process.key.tgid, entry.process.key.start_ns))
            .collect();
        for process in processes {
            let key = process.key;
            let near = |start_ns: &u64| start_ns.abs_diff(key.start_ns) <= TICK_NS;
            let known = self.find(key).is_some() || (!exact && living.get(&key.tgid).is_some_and(near));
            if key.tgid == 0 || known {
                continue;
            }
            self.insert(process, now_ns);
            self.epoch += 1;
            if !exact {
                self.coarse.insert(key.tgid, key);
            }
        }
    }

    /// Program and arguments of a process that was known by an event of its own only, as `/proc` tells.
    pub(crate) fn complete(&mut self, key: ProcessKey, process: Process) {
        let near = process.key.tgid == key.tgid && process.key.start_ns.abs_diff(key.start_ns) <= TICK_NS;
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.partial && near) {
            let known = Arc::make_mut(&mut entry.process);
            (known.exe, known.argv, known.cwd) = (process.exe, process.argv, process.cwd);
            known.capabilities = known.capabilities.or(process.capabilities);
            entry.partial = false;
            self.epoch += u64::from(entry.children > 0);
        }
    }

    /// Takes note of an event's process. Returns whether it was known.
    pub(crate) fn touch(&mut self, head: &Head, now_ns: u64) -> bool {
        let known = self.entries.contains_key(&head.process) || self.find(head.process).is_some();
        if !known {
            self.insert(from_head(head), now_ns);
            self.epoch += 1;
        }
        let Some(entry) = self.entries.get_mut(&head.process) else { return known };
        entry.partial |= !known;
        entry.seen_ns = now_ns;
        let orphan = entry.process.creator.is_none() && head.parent.tgid != 0;
        if entry.learn(head) && entry.children > 0 {
            self.epoch += 1;
        }
        if entry.process.parent != head.parent {
            self.adopt(head.process, head.parent);
        }
        // Its fork was not seen: whoever is the parent now stands for who made it.
        if orphan
            && let Some(parent) =
                self.find(head.parent).and_then(|parent| self.entries.get(&parent)?.process.exec_id())
            && let Some(entry) = self.entries.get_mut(&head.process)
        {
            entry.created_by(parent);
        }
        known
    }

    /// The process and its ancestors.
    pub(crate) fn get(&mut self, key: ProcessKey) -> Option<(Arc<Process>, Chain)> {
        let entry = self.entries.get(&key)?;
        let process = entry.process.clone();
        match &entry.chain {
            Some((epoch, chain)) if *epoch == self.epoch => Some((process, chain.clone())),
            _ => Some((process, self.chain(key))),
        }
    }

    /// A new process. One that is known already (from a snapshot taken meanwhile) keeps its newer facts.
    /// Returns whether program and arguments of the child are known.
    pub(crate) fn fork(&mut self, head: &Head, child: ProcessKey, now_ns: u64) -> bool {
        if child.tgid == 0 {
            return true;
        }
        if self.find(child).is_some() {
            self.set_parent(child, head.process);
            if let Some(entry) = self.entries.get_mut(&child) {
                entry.created_by(ExecId { host: self.host, ..acting(head) });
            }
            return true;
        }
        let Some(creator) = self.entries.get(&head.process) else { return true };
        let (process, partial) = (from_fork(&creator.process, head, child), creator.partial);
        self.insert(process, now_ns);
        if let Some(entry) = self.entries.get_mut(&child) {
            entry.partial = partial;
        }
        self.link(child, head.process);
        !partial
    }

    /// A process runs another program from now on.
    pub(crate) fn exec(&mut self, head: &Head, exec: &Exec) {
        if let Some(entry) = self.entries.get_mut(&head.process) {
            entry.exec(head, exec);
            self.epoch += u64::from(entry.children > 0);
        }
    }

    /// A process may do something else from now on.
    pub(crate) fn allow(&mut self, head: &Head, capabilities: Capabilities) {
        if let Some(entry) = self.entries.get_mut(&head.process) {
            entry.allow(head, capabilities);
        }
    }

    /// A process has ended. It stays for a while.
    pub(crate) fn exit(&mut self, key: ProcessKey, now_ns: u64) {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.exited_ns.is_none()
        {
            Arc::make_mut(&mut entry.process).exited = true;
            entry.exited_ns = Some(now_ns);
            self.epoch += u64::from(entry.children > 0);
            self.exited.insert((now_ns, key));
        }
        self.expire(now_ns);
    }

    /// The key under which `key` is in the table. A process that only `/proc` had told of gets its true
    /// key here.
    pub(crate) fn find(&mut self, key: ProcessKey) -> Option<ProcessKey> {
        if self.entries.contains_key(&key) {
            return Some(key);
        }
        if let Some(true_key) = self.aliases.get(&key) {
            return Some(*true_key);
        }
        let coarse = *self.coarse.get(&key.tgid)?;
        if coarse.start_ns.abs_diff(key.start_ns) > TICK_NS {
            return None;
        }
        self.coarse.remove(&key.tgid);
        let mut entry = self.entries.remove(&coarse)?;
        Arc::make_mut(&mut entry.process).key = key;
        entry.alias = Some(coarse);
        self.aliases.insert(coarse, key);
        self.entries.insert(key, entry);
        self.epoch += 1;
        Some(key)
    }

    fn insert(&mut self, mut process: Process, now_ns: u64) {
        process.host = self.host;
        self.expire(now_ns);
        if self.entries.len() >= self.bound {
            self.evict();
        }
        self.serial += 1;
        self.entries.insert(process.key, Entry::new(process, self.serial, now_ns));
    }

    /// Removes ended processes whose time is over. Those that have children stay, for the lineage.
    pub(crate) fn expire(&mut self, now_ns: u64) {
        while let Some(&(exited_ns, key)) = self.exited.first()
            && now_ns.saturating_sub(exited_ns) > self.keep_ns
        {
            self.exited.remove(&(exited_ns, key));
            if self.entries.get(&key).is_some_and(|entry| entry.children > 0) {
                self.retained.insert((exited_ns, key));
            } else {
                self.remove(key);
            }
        }
    }

    /// Makes room: the process that ended first, else the 64th part of the living that has been silent
    /// for longest (finding them takes a pass over the table, so it is not done for one).
    fn evict(&mut self) {
        if let Some((_, key)) = self.retained.pop_first().or_else(|| self.exited.pop_first()) {
            self.evicted.exited += 1;
            self.remove(key);
            return;
        }
        let mut silent: Vec<_> = self.entries.iter().map(|(key, entry)| (entry.seen_ns, *key)).collect();
        let count = (self.bound / 64).max(1).min(silent.len());
        if count < silent.len() {
            silent.select_nth_unstable(count);
        }
        for (_, key) in silent.into_iter().take(count) {
            self.evicted.living += 1;
            self.remove(key);
        }
    }

    fn remove(&mut self, key: ProcessKey) {
        let mut next = Some(key);
        while let Some(key) = next.take() {
            let Some(entry) = self.entries.remove(&key) else { return };
            self.epoch += u64::from(entry.children > 0);
            if self.coarse.get(&key.tgid) == Some(&key) {
                self.coarse.remove(&key.tgid);
            }
            if let Some(exited_ns) = entry.exited_ns {
                self.exited.remove(&(exited_ns, key));
                self.retained.remove(&(exited_ns, key));
            }
            let parent = self.unlink(&entry);
            if let Some(alias) = entry.alias {
                self.aliases.remove(&alias);
            }
            // The last child of a process that was kept only for its children has gone.
            next = parent.filter(|parent| {
                self.entries.get(parent).is_some_and(|entry| {
                    entry.children == 0
                        && entry.exited_ns.is_some_and(|ns| self.retained.contains(&(ns, *parent)))
                })
            });
        }
    }
}
