//! `/api/alerts`: the histories of all detectors as one, newest first.

use std::{collections::HashSet, sync::Arc};

use hyper::{StatusCode, body::Bytes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    answer::{Answer, json, refuse},
    config::Upstream,
    detector::{Silence, ask_all},
    instant::nanos,
    position::{Mark, Position},
    query::Query,
};

/// What a detector understands; it refuses what it does not.
const FILTERS: &[&str] = &["from", "to", "rule", "severity", "node", "pod", "workload", "q"];
const LIMIT: usize = 200;
pub(crate) const LIMIT_MOST: usize = 1000;

/// A detector's page.
#[derive(Deserialize)]
struct Page {
    alerts: Vec<Box<RawValue>>,
    #[serde(default)]
    next: Option<u64>,
}

/// What merging must know of an alert.
#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    alert_id: String,
    #[serde(default)]
    timestamp: String,
}

/// A detector that did not answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Unreachable {
    pub(crate) name: String,
    pub(crate) error: String,
}

/// A merged page.
#[derive(Serialize)]
pub(crate) struct Merged {
    pub(crate) alerts: Vec<Box<RawValue>>,
    /// Where the next page begins; none after the last.
    pub(crate) next: Option<String>,
    /// From where the live stream goes on without a gap; only with the newest page.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    pub(crate) unreachable: Vec<Unreachable>,
}

/// A detector's alerts, the next one last.
struct Lane {
    alerts: Vec<(Facts, Box<RawValue>)>,
    more: bool,
}

pub(crate) async fn answer(detectors: &Arc<[Upstream]>, query: Query<'_>) -> Answer {
    let limit = query.get("limit").map_or(Ok(LIMIT), |text| text.parse());
    let Some(limit) = limit.ok().filter(|limit| (1..=LIMIT_MOST).contains(limit)) else {
        return refuse(StatusCode::BAD_REQUEST, &format!("limit: expected 1 to {LIMIT_MOST}"));
    };
    let before = query.get("before").unwrap_or_default();
    let before = match Position::parse(&before, detectors) {
        Ok(before) => before,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("before: {error}")),
    };
    json(StatusCode::OK, &page(detectors, query, before, limit).await)
}

/// The next `limit` alerts before a position.
pub(crate) async fn page(
    detectors: &Arc<[Upstream]>,
    query: Query<'_>,
    before: Position,
    limit: usize,
) -> Merged {
    let limit_text = limit.to_string();
    let answers = ask_all(detectors, |at| {
        let seq;
        let mut more = vec![("limit", limit_text.as_str())];
        match before.of(at) {
            Mark::Start => {}
            Mark::At(number) => {
                seq = number.to_string();
                more.push(("before", &seq));
            }
            Mark::End => return None,
        }
        Some(format!("/api/alerts?{}", query.only(FILTERS, &more)))
    })
    .await;
    let mut unreachable = Vec::new();
    let mut lanes = Vec::new();
    for (detector, answer) in detectors.iter().zip(answers) {
        lanes.push(match answer.map(|answer| answer.and_then(read)) {
            None => None,
            Some(Ok(lane)) => Some(lane),
            Some(Err(error)) => {
                unreachable.push(Unreachable { name: detector.name.clone(), error: error.to_string() });
                None
            }
        });
    }
    let newest = newest(&lanes, detectors, &before, query);
    let (alerts, after) = merge(&mut lanes, before, limit);
    let done = after.0.iter().all(|mark| *mark == Mark::End);
    // Without any answer there is no next page either: asking again begins at the same place.
    let next = (!done && !alerts.is_empty()).then(|| after.write(detectors));
    Merged { alerts, next, position: newest, unreachable }
}

fn read(body: Bytes) -> Result<Lane, Silence> {
    let nonsense = |error: serde_json::Error| Silence::Nonsense(error.to_string());
    let page: Page = serde_json::from_slice(&body).map_err(nonsense)?;
    let alerts = page.alerts.into_iter().rev();
    let alerts = alerts.map(|raw| Ok((serde_json::from_str(raw.get()).map_err(nonsense)?, raw)));
    Ok(Lane { alerts: alerts.collect::<Result<_, Silence>>()?, more: page.next.is_some() })
}

/// The place after the newest alert of each detector: a filter may hide some, but none is newer.
fn newest(
    lanes: &[Option<Lane>],
    detectors: &[Upstream],
    before: &Position,
    query: Query<'_>,
) -> Option<String> {
    let filtered = FILTERS.iter().any(|name| query.get(name).is_some());
    if filtered || before.0.iter().any(|mark| *mark != Mark::Start) {
        return None;
    }
    let mut position = Position::start(detectors);
    for (at, lane) in lanes.iter().enumerate() {
        let seqs = lane.iter().flat_map(|lane| &lane.alerts).filter_map(|(facts, _)| facts.seq);
        if let Some(seq) = seqs.max() {
            position.set(at, Mark::At(seq));
        } else if lane.is_some() {
            position.set(at, Mark::At(0));
        }
    }
    Some(position.write(detectors))
}

fn merge(lanes: &mut [Option<Lane>], before: Position, limit: usize) -> (Vec<Box<RawValue>>, Position) {
    let mut after = before;
    let mut known = HashSet::new();
    let mut alerts = Vec::new();
    while alerts.len() < limit {
        let heads = lanes.iter_mut().enumerate().filter_map(|(at, lane)| Some((at, lane.as_mut()?)));
        let heads = heads.filter(|(_, lane)| !lane.alerts.is_empty());
        let newest =
            heads.max_by_key(|(_, lane)| lane.alerts.last().map(|(facts, _)| nanos(&facts.timestamp)));
        let Some((at, lane)) = newest else { break };
        let Some((facts, raw)) = lane.alerts.pop() else { break };
        if let Some(seq) = facts.seq {
            after.set(at, Mark::At(seq));
        }
        if facts.alert_id.is_empty() || known.insert(facts.alert_id) {
            alerts.push(raw);
        }
        // Its page is used up: others may not go on before its next page is known.
        if lane.alerts.is_empty() && lane.more {
            break;
        }
    }
    for (at, lane) in lanes.iter().enumerate() {
        if let Some(lane) = lane
            && lane.alerts.is_empty()
            && !lane.more
        {
            after.set(at, Mark::End);
        }
    }
    (alerts, after)
}
