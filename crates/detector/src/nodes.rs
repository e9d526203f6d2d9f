//! What the nodes say of themselves: one picture, in memory. After a restart it is whole again within seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sentinel_wire::v1::{NodeStatus, node_status::RuleSetStatus};

use crate::time::now_ms;

/// Nodes that are known at a time; the one that is silent for longest goes.
const NODES: usize = 4096;
/// Parts of a report that are kept, of each sort.
const PARTS: usize = 4096;
/// Bytes of a node's name.
const NAME: usize = 512;
/// Silent for longer, a node counts as gone: three reports.
const GONE: Duration = Duration::from_secs(30);

/// A node, as it was heard of last.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) last_seen_ms: i64,
    heard: Instant,
    /// What it reported; none when only events or alerts came.
    pub(crate) status: Option<NodeStatus>,
}

impl Node {
    /// Heard of lately.
    pub(crate) fn connected(&self) -> bool {
        self.heard.elapsed() < GONE
    }
}

/// The table of nodes.
#[derive(Debug, Default)]
pub(crate) struct Nodes(Mutex<HashMap<String, Node>>);

impl Nodes {
    /// Something came from this node.
    pub(crate) fn heard(&self, name: &str) {
        if name.is_empty() || name.len() > NAME {
            return;
        }
        let mut nodes = self.lock();
        let (now, heard) = (now_ms(), Instant::now());
        if let Some(node) = nodes.get_mut(name) {
            (node.last_seen_ms, node.heard) = (now, heard);
            return;
        }
        if nodes.len() >= NODES {
            let silent = nodes.values().min_by_key(|node| node.heard).map(|node| node.name.clone());
            silent.map(|silent| nodes.remove(&silent));
        }
        let node = Node { name: name.to_owned(), last_seen_ms: now, heard, status: None };
        nodes.insert(name.to_owned(), node);
    }

    /// A node reported. False: its report makes no sense.
    pub(crate) fn report(&self, mut status: NodeStatus) -> bool {
        if status.hostname.is_empty() || status.hostname.len() > NAME {
            return false;
        }
        while status.counters.len() > PARTS {
            status.counters.pop_last();
        }
        // JSON has no word for them.
        status.counters.retain(|_, value| value.is_finite());
        status.hooks.truncate(PARTS);
        status.cgroups.truncate(PARTS);
        if let Some(rules) = &mut status.rules {
            rules.hits.truncate(PARTS);
        }
        self.heard(&status.hostname);
        if let Some(node) = self.lock().get_mut(&status.hostname) {
            if let (Some(rules), Some(before)) =
                (&mut status.rules, node.status.as_mut().and_then(|status| status.rules.take()))
            {
                keep_meanings(rules, before);
            }
            node.status = Some(status);
        }
        true
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Node> {
        let mut nodes: Vec<Node> = self.lock().values().cloned().collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Node>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What rules mean is not told each time.
fn keep_meanings(rules: &mut RuleSetStatus, before: RuleSetStatus) {
    if rules.hash != before.hash || rules.hits.iter().any(|rule| !rule.condition.is_empty()) {
        return;
    }
    for (rule, known) in rules.hits.iter_mut().zip(before.hits) {
        if rule.rule == known.rule {
            (rule.condition, rule.events) = (known.condition, known.events);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sentinel_wire::v1::node_status::RuleHits;

    use super::*;

    fn status(hostname: &str) -> NodeStatus {
        NodeStatus { hostname: hostname.into(), ..NodeStatus::default() }
    }

    #[test]
    fn the_table_keeps_its_bound_and_those_heard_of_last() {
        let nodes = Nodes::default();
        (0..=NODES).for_each(|number| nodes.heard(&format!("n{number}")));
        let all = nodes.all();
        assert_eq!(all.len(), NODES);
        assert!(!all.iter().any(|node| node.name == "n0"));
        assert!(all.iter().any(|node| node.name == "n1"));
    }

    #[test]
    fn what_rules_mean_is_kept_until_they_change() {
        let nodes = Nodes::default();
        let report = |hash: &str, condition: &str| {
            let rule = RuleHits { rule: "r".into(), condition: condition.into(), ..RuleHits::default() };
            let rules = RuleSetStatus { hash: hash.into(), hits: vec![rule], ..RuleSetStatus::default() };
            assert!(nodes.report(NodeStatus { rules: Some(rules), ..status("n") }));
            nodes.all().pop().unwrap().status.unwrap().rules.unwrap().hits.remove(0).condition
        };
        let told = [("h", "a = b"), ("h", ""), ("h", ""), ("i", ""), ("i", "c = d"), ("i", "")];
        let kept = told.map(|(hash, condition)| report(hash, condition));
        assert_eq!(kept, ["a = b", "a = b", "a = b", "", "c = d", "c = d"]);
    }

    #[test]
    fn a_report_is_bounded_and_finite() {
        let nodes = Nodes::default();
        let mut report = status("n");
        report.counters = (0..2 * PARTS).map(|number| (format!("c{number:06}"), 1.0)).collect();
        report.counters.insert("a".into(), f64::NAN);
        report.hooks = vec![Default::default(); 2 * PARTS];
        assert!(nodes.report(report));
        let kept = nodes.all().pop().unwrap().status.unwrap();
        assert_eq!((kept.counters.len(), kept.hooks.len()), (PARTS - 1, PARTS));
        assert!(!nodes.report(status("")) && !nodes.report(status(&"n".repeat(NAME + 1))));
    }
}
