//! `/api/stats`: the counts of all detectors added up.
//!
//! A node sends to one detector, so nothing is counted twice. Where two detectors are given the same alerts,
//! the stream and the history show each once; these counts cannot know.

use std::{collections::BTreeMap, sync::Arc};

use hyper::{StatusCode, body::Bytes};
use serde::{Deserialize, Serialize};

use crate::{
    answer::{Answer, json},
    config::Upstream,
    detector::{Silence, ask_all},
    history::Unreachable,
    query::Query,
};

type Severities = BTreeMap<String, u64>;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Stats {
    total: u64,
    by_severity: Severities,
    by_rule: Vec<RuleCount>,
    by_node: Vec<NodeCount>,
    by_pod: Vec<PodCount>,
    buckets: Vec<Bucket>,
    heatmap: Vec<Cell>,
    #[serde(skip_deserializing)]
    unreachable: Vec<Unreachable>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct RuleCount {
    rule_id: String,
    rule: String,
    severity: String,
    count: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct NodeCount {
    node: String,
    count: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct PodCount {
    pod: String,
    namespace: String,
    count: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Bucket {
    t: i64,
    count: u64,
    by_severity: Severities,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Cell {
    workload: String,
    t: i64,
    count: u64,
}

pub(crate) async fn answer(detectors: &Arc<[Upstream]>, query: Query<'_>) -> Answer {
    let path = format!("/api/stats?{}", query.only(&["from", "to", "bucket"], &[]));
    let answers = ask_all(detectors, |_| Some(path.clone())).await;
    let mut all = Stats::default();
    for (detector, answer) in detectors.iter().zip(answers.into_iter().flatten()) {
        let read = |body: Bytes| {
            serde_json::from_slice::<Stats>(&body).map_err(|error| Silence::Nonsense(error.to_string()))
        };
        match answer.and_then(read) {
            Ok(stats) => all.add(stats),
            Err(error) => {
                all.unreachable.push(Unreachable { name: detector.name.clone(), error: error.to_string() });
            }
        }
    }
    json(StatusCode::OK, &all)
}

impl Stats {
    fn add(&mut self, other: Self) {
        self.total += other.total;
        sum(&mut self.by_severity, other.by_severity);
        for one in other.by_rule {
            match self.by_rule.iter_mut().find(|known| known.rule_id == one.rule_id) {
                Some(known) => known.count += one.count,
                None => self.by_rule.push(one),
            }
        }
        for one in other.by_node {
            match self.by_node.iter_mut().find(|known| known.node == one.node) {
                Some(known) => known.count += one.count,
                None => self.by_node.push(one),
            }
        }
        for one in other.by_pod {
            let same = |known: &&mut PodCount| (&known.pod, &known.namespace) == (&one.pod, &one.namespace);
            match self.by_pod.iter_mut().find(same) {
                Some(known) => known.count += one.count,
                None => self.by_pod.push(one),
            }
        }
        self.by_rule.sort_by_key(|one| std::cmp::Reverse(one.count));
        self.by_node.sort_by_key(|one| std::cmp::Reverse(one.count));
        self.by_pod.sort_by_key(|one| std::cmp::Reverse(one.count));
        let mut buckets: BTreeMap<i64, Bucket> =
            std::mem::take(&mut self.buckets).into_iter().map(|bucket| (bucket.t, bucket)).collect();
        for one in other.buckets {
            let bucket = buckets.entry(one.t).or_insert(Bucket { t: one.t, ..Bucket::default() });
            bucket.count += one.count;
            sum(&mut bucket.by_severity, one.by_severity);
        }
        self.buckets = buckets.into_values().collect();
        let mut cells: BTreeMap<(String, i64), u64> = BTreeMap::new();
        for one in std::mem::take(&mut self.heatmap).into_iter().chain(other.heatmap) {
            *cells.entry((one.workload, one.t)).or_default() += one.count;
        }
        let cells = cells.into_iter();
        self.heatmap = cells.map(|((workload, t), count)| Cell { workload, t, count }).collect();
    }
}

fn sum(into: &mut Severities, from: Severities) {
    for (severity, count) in from {
        *into.entry(severity).or_default() += count;
    }
}

#[test]
#[allow(clippy::unwrap_used)]
fn counts_of_two_detectors_are_added_up() {
    let stats = |text: &str| serde_json::from_str::<Stats>(text).unwrap();
    let mut all = stats(
        r#"{"total":3,"by_severity":{"high":3},"by_rule":[{"rule_id":"a","rule":"A","severity":"high","count":3}],
        "by_pod":[{"pod":"p","namespace":"n","count":3}],"buckets":[{"t":10,"count":3,"by_severity":{"high":3}}],
        "heatmap":[{"workload":"n/p","t":10,"count":3}]}"#,
    );
    all.add(stats(
        r#"{"total":6,"by_severity":{"high":1,"low":5},"by_rule":[{"rule_id":"b","rule":"B","severity":"low","count":5},
        {"rule_id":"a","rule":"A","severity":"high","count":1}],"by_pod":[{"pod":"p","namespace":"m","count":6}],
        "buckets":[{"t":0,"count":2,"by_severity":{}},{"t":10,"count":4,"by_severity":{"low":4}}],
        "heatmap":[{"workload":"n/p","t":10,"count":1}],"surprise":1}"#,
    ));
    let found = serde_json::to_value(&all).unwrap();
    let expected = serde_json::json!({
        "total": 9, "by_severity": {"high": 4, "low": 5},
        "by_rule": [{"rule_id": "b", "rule": "B", "severity": "low", "count": 5},
                    {"rule_id": "a", "rule": "A", "severity": "high", "count": 4}],
        "by_node": [],
        "by_pod": [{"pod": "p", "namespace": "m", "count": 6}, {"pod": "p", "namespace": "n", "count": 3}],
        "buckets": [{"t": 0, "count": 2, "by_severity": {}},
                    {"t": 10, "count": 7, "by_severity": {"high": 3, "low": 4}}],
        "heatmap": [{"workload": "n/p", "t": 10, "count": 4}], "unreachable": [],
    });
    assert_eq!(found, expected);
}
