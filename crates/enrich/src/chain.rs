//! Who descends from whom.

use std::sync::Arc;

use sentinel_event::ProcessKey;

use crate::entry::{Chain, Entry};
use crate::source::TICK_NS;
use crate::table::{ANCESTORS, Table};

impl Table {
    /// The ancestors of `key`, parent first. Stored in the entry until the epoch changes.
    ///
    /// Every pair of child and parent on the way is counted, so that a later change of any of them is
    /// known to concern others.
    pub(crate) fn chain(&mut self, key: ProcessKey) -> Chain {
        let mut found = Vec::with_capacity(ANCESTORS);
        let mut child = key;
        while found.len() < ANCESTORS
            && let Some(parent) = self.parent_of(child)
        {
            // A parent is older than its child, so there are no circles; clock ticks may blur the order.
            if parent == key || found.iter().any(|a: &Arc<sentinel_event::Process>| a.key == parent) {
                break;
            }
            self.link(child, parent);
            let Some(entry) = self.entries.get(&parent) else { break };
            found.push(entry.process.clone());
            child = parent;
        }
        let Some(entry) = self.entries.get_mut(&key) else { return found.into() };
        let chain = match entry.chain.take() {
            Some((_, old)) if same(&old, &found) => old,
            _ => found.into(),
        };
        entry.chain = Some((self.epoch, chain.clone()));
        chain
    }

    /// Takes note of the parent that an event names. The creator stays the parent as long as the table
    /// knows it, although the kernel names the reaper once the creator has died: what started a daemon
    /// is worth more than who waits for it.
    pub(crate) fn adopt(&mut self, child: ProcessKey, named: ProcessKey) {
        let Some(stored) = self.entries.get(&child).map(|entry| entry.process.parent) else { return };
        if stored == named {
            return;
        }
        self.find(named); // its exact start time may complete what /proc told
        let parent = self.find(stored).unwrap_or(named);
        if parent != stored {
            self.set_parent(child, parent);
        }
    }

    /// Gives a process another parent.
    pub(crate) fn set_parent(&mut self, child: ProcessKey, parent: ProcessKey) {
        let Some(entry) = self.entries.get_mut(&child).filter(|_| may_be_parent(parent, child)) else {
            return;
        };
        let stored = entry.process.parent;
        if stored == parent {
            return;
        }
        Arc::make_mut(&mut entry.process).parent = parent;
        let linked = entry.linked.take();
        self.epoch += u64::from(entry.children > 0);
        entry.chain = None;
        self.drop_link(stored, linked);
    }

    /// Counts `child` among the children of `parent`, once.
    pub(crate) fn link(&mut self, child: ProcessKey, parent: ProcessKey) {
        let Some(serial) = self.entries.get(&parent).map(|entry| entry.serial) else { return };
        let Some(entry) = self.entries.get_mut(&child) else { return };
        if entry.linked == Some(serial) {
            return;
        }
        entry.linked = Some(serial);
        if let Some(parent) = self.entries.get_mut(&parent) {
            parent.children += 1;
        }
    }

    /// Undoes [`Self::link`] for an entry that leaves the table; returns its parent.
    pub(crate) fn unlink(&mut self, entry: &Entry) -> Option<ProcessKey> {
        self.drop_link(entry.process.parent, entry.linked)
    }

    fn drop_link(&mut self, parent: ProcessKey, linked: Option<u64>) -> Option<ProcessKey> {
        let parent = self.aliases.get(&parent).copied().unwrap_or(parent);
        let entry = self.entries.get_mut(&parent).filter(|entry| linked == Some(entry.serial))?;
        entry.children = entry.children.saturating_sub(1);
        Some(parent)
    }

    fn parent_of(&mut self, child: ProcessKey) -> Option<ProcessKey> {
        let stored = self.entries.get(&child)?.process.parent;
        let parent = self.find(stored)?;
        may_be_parent(parent, child).then_some(parent)
    }
}

/// Nobody is older than its parent. The idle task (tgid 0) is nobody's.
fn may_be_parent(parent: ProcessKey, child: ProcessKey) -> bool {
    parent.tgid != 0 && parent.tgid != child.tgid && parent.start_ns <= child.start_ns.saturating_add(TICK_NS)
}

fn same(old: &Chain, new: &[Arc<sentinel_event::Process>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| Arc::ptr_eq(old, new))
}
