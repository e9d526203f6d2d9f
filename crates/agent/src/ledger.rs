//! Losses that have not been reported yet. Nothing is dropped silently: what a hop loses travels downstream as
//! events of kind `loss`, and a report that is lost itself goes back into the ledger.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use nix::time::{ClockId, clock_gettime};
use sentinel_event::{Body, Event, Head, Kind, Loss, LossCause, Stage};

use crate::meters::Meters;

/// At most one report a second for each stage, cause and kind.
const PERIOD: Duration = Duration::from_secs(1);

/// Unreported losses of one hop.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    owed: BTreeMap<(Stage, LossCause, Option<Kind>), u64>,
    reported: Option<Instant>,
}

impl Ledger {
    /// Writes down the loss of one event, and counts it. A report of earlier losses is owed again instead.
    pub(crate) fn lose(
        &mut self,
        kind: Kind,
        report: Option<&Loss>,
        stage: Stage,
        cause: LossCause,
        meters: &Meters,
    ) {
        match report {
            Some(loss) => self.owe(*loss),
            None => self.owe(Loss { stage, cause, kind: Some(kind), count: 1 }),
        }
        if let Some(counter) = meters.lost.of(stage, cause) {
            counter.add(kind, 1);
        }
    }

    fn owe(&mut self, loss: Loss) {
        let owed = self.owed.entry((loss.stage, loss.cause, loss.kind)).or_default();
        *owed = owed.saturating_add(loss.count);
    }

    /// Reports what is owed, when it is time.
    pub(crate) fn report(&mut self, now: Instant) -> Vec<Event> {
        let due = self.reported.is_none_or(|reported| now.duration_since(reported) >= PERIOD);
        if self.owed.is_empty() || !due {
            return Vec::new();
        }
        self.reported = Some(now);
        self.report_all()
    }

    /// Reports what is owed, at once.
    pub(crate) fn report_all(&mut self) -> Vec<Event> {
        let head = head_now();
        std::mem::take(&mut self.owed)
            .into_iter()
            .map(|((stage, cause, kind), count)| Event {
                head: head.clone(),
                body: Body::Loss(Loss { stage, cause, kind, count }),
            })
            .collect()
    }
}

/// The head of an event that nobody did.
fn head_now() -> Head {
    let real = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Head { boot_ns: nanos(boot), real_ns: nanos(real), ..Head::default() }
}

/// The report in an event, when it is one.
pub(crate) fn report_in(event: &Event) -> Option<&Loss> {
    match &event.body {
        Body::Loss(loss) => Some(loss),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_report_is_owed_again() {
        let (mut ledger, meters) = (Ledger::default(), Meters::default());
        ledger.lose(Kind::Exec, None, Stage::Queue, LossCause::Full, &meters);
        ledger.lose(Kind::Exec, None, Stage::Queue, LossCause::Full, &meters);
        let now = Instant::now();
        let reports = ledger.report(now);
        let expected = Loss { stage: Stage::Queue, cause: LossCause::Full, kind: Some(Kind::Exec), count: 2 };
        assert_eq!(reports.iter().filter_map(report_in).collect::<Vec<_>>(), [&expected]);

        ledger.lose(Kind::Loss, report_in(&reports[0]), Stage::Stdout, LossCause::Full, &meters);
        ledger.lose(Kind::Exec, None, Stage::Queue, LossCause::Full, &meters);
        assert_eq!(ledger.report(now), [], "not twice in a second");
        let reports = ledger.report(now + PERIOD);
        assert_eq!(reports.iter().filter_map(report_in).map(|loss| loss.count).collect::<Vec<_>>(), [3]);
        assert_eq!(ledger.report_all(), []);
        assert_eq!(meters.lost.sum(), 4);
    }
}
