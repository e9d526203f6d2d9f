//! What all detectors know of nodes, rules and processes, and who of them answers.

use std::{collections::BTreeMap, sync::Arc};

use hyper::{StatusCode, body::Bytes};
use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, json as send, refuse},
    config::Upstream,
    detector::{Silence, ask_all},
    history::Unreachable,
};

type Answers = Vec<(String, Result<Value, Silence>)>;

async fn values(detectors: &Arc<[Upstream]>, path: &str) -> Answers {
    let answers = ask_all(detectors, |_| Some(path.to_owned())).await;
    let read =
        |body: Bytes| serde_json::from_slice(&body).map_err(|error| Silence::Nonsense(error.to_string()));
    let answers = answers.into_iter().flatten().map(|answer| answer.and_then(read));
    detectors.iter().map(|detector| detector.name.clone()).zip(answers).collect()
}

fn unreachable(answers: &Answers) -> Vec<Unreachable> {
    let silent = answers.iter().filter_map(|(name, answer)| Some((name, answer.as_ref().err()?)));
    silent.map(|(name, why)| Unreachable { name: name.clone(), error: why.to_string() }).collect()
}

/// `/api/nodes`: every node once, by whoever heard from it last, with the `detector` that says so.
pub(crate) async fn nodes(detectors: &Arc<[Upstream]>) -> Answer {
    let answers = values(detectors, "/api/nodes").await;
    let unreachable = unreachable(&answers);
    let (mut nodes, mut hubs) = (BTreeMap::<String, Map<String, Value>>::new(), Vec::new());
    for (name, answer) in answers {
        let Ok(mut answer) = answer else { continue };
        hubs.push(json!({ "name": name, "detector": answer.get("detector") }));
        let Some(Value::Array(list)) = answer.get_mut("nodes").map(Value::take) else { continue };
        for node in list {
            let Value::Object(mut node) = node else { continue };
            node.insert("detector".into(), name.clone().into());
            let seen = |node: &Map<String, Value>| node.get("last_seen_ms").and_then(Value::as_u64);
            let key = node.get("node").and_then(Value::as_str).unwrap_or_default().to_owned();
            if nodes.get(&key).is_none_or(|known| seen(known) < seen(&node)) {
                nodes.insert(key, node);
            }
        }
    }
    let nodes: Vec<_> = nodes.into_values().collect();
    send(StatusCode::OK, &json!({ "nodes": nodes, "detectors": hubs, "unreachable": unreachable }))
}

/// `/api/rules`: what is loaded where: each rule once, with the nodes of all detectors in `loaded`.
pub(crate) async fn rules(detectors: &Arc<[Upstream]>) -> Answer {
    let answers = values(detectors, "/api/rules").await;
    let unreachable = unreachable(&answers);
    let mut rules = BTreeMap::<String, Map<String, Value>>::new();
    let text = |rule: &Map<String, Value>, key: &str| {
        rule.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    for (name, answer) in answers {
        let Ok(mut answer) = answer else { continue };
        let Some(Value::Array(list)) = answer.get_mut("rules").map(Value::take) else { continue };
        for rule in list {
            let Value::Object(mut rule) = rule else { continue };
            let loaded = rule.get_mut("loaded").and_then(Value::as_array_mut);
            // Without a node it is the detector's own.
            for place in loaded.into_iter().flatten().filter_map(Value::as_object_mut) {
                place.insert("detector".into(), name.clone().into());
            }
            let key = format!("{}\n{}", text(&rule, "rule_id"), text(&rule, "rule"));
            match rules.get_mut(&key) {
                Some(known) => add(known, rule),
                None => drop(rules.insert(key, rule)),
            }
        }
    }
    let rules: Vec<_> = rules.into_values().collect();
    send(StatusCode::OK, &json!({ "rules": rules, "unreachable": unreachable }))
}

/// The same rule at another detector.
fn add(known: &mut Map<String, Value>, mut other: Map<String, Value>) {
    let number = |rule: &Map<String, Value>, key: &str| rule.get(key).and_then(Value::as_u64).unwrap_or(0);
    for key in ["hits", "suppressed"] {
        let sum = number(known, key).saturating_add(number(&other, key));
        known.insert(key.into(), sum.into());
    }
    let last = number(known, "last_ms").max(number(&other, "last_ms"));
    known.insert("last_ms".into(), last.into());
    for key in ["condition", "events"] {
        let none = known.get(key).and_then(Value::as_str).is_none_or(str::is_empty);
        if let (true, Some(told)) = (none, other.remove(key)) {
            known.insert(key.into(), told);
        }
    }
    if let (Some(Value::Array(all)), Some(Value::Array(more))) =
        (known.get_mut("loaded"), other.get_mut("loaded"))
    {
        all.append(more);
    }
}

/// `/api/lineage/ID`: from the first detector that knows the alert.
pub(crate) async fn lineage(detectors: &Arc<[Upstream]>, alert_id: &str) -> Answer {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if alert_id.is_empty() || alert_id.len() > 128 || !alert_id.chars().all(plain) {
        return refuse(StatusCode::BAD_REQUEST, "the id of an alert has up to 128 letters, digits and -_.:");
    }
    let answers = values(detectors, &format!("/api/lineage/{alert_id}")).await;
    let mut silent = Vec::new();
    for (name, answer) in answers {
        match answer {
            Ok(answer) => return send(StatusCode::OK, &answer),
            Err(Silence::Status(StatusCode::NOT_FOUND)) => {}
            Err(why) => silent.push(format!("{name}: {why}")),
        }
    }
    if silent.is_empty() {
        return refuse(StatusCode::NOT_FOUND, "no detector knows this alert any more");
    }
    refuse(StatusCode::BAD_GATEWAY, &silent.join("; "))
}

/// `/api/detectors`: who answers now.
pub(crate) async fn detectors(detectors: &Arc<[Upstream]>) -> Answer {
    let answers = ask_all(detectors, |_| Some("/healthz".into())).await;
    let one = |(detector, answer): (&Upstream, Result<Bytes, Silence>)| {
        let error = answer.err().map(|why| why.to_string());
        let url = format!("http://{}:{}", detector.host, detector.port);
        json!({ "name": detector.name, "url": url, "reachable": error.is_none(), "error": error })
    };
    let all: Vec<_> = detectors.iter().zip(answers.into_iter().flatten()).map(one).collect();
    send(StatusCode::OK, &json!({ "detectors": all }))
}
