//! Telling a busy host from a slow agent.
//!
//! A virtual machine shares its cores with strangers: for seconds at a time everything on it takes half as long again,
//! and no median over rounds sees through that when the strangers come and go more slowly than the rounds. So work is
//! timed in slices of some milliseconds with a yardstick before and after each: a fixed walk through a table, which asks
//! the kernel for nothing and so costs the same with and without an agent. Slices beside which the yardstick was slow
//! are left out, by the same limit with and without.

use std::{hint::black_box, time::Instant};

use serde::{Deserialize, Serialize};

use crate::stats::Summary;

/// A slice of work, and how fast the machine was around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slice {
    /// Nanoseconds for a step of the work.
    pub(crate) step_ns: f64,
    /// Nanoseconds for a step of the yardstick, the slower of before and after.
    pub(crate) yard_ns: f64,
}

/// Entries of the yardstick's table: 256 KiB, more than a core's first cache and less than its second, which a
/// neighbour on the same core disturbs as it disturbs the kernel.
const ENTRIES: usize = 1 << 16;
/// Steps of the yardstick: about half a millisecond.
const STEPS: u32 = 60_000;

/// The walk that takes the same time whenever the machine is as fast.
#[derive(Debug)]
pub(crate) struct Yardstick {
    table: Vec<u32>,
    at: u32,
}

impl Yardstick {
    /// A table of numbers in no order.
    pub(crate) fn new() -> Self {
        let mut next = 1_u32;
        let table = std::iter::repeat_with(|| {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            next >> 8
        });
        Self { table: table.take(ENTRIES).collect(), at: 1 }
    }

    /// Walks, and says how many nanoseconds a step took.
    pub(crate) fn walk(&mut self) -> f64 {
        // Into the cache first: what the work before left there is not the machine's doing.
        black_box(self.table.iter().fold(0, |all, entry| all ^ entry));
        let start = Instant::now();
        for _ in 0..STEPS {
            let entry = self.table.get(self.at as usize % ENTRIES).copied().unwrap_or_default();
            self.at = (self.at ^ entry).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            self.at ^= self.at >> 13;
        }
        black_box(self.at);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(STEPS)
    }
}

/// The limit above which the machine counts as disturbed, in nanoseconds of the yardstick: a tenth more than the fastest
/// twentieth of all `slices` of a run, with and without the agent. None without slices.
pub(crate) fn limit<'a>(slices: impl Iterator<Item = &'a Slice>) -> Option<f64> {
    let mut yards: Vec<f64> = slices.map(|slice| slice.yard_ns).collect();
    yards.sort_by(f64::total_cmp);
    Some(yards.get(yards.len() / 20)? * 1.1)
}

/// So few undisturbed slices say nothing.
const ENOUGH: usize = 20;

/// What the undisturbed slices come to, and how many of all that is, in percent. Where there are hardly any, all of them
/// count, and the percentage is zero: a figure of a disturbed machine.
pub(crate) fn summary(slices: &[Slice], limit: f64) -> Option<Quiet> {
    let quiet: Vec<f64> =
        slices.iter().filter(|slice| slice.yard_ns <= limit).map(|slice| slice.step_ns).collect();
    if quiet.len() < ENOUGH {
        let all: Vec<f64> = slices.iter().map(|slice| slice.step_ns).collect();
        return Some(Quiet { summary: Summary::of(&all)?, quiet_percent: 0.0 });
    }
    let percent = quiet.len() as f64 / slices.len() as f64 * 100.0;
    Some(Quiet { summary: Summary::of(&quiet)?, quiet_percent: percent })
}

/// A summary of undisturbed slices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Quiet {
    /// What they come to, in nanoseconds per step.
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// How much of the time was undisturbed; 0 where too little was, and disturbed slices are in the summary too.
    pub(crate) quiet_percent: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(count: usize, step_ns: f64, yard_ns: f64) -> Vec<Slice> {
        vec![Slice { step_ns, yard_ns }; count]
    }

    #[test]
    fn what_a_busy_host_did_is_left_out() {
        let all = [slices(30, 100.0, 8.0), slices(70, 190.0, 12.0)].concat();
        let limit = limit(all.iter()).unwrap();
        assert!((8.0..12.0).contains(&limit), "{limit}");
        let found = summary(&all, limit).unwrap();
        assert_eq!((found.summary.median, found.quiet_percent), (100.0, 30.0));
    }

    #[test]
    fn a_run_without_quiet_says_so() {
        let all = [slices(5, 100.0, 8.0), slices(95, 190.0, 12.0)].concat();
        let found = summary(&all, 8.8).unwrap();
        assert_eq!((found.summary.median, found.quiet_percent), (190.0, 0.0));
        assert!(limit([].iter()).is_none() && summary(&[], 8.8).is_none());
    }

    #[test]
    fn the_walk_does_not_get_stuck() {
        let mut yardstick = Yardstick::new();
        let seen: std::collections::HashSet<_> = (0..20)
            .map(|_| {
                assert!(yardstick.walk() > 0.0);
                yardstick.at
            })
            .collect();
        assert_eq!(seen.len(), 20);
    }
}
