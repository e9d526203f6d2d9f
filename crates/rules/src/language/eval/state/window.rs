//! How often something happened lately.

use super::table::Content;

/// Times of events, or of different values, in order.
#[derive(Debug, Default)]
pub(super) struct Window {
    times: Vec<(u64, Option<u64>)>,
    /// When it fired last, if that matters.
    fired: Option<u64>,
}

/// What must be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) at: usize,
    /// So long it does not fire again, nanoseconds.
    pub(super) quiet_ns: u64,
}

impl Content for Window {
    fn len(&self) -> usize {
        self.times.len() + usize::from(self.fired.is_some())
    }
}

impl Window {
    /// Adds an event, or the value it has; whether enough of them are not older than `since`. Then they are used
    /// up: the count begins anew, at once or when the quiet time is over.
    pub(super) fn add(&mut self, time: u64, value: Option<u64>, since: u64, limit: Limit) -> bool {
        if self.fired.is_some_and(|fired| time.abs_diff(fired) < limit.quiet_ns) {
            return false;
        }
        let mut time = time;
        let known = value.and_then(|value| self.times.iter().position(|(_, other)| *other == Some(value)));
        if let Some(known) = known {
            time = time.max(self.times.remove(known).0);
        }
        let place = self.times.partition_point(|(other, _)| *other <= time);
        self.times.insert(place, (time, value));
        let old = self.times.partition_point(|(other, _)| *other < since);
        self.times.drain(..old);
        let fires = self.times.len() >= limit.at;
        if fires {
            self.times.clear();
            self.fired = (limit.quiet_ns > 0).then_some(time);
        }
        fires
    }
}
