//! The last line: what was seen and what was not.

use std::time::Duration;

use sentinel_event::{Body, Kind, Observation};

/// Events by kind, and the lost ones.
#[derive(Debug)]
pub(crate) struct Totals {
    kinds: Vec<u64>,
    lost: u64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { kinds: vec![0; Kind::ALL.len()], lost: 0 }
    }
}

impl Totals {
    pub(crate) fn add(&mut self, observation: &Observation) {
        match &observation.event.body {
            Body::Loss(loss) => self.lost = self.lost.saturating_add(loss.count),
            body => {
                if let Some(count) = self.kinds.get_mut(body.kind() as usize) {
                    *count += 1;
                }
            }
        }
    }

    /// `12.0 s: 15 events (exec 5, file_read 10), 0 lost`.
    pub(crate) fn summary(&self, lasted: Duration) -> String {
        let all: u64 = self.kinds.iter().sum();
        let seen = Kind::ALL.iter().zip(&self.kinds).filter(|(_, count)| **count > 0);
        let seen: Vec<_> = seen.map(|(kind, count)| format!("{kind} {count}")).collect();
        let by_kind = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join(", ")) };
        let events = if all == 1 { "event" } else { "events" };
        format!("{:.1} s: {all} {events}{by_kind}, {} lost", lasted.as_secs_f64(), self.lost)
    }
}
