//! cgroups that have gone. They stay known for a while: their last events may still be on their way.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::source::Source;

/// How often it is asked who has gone, and how many are taken at once.
const LOOK_NS: u64 = 1_000_000_000;
const TAKEN: usize = 4096;

/// Those that are still to be forgotten, by the time at which it was heard of them.
#[derive(Debug)]
pub(crate) struct Deaths {
    heard: VecDeque<(u64, u64)>,
    looked_ns: u64,
    keep_ns: u64,
    bound: usize,
}

impl Deaths {
    /// They stay known for `keep_ns` of event time; less when more than `bound` are to be kept.
    pub(crate) fn new(keep_ns: u64, bound: usize) -> Self {
        Self { heard: VecDeque::new(), looked_ns: 0, keep_ns, bound }
    }

    /// Those whose time is over, told once; the source has forgotten them.
    pub(crate) fn over(&mut self, source: &mut dyn Source, now_ns: u64) -> FxHashSet<u64> {
        let mut over = FxHashSet::default();
        if now_ns.saturating_sub(self.looked_ns) < LOOK_NS {
            return over;
        }
        self.looked_ns = now_ns;
        let news = std::iter::from_fn(|| source.died()).take(TAKEN);
        self.heard.extend(news.map(|id| (now_ns, id)));
        while let Some(&(heard_ns, id)) = self.heard.front()
            && (now_ns.saturating_sub(heard_ns) > self.keep_ns || self.heard.len() > self.bound)
        {
            self.heard.pop_front();
            source.forget(id);
            over.insert(id);
        }
        over
    }
}

#[cfg(test)]
mod tests;
