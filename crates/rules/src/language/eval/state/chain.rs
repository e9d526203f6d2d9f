//! What happened in which order.

use super::table::Content;

/// How many events of one step are remembered: the newest.
const TIMES_MAX: usize = 8;

/// When an event happened, and its number in the order of arrival.
type When = (u64, u64);

/// The newest events of each step, in order.
#[derive(Debug, Default)]
pub(super) struct Chain(Vec<Vec<When>>);

impl Content for Chain {
    fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

impl Chain {
    /// Adds an event of step `step` of `steps`; whether one of each step has happened now, in order and within
    /// `span`. Then all of them are used up. `newest` is the time of the newest event of any step.
    pub(super) fn add(&mut self, when: When, step: usize, steps: usize, newest: u64, span: u64) -> bool {
        self.0.resize_with(steps, Vec::new);
        let since = newest.saturating_sub(span);
        for times in &mut self.0 {
            times.retain(|(time, _)| *time >= since);
        }
        let Some(times) = self.0.get_mut(step) else { return false };
        if times.len() == TIMES_MAX {
            times.remove(0);
        }
        let place = times.partition_point(|other| *other <= when);
        times.insert(place, when);
        let complete = self.complete(span);
        if complete {
            self.0.clear();
        }
        complete
    }

    /// From any last step backwards, the latest event of each step before it makes the shortest span.
    fn complete(&self, span: u64) -> bool {
        let Some((last, before)) = self.0.split_last() else { return false };
        last.iter().any(|end| {
            let start = before.iter().rev().try_fold(*end, |next, times| {
                // One event is one step only.
                let earlier = times.iter().rev().find(|when| when.0 <= next.0 && when.1 != next.1);
                earlier.copied()
            });
            start.is_some_and(|start| end.0 - start.0 <= span)
        })
    }
}
