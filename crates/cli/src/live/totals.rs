//! The last line: what was seen and what was not.

use std::time::Duration;

use sentinel_event::{Body, Kind, Observation, Severity};

/// Events by kind, alerts by severity, and what was lost.
#[derive(Debug)]
pub(crate) struct Totals {
    kinds: Vec<u64>,
    alerts: Vec<u64>,
    lost: u64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { kinds: vec![0; Kind::ALL.len()], alerts: vec![0; Severity::ALL.len()], lost: 0 }
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

    pub(crate) fn alert(&mut self, severity: Severity) {
        if let Some(count) = self.alerts.get_mut(severity as usize) {
            *count += 1;
        }
    }

    /// `12.0 s: 15 events (exec 5, file_read 10), 1 alert (high 1), 0 lost`.
    pub(crate) fn summary(&self, lasted: Duration) -> String {
        let events = counted("event", Kind::ALL.iter().map(|kind| kind.name()), &self.kinds);
        let alerts = counted("alert", Severity::ALL.iter().map(|severity| severity.name()), &self.alerts);
        format!("{:.1} s: {events}, {alerts}, {} lost", lasted.as_secs_f64(), self.lost)
    }
}

/// `15 events (exec 5, file_read 10)`.
fn counted<'a>(what: &str, names: impl Iterator<Item = &'a str>, counts: &[u64]) -> String {
    let all: u64 = counts.iter().sum();
    let seen = names.zip(counts).filter(|(_, count)| **count > 0);
    let seen: Vec<_> = seen.map(|(name, count)| format!("{name} {count}")).collect();
    let each = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join(", ")) };
    format!("{all} {what}{}{each}", if all == 1 { "" } else { "s" })
}
