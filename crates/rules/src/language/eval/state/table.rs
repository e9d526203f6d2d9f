//! A table with a hard bound.

use rustc_hash::FxHashMap;

use super::Remembered;

/// The most keys that a rule remembers.
pub(super) const KEYS_MAX: usize = 4096;
/// The most times of events that a rule remembers.
pub(super) const ENTRIES_MAX: usize = 65_536;
/// So many late events in a row show that it was the newest that was wrong.
const LATE_MAX: u8 = 3;

/// What is remembered of a key.
pub(super) trait Content: Default {
    /// Times in it.
    fn len(&self) -> usize;
}

#[derive(Debug, Default)]
struct Entry<T> {
    /// Number of the last look at it, by which the longest silent is known.
    touched: u64,
    /// Time of the newest event.
    newest: u64,
    /// Late events since the last that was not.
    late: u8,
    content: T,
}

/// What a rule remembers, by key.
#[derive(Debug, Default)]
pub(super) struct Table<T> {
    keys: FxHashMap<u64, Entry<T>>,
    entries: usize,
    looks: u64,
    evicted: u64,
    late: u64,
    /// Room to find the longest silent in.
    order: Vec<u64>,
}

impl<T: Content> Table<T> {
    pub(super) fn remembered(&self) -> Remembered {
        Remembered { keys: self.keys.len(), entries: self.entries, evicted: self.evicted, late: self.late }
    }

    /// Lets `add` look at what is known of `key`, with the time of its newest event; what it says. An event that
    /// is older than that by more than `span` is late: false.
    pub(super) fn at(
        &mut self,
        key: u64,
        time: u64,
        span: u64,
        add: impl FnOnce(&mut T, u64) -> bool,
    ) -> bool {
        let full = self.keys.len() >= KEYS_MAX && !self.keys.contains_key(&key);
        if full || self.entries >= ENTRIES_MAX {
            self.make_room(time.saturating_sub(span));
        }
        self.looks += 1;
        let entry = self.keys.entry(key).or_default();
        entry.touched = self.looks;
        if time < entry.newest.saturating_sub(span) {
            entry.late += 1;
            self.late += 1;
            if entry.late < LATE_MAX {
                return false;
            }
            self.entries -= entry.content.len();
            *entry = Entry { touched: self.looks, ..Entry::default() };
        }
        entry.late = 0;
        entry.newest = entry.newest.max(time);
        let before = entry.content.len();
        let fires = add(&mut entry.content, entry.newest);
        self.entries = self.entries - before + entry.content.len();
        fires
    }

    /// Forgets the quarter of the keys that was silent the longest. Those that have nothing newer than `old` are
    /// no loss.
    fn make_room(&mut self, old: u64) {
        self.order.clear();
        self.order.extend(self.keys.values().map(|entry| entry.touched));
        let quarter = self.order.len() / 4;
        if self.order.is_empty() {
            return;
        }
        let (_, last, _) = self.order.select_nth_unstable(quarter);
        let last = *last;
        let (evicted, entries) = (&mut self.evicted, &mut self.entries);
        self.keys.retain(|_, entry| {
            let stays = entry.touched > last;
            if !stays {
                *entries -= entry.content.len();
                *evicted += u64::from(entry.content.len() > 0 && entry.newest >= old);
            }
            stays
        });
    }
}
