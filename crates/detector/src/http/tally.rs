//! Counts of alerts: by severity, rule, place and time.

use std::{collections::BTreeMap, hash::Hash};

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use super::stats::Span;
use crate::store::{Count, Name, Seen, Sort, severity_of};

/// Different keys that are counted, of each sort: names are the nodes', so they could be many.
const KEYS: usize = 10_000;
/// Rows of a list.
const ROWS: usize = 100;
/// Workloads of the heat map.
const WORKLOADS: usize = 50;

/// Alerts by rank of their severity.
type BySeverity = [u64; 5];
type Names = (String, String);

/// Alerts, counted.
#[derive(Debug)]
pub(super) struct Tally {
    span: Span,
    total: u64,
    severities: BySeverity,
    rules: FxHashMap<Names, (u64, u8)>,
    nodes: FxHashMap<String, u64>,
    pods: FxHashMap<Names, u64>,
    buckets: BTreeMap<i64, BySeverity>,
    workloads: FxHashMap<String, BTreeMap<i64, u64>>,
}

impl Tally {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            total: 0,
            severities: [0; 5],
            rules: FxHashMap::default(),
            nodes: FxHashMap::default(),
            pods: FxHashMap::default(),
            buckets: span.begins().map(|begin| (begin, [0; 5])).collect(),
            workloads: FxHashMap::default(),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Many(count) => self.count(count),
            Seen::One(alert) => {
                for Name { sort, name, more, severity } in alert.names() {
                    let (name, more) = (&*name, &*more);
                    self.count(&Count { ts_ms: alert.ts_ms, sort, name, more, severity, count: 1 });
                }
            }
        }
    }

    fn count(&mut self, &Count { ts_ms, sort, name, more, severity, count }: &Count<'_>) {
        let begin = self.span.begin(ts_ms);
        match sort {
            // Every alert has one: the totals are made of them.
            Sort::Rule => {
                let rank = severity.min(4);
                self.total += count;
                let totals = [Some(&mut self.severities), self.buckets.get_mut(&begin)];
                for counts in totals.into_iter().flatten() {
                    if let Some(sum) = counts.get_mut(usize::from(rank)) {
                        *sum += count;
                    }
                }
                if let Some((sum, worst)) = slot(&mut self.rules, (name.into(), more.into())) {
                    (*sum, *worst) = (*sum + count, rank.max(*worst));
                }
            }
            Sort::Node => slot(&mut self.nodes, name.into()).into_iter().for_each(|sum| *sum += count),
            Sort::Pod => {
                slot(&mut self.pods, (name.into(), more.into())).into_iter().for_each(|sum| *sum += count);
            }
            Sort::Workload => {
                if let Some(times) = slot(&mut self.workloads, name.into()) {
                    *times.entry(begin).or_default() += count;
                }
            }
        }
    }

    pub(super) fn json(self) -> Value {
        let rules = most(self.rules, |(count, _)| *count).into_iter().map(|((id, name), (count, worst))| {
            json!({"rule_id": id, "rule": name, "severity": severity_of(worst).name(), "count": count})
        });
        let nodes = most(self.nodes, |count| *count).into_iter();
        let nodes = nodes.map(|(node, count)| json!({"node": node, "count": count}));
        let pods = most(self.pods, |count| *count)
            .into_iter()
            .map(|((pod, namespace), count)| json!({"pod": pod, "namespace": namespace, "count": count}));
        let buckets = self.buckets.into_iter().map(|(begin, counts)| {
            json!({"t": begin, "count": counts.iter().sum::<u64>(), "by_severity": by_severity(&counts)})
        });
        let workloads = most(self.workloads, |times| times.values().sum()).into_iter().take(WORKLOADS);
        let heatmap = workloads.flat_map(|(workload, times)| {
            let cells = times.into_iter();
            cells
                .map(move |(t, count)| json!({"workload": workload, "t": t, "count": count}))
                .collect::<Vec<_>>()
        });
        json!({
            "from": self.span.from,
            "to": self.span.to,
            "bucket": self.span.bucket,
            "total": self.total,
            "by_severity": by_severity(&self.severities),
            "by_rule": rules.collect::<Vec<_>>(),
            "by_node": nodes.collect::<Vec<_>>(),
            "by_pod": pods.collect::<Vec<_>>(),
            "buckets": buckets.collect::<Vec<_>>(),
            "heatmap": heatmap.collect::<Vec<_>>(),
        })
    }
}

/// The count of a key, while there is room for new ones.
fn slot<K: Eq + Hash, V: Default>(counts: &mut FxHashMap<K, V>, key: K) -> Option<&mut V> {
    if counts.len() >= KEYS && !counts.contains_key(&key) {
        return None;
    }
    Some(counts.entry(key).or_default())
}

/// The greatest first; equal ones by name.
fn most<K: Ord, V>(counts: FxHashMap<K, V>, count: impl Fn(&V) -> u64) -> Vec<(K, V)> {
    let mut rows: Vec<(K, V)> = counts.into_iter().collect();
    rows.sort_by(|a, b| count(&b.1).cmp(&count(&a.1)).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(ROWS);
    rows
}

fn by_severity(counts: &BySeverity) -> Value {
    let named = (0u8..).zip(counts).map(|(rank, count)| (severity_of(rank).name().to_owned(), json!(count)));
    Value::Object(named.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Brief;

    #[test]
    fn more_names_than_there_is_room_for_are_counted_in_the_total_only() {
        let mut tally = Tally::new(Span { from: 0, to: 100, bucket: 100 });
        for number in 0..KEYS + 5 {
            let name = number.to_string();
            tally.add(&Seen::One(Brief {
                ts_ms: 1,
                severity: 9,
                rule_id: &name,
                rule: "r",
                node: &name,
                pod: &name,
                namespace: "",
                workload: "",
            }));
        }
        assert_eq!((tally.rules.len(), tally.nodes.len(), tally.pods.len()), (KEYS, KEYS, KEYS));
        let json = tally.json();
        assert_eq!(json.get("total"), Some(&json!(KEYS + 5)));
        assert_eq!(json.pointer("/by_severity/critical"), Some(&json!(KEYS + 5)));
        assert_eq!(json.pointer("/by_rule").and_then(Value::as_array).map(Vec::len), Some(ROWS));
    }
}
