//! Windows by key.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use sentinel_event::{Alert, Priority, Severity};

/// Windows that are open at once; the oldest ends early.
const WINDOWS: usize = 4096;

/// What a window held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// How many.
    pub(super) count: u64,
    /// Time of the event of the first one, nanoseconds since the Unix epoch.
    pub(super) first_ns: u64,
    /// Of the last one.
    pub(super) last_ns: u64,
    pub(super) rule_id: Arc<str>,
    pub(super) rule: Arc<str>,
    pub(super) priority: Priority,
    pub(super) severity: Severity,
    pub(super) risk_score: u8,
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    passed: u32,
    held: Option<Held>,
}

/// Lets so many alerts of a key through in a window.
#[derive(Debug)]
pub(super) struct Table<K> {
    length: Duration,
    most: u32,
    windows: HashMap<K, Window>,
    /// Keys in the order in which their windows began: all are equally long.
    order: VecDeque<K>,
    /// Alerts that were held back, ever.
    pub(super) held: u64,
    /// The same by the names of rules, as far as there is room.
    pub(super) by_rule: HashMap<Arc<str>, u64>,
}

impl<K: Clone + Eq + Hash> Table<K> {
    pub(super) fn new(length: Duration, most: u32) -> Self {
        Self {
            length,
            most,
            windows: HashMap::new(),
            order: VecDeque::new(),
            held: 0,
            by_rule: HashMap::new(),
        }
    }

    /// Whether the alert may pass. Windows that end for it go to `over`.
    pub(super) fn admit(&mut self, key: K, alert: &Alert, now: Instant, over: &mut Vec<Held>) -> bool {
        self.over(Some(now), over);
        if let Some(window) = self.windows.get_mut(&key) {
            if window.passed < self.most {
                window.passed += 1;
                return true;
            }
            self.held += 1;
            if self.by_rule.len() < WINDOWS || self.by_rule.contains_key(&alert.rule) {
                *self.by_rule.entry(Arc::clone(&alert.rule)).or_default() += 1;
            }
            match &mut window.held {
                Some(held) => {
                    held.count += 1;
                    held.first_ns = held.first_ns.min(alert.time_ns);
                    held.last_ns = held.last_ns.max(alert.time_ns);
                }
                none => *none = Some(first(alert)),
            }
            return false;
        }
        if self.order.len() >= WINDOWS {
            self.end_oldest(over);
        }
        self.order.push_back(key.clone());
        self.windows.insert(key, Window { begun: now, passed: 1, held: None });
        true
    }

    /// Ends windows that are over by `now`; without it, all.
    pub(super) fn over(&mut self, now: Option<Instant>, over: &mut Vec<Held>) {
        while let Some(key) = self.order.front() {
            let begun = self.windows.get(key).map(|window| window.begun);
            let running = now.zip(begun).is_some_and(|(now, begun)| now.duration_since(begun) < self.length);
            if running {
                return;
            }
            self.end_oldest(over);
        }
    }

    fn end_oldest(&mut self, over: &mut Vec<Held>) {
        let window = self.order.pop_front().and_then(|key| self.windows.remove(&key));
        over.extend(window.and_then(|window| window.held));
    }
}

fn first(alert: &Alert) -> Held {
    Held {
        count: 1,
        first_ns: alert.time_ns,
        last_ns: alert.time_ns,
        rule_id: Arc::clone(&alert.rule_id),
        rule: Arc::clone(&alert.rule),
        priority: alert.priority,
        severity: alert.severity,
        risk_score: alert.risk_score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::tests::alert;

    #[test]
    fn a_window_lets_so_many_through_and_reports_the_rest() {
        let mut table = Table::new(Duration::from_secs(10), 2);
        let (start, mut over) = (Instant::now(), Vec::new());
        let mut passed = Vec::new();
        for (key, second) in [("a", 0), ("a", 1), ("b", 1), ("a", 2), ("a", 9), ("a", 10), ("a", 11)] {
            let alert = Alert { time_ns: 100 + second, ..alert(key) };
            passed.push(table.admit(key, &alert, start + Duration::from_secs(second), &mut over));
        }
        assert_eq!(passed, [true, true, true, false, false, true, true]);
        let told: Vec<_> =
            over.iter().map(|held| (&*held.rule_id, held.count, held.first_ns, held.last_ns)).collect();
        assert_eq!(told, [("a", 2, 102, 109)]);
        assert_eq!(table.held, 2);
        over.clear();
        table.over(None, &mut over);
        assert_eq!((over, table.windows.len(), table.order.len()), (Vec::new(), 0, 0), "nothing was held");
    }

    #[test]
    fn windows_are_bounded_and_the_oldest_is_told() {
        let mut table = Table::new(Duration::from_secs(10), 1);
        let (now, mut over) = (Instant::now(), Vec::new());
        let alert = alert("r");
        assert!(table.admit(0, &alert, now, &mut over));
        assert!(!table.admit(0, &alert, now, &mut over));
        for key in 1..=WINDOWS {
            assert!(table.admit(key, &alert, now, &mut over));
        }
        assert_eq!((over.len(), table.windows.len(), table.order.len()), (1, WINDOWS, WINDOWS));
    }
}
