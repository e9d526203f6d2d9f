//! How often something happened lately.

use super::table::Content;

/// Times of events, or of different values, in order.
#[derive(Debug, Default)]
pub(super) struct Window(Vec<(u64, Option<u64>)>);

impl Content for Window {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Window {
    /// Adds an event, or the value it has; whether `at` of them are not older than `since`. Then they are used
    /// up: the count begins anew.
    pub(super) fn add(&mut self, time: u64, value: Option<u64>, since: u64, at: usize) -> bool {
        let mut time = time;
        let known = value.and_then(|value| self.0.iter().position(|(_, other)| *other == Some(value)));
        if let Some(known) = known {
            time = time.max(self.0.remove(known).0);
        }
        let place = self.0.partition_point(|(other, _)| *other <= time);
        self.0.insert(place, (time, value));
        let old = self.0.partition_point(|(other, _)| *other < since);
        self.0.drain(..old);
        let fires = self.0.len() >= at;
        if fires {
            self.0.clear();
        }
        fires
    }
}
