//! When an event is due, and how well that is kept.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Events that are due within so long go together: fewer, larger batches, and none is sooner or later by more.
const TOGETHER: Duration = Duration::from_millis(1);
/// Width of a step of the histogram.
const STEP: Duration = Duration::from_micros(100);
/// Steps of the histogram; the last holds what is later.
const STEPS: usize = 1000;

/// The clock of a replay in real time.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// When the first event was sent, and its time, nanoseconds since the Unix epoch.
    first: Option<(Instant, u64)>,
    /// How many waits were so late, by steps.
    late: Vec<u64>,
    latest: Duration,
}

impl Clock {
    /// When the event must be waited for; none: now.
    pub(super) fn due(&mut self, time_ns: u64) -> Option<Instant> {
        let (begun, first) = *self.first.get_or_insert_with(|| (Instant::now(), time_ns));
        let due = begun.checked_add(Duration::from_nanos(time_ns.saturating_sub(first)))?;
        (due > Instant::now() + TOGETHER).then_some(due)
    }

    /// An event that was waited for is on its way.
    pub(super) fn reached(&mut self, due: Instant) {
        let late = due.elapsed();
        self.latest = self.latest.max(late);
        self.late.resize(STEPS, 0);
        let step = usize::try_from(late.as_nanos() / STEP.as_nanos()).unwrap_or(usize::MAX);
        if let Some(count) = self.late.get_mut(step.min(STEPS - 1)) {
            *count += 1;
        }
    }

    /// The log begins again.
    pub(super) fn restart(&mut self) {
        self.first = None;
    }

    /// How late events were; none when none was waited for.
    pub(super) fn lateness(&self) -> Option<Lateness> {
        let all: u64 = self.late.iter().sum();
        let mut seen = 0;
        let step = self.late.iter().position(|count| {
            seen += count;
            all > 0 && seen * 100 >= all * 99
        })?;
        let p99 = STEP.saturating_mul(u32::try_from(step + 1).unwrap_or(u32::MAX));
        Some(Lateness { p99, most: self.latest })
    }
}

/// How late events were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lateness {
    p99: Duration,
    most: Duration,
}

impl fmt::Display for Lateness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(f, "late by at most {:.1} ms (99 % of waits), {:.1} ms (all)", ms(self.p99), ms(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_due_as_long_after_the_first_as_they_were() {
        let mut clock = Clock::default();
        let second = 1_000_000_000;
        assert_eq!(clock.due(5 * second), None);
        assert_eq!(clock.due(5 * second + 500_000), None, "close by");
        assert_eq!(clock.due(3 * second), None, "out of order");
        let (begun, _) = clock.first.unwrap();
        assert_eq!(clock.due(65 * second), Some(begun + Duration::from_secs(60)));
        clock.restart();
        assert_eq!(clock.due(u64::MAX), None);
    }

    #[test]
    fn lateness_is_that_of_nearly_all() {
        let mut clock = Clock::default();
        assert_eq!(clock.lateness(), None);
        clock.late = vec![0; STEPS];
        clock.late[3] = 990;
        clock.late[STEPS - 1] = 10;
        clock.latest = Duration::from_secs(2);
        let told = clock.lateness().unwrap().to_string();
        assert_eq!(told, "late by at most 0.4 ms (99 % of waits), 2000.0 ms (all)");
    }
}
