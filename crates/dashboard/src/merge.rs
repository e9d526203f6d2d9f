//! Several streams become one: ordered by time, each alert once.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

/// How long a message waits for older ones of other detectors. A stream that has nothing to say would
/// otherwise hold up all.
const HOLD: Duration = Duration::from_millis(200);
/// The same before a detector has been connected to for the first time: the past is put in order, too.
const HOLD_START: Duration = Duration::from_secs(1);
/// Messages of one detector that wait at most.
const WAITING_MOST: usize = 512;
/// Alerts that are remembered to know a repetition. Two detectors get the same alert within seconds.
const KNOWN_MOST: usize = 65_536;

/// One alert under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) detector: usize,
    pub(crate) seq: u64,
    pub(crate) alert_id: String,
    pub(crate) time_ns: i64,
    pub(crate) data: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Link {
    #[default]
    Unknown,
    Up,
    Down,
}

#[derive(Debug, Default)]
struct Lane {
    link: Link,
    waiting: VecDeque<(Instant, Item)>,
}

/// The merger. It knows no clock; the caller says what time it is.
#[derive(Debug)]
pub(crate) struct Merger {
    lanes: Vec<Lane>,
    /// When a stream began or ended last.
    settled: Option<Instant>,
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Merger {
    pub(crate) fn new(detectors: usize) -> Self {
        let lanes = (0..detectors).map(|_| Lane::default()).collect();
        Self { lanes, settled: None, known: HashSet::new(), order: VecDeque::new() }
    }

    /// A stream begins or ends: those that are down are not waited for.
    pub(crate) fn connect(&mut self, detector: usize, up: bool, now: Instant) {
        self.settled = Some(now);
        if let Some(lane) = self.lanes.get_mut(detector) {
            lane.link = if up { Link::Up } else { Link::Down };
        }
    }

    pub(crate) fn push(&mut self, item: Item, now: Instant) {
        if let Some(lane) = self.lanes.get_mut(item.detector) {
            lane.waiting.push_back((now, item));
        }
    }

    /// The next message that may go out, and whether it is the first of its alert.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Item, bool)> {
        let complete = self.lanes.iter().all(|lane| lane.link == Link::Down || !lane.waiting.is_empty());
        let full = self.lanes.iter().any(|lane| lane.waiting.len() >= WAITING_MOST);
        if !complete && !full && self.due().is_none_or(|due| now < due) {
            return None;
        }
        let heads = self.lanes.iter_mut().filter(|lane| !lane.waiting.is_empty());
        let oldest = heads.min_by_key(|lane| lane.waiting.front().map(|(_, item)| item.time_ns))?;
        let (_, item) = oldest.waiting.pop_front()?;
        let first = self.lanes.len() == 1 || self.first(&item.alert_id);
        Some((item, first))
    }

    /// When a message has waited long enough; `None` when none waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        let arrived = self.lanes.iter().filter_map(|lane| lane.waiting.front()).map(|(at, _)| *at).min()?;
        // Whoever has just come gets its time.
        let from = self.settled.map_or(arrived, |settled| arrived.max(settled));
        let unknown = self.lanes.iter().any(|lane| lane.link == Link::Unknown);
        Some(from + if unknown { HOLD_START } else { HOLD })
    }

    fn first(&mut self, alert_id: &str) -> bool {
        // Without an id nothing can be a repetition.
        if alert_id.is_empty() {
            return true;
        }
        if self.known.contains(alert_id) {
            return false;
        }
        if self.order.len() >= KNOWN_MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(alert_id.to_owned());
        self.order.push_back(alert_id.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(detector: usize, seq: u64, alert_id: &str, time_ns: i64) -> Item {
        Item { detector, seq, alert_id: alert_id.into(), time_ns, data: Vec::new() }
    }

    fn drain(merger: &mut Merger, now: Instant) -> Vec<(usize, u64, bool)> {
        std::iter::from_fn(|| merger.pop(now)).map(|(item, first)| (item.detector, item.seq, first)).collect()
    }

    #[test]
    fn one_detector_waits_for_nobody() {
        let (mut merger, now) = (Merger::new(1), Instant::now());
        merger.connect(0, true, now);
        merger.push(item(0, 1, "a", 5), now);
        merger.push(item(0, 2, "a", 4), now);
        assert_eq!(drain(&mut merger, now), [(0, 1, true), (0, 2, true)]);
    }

    #[test]
    fn two_detectors_are_merged_by_time() {
        let (mut merger, now) = (Merger::new(2), Instant::now());
        merger.connect(0, true, now);
        merger.connect(1, true, now);
        for (seq, time) in [(1, 10), (2, 30)] {
            merger.push(item(0, seq, &format!("a{seq}"), time), now);
        }
        assert_eq!(drain(&mut merger, now), [], "the other may have older ones");
        for (seq, time) in [(1, 20), (2, 40)] {
            merger.push(item(1, seq, &format!("b{seq}"), time), now);
        }
        assert_eq!(drain(&mut merger, now), [(0, 1, true), (1, 1, true), (0, 2, true)]);
        assert_eq!(drain(&mut merger, now + HOLD), [(1, 2, true)], "nobody waits for long");
    }

    #[test]
    fn an_unreachable_detector_holds_up_nobody() {
        let (mut merger, now) = (Merger::new(2), Instant::now());
        merger.connect(0, true, now);
        merger.push(item(0, 1, "a", 1), now);
        assert_eq!(drain(&mut merger, now + HOLD), [], "it may be there in a moment");
        assert_eq!(drain(&mut merger, now + HOLD_START), [(0, 1, true)]);
        merger.connect(1, false, now);
        merger.push(item(0, 2, "b", 2), now);
        assert_eq!(drain(&mut merger, now), [(0, 2, true)]);
    }

    #[test]
    fn an_alert_that_two_detectors_know_comes_once() {
        let (mut merger, now) = (Merger::new(2), Instant::now());
        merger.push(item(0, 1, "same", 1), now);
        merger.push(item(1, 9, "same", 1), now);
        merger.push(item(1, 10, "", 1), now);
        merger.push(item(1, 11, "", 1), now);
        assert_eq!(
            drain(&mut merger, now + HOLD_START),
            [(0, 1, true), (1, 9, false), (1, 10, true), (1, 11, true)]
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut merger, now) = (Merger::new(2), Instant::now());
        merger.connect(1, false, now);
        for seq in 0..=KNOWN_MOST as u64 {
            merger.push(item(0, seq, &seq.to_string(), 0), now);
            assert!(merger.pop(now).unwrap().1);
        }
        assert_eq!((merger.known.len(), merger.order.len()), (KNOWN_MOST, KNOWN_MOST));
    }

    #[test]
    fn a_flood_of_one_detector_does_not_pile_up() {
        let (mut merger, now) = (Merger::new(2), Instant::now());
        merger.connect(0, true, now);
        merger.connect(1, true, now);
        for seq in 0..WAITING_MOST as u64 {
            merger.push(item(0, seq, "", 0), now);
        }
        assert!(merger.pop(now).is_some());
        assert!(merger.pop(now).is_none());
    }
}
