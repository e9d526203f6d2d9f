//! `GET /api/nodes` and `GET /api/rules`: what nodes say of themselves.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use sentinel_wire::v1::{NodeStatus, node_status::RuleHits};
use serde_json::{Value, json};

use super::{Facts, answer};
use crate::{nodes::Node, time::millis};

pub(super) async fn nodes(State(facts): State<Facts>) -> Response {
    let intake = &facts.intake;
    let size = match intake.hub.library.ask(|reader| reader.size()).await {
        Ok(size) => size,
        Err(error) => return answer::store_error(&error),
    };
    let meters = &intake.meters;
    let engines: Vec<&str> = intake.engines.iter().map(|engine| engine.name()).collect();
    let detector = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": meters.started.elapsed().as_secs(),
        "engines": engines,
        "clients": meters.clients.get(),
        "dropped_clients": meters.clients_dropped.get(),
        "connections": meters.connections.get(),
        "events_total": meters.events.get(),
        "events_waiting": meters.events_waiting.get(),
        "anomalies_total": meters.anomalies.get(),
        "alerts_total": meters.alerts.get(),
        "history_bytes": size.bytes,
        "last_seq": size.last_seq,
    });
    let nodes: Vec<Value> = intake.nodes.all().iter().map(node).collect();
    answer::json(StatusCode::OK, json!({"nodes": nodes, "detector": detector}).to_string())
}

fn node(node: &Node) -> Value {
    let silent = NodeStatus::default();
    let status = node.status.as_ref().unwrap_or(&silent);
    let rules = status.rules.clone().unwrap_or_default();
    let hits: Vec<Value> = rules.hits.iter().map(hit).collect();
    let hooks = status.hooks.iter();
    let hooks = hooks.map(|hook| json!({"name": hook.name, "healthy": hook.healthy, "reason": hook.reason}));
    let cgroups = status.cgroups.iter().map(|cgroup| {
        json!({
            "path": cgroup.path, "name": cgroup.name, "container_id": cgroup.container_id, "cpu_ns": cgroup.cpu_ns,
            "received_bytes": cgroup.received_bytes, "sent_bytes": cgroup.sent_bytes,
        })
    });
    json!({
        "node": node.name,
        "version": status.version,
        "kernel": status.kernel,
        "last_seen_ms": node.last_seen_ms,
        "started_ms": millis(status.started_unix_nano),
        "connected": node.connected(),
        "counters": status.counters,
        "hooks": hooks.collect::<Vec<_>>(),
        "rules": {"generation": rules.generation, "hash": rules.hash, "hits": hits},
        "cgroups": cgroups.collect::<Vec<_>>(),
        "cgroups_ms": status.cgroups_ns / 1_000_000,
        "cpus": status.cpus,
    })
}

fn hit(hits: &RuleHits) -> Value {
    json!({
        "rule_id": hits.rule_id, "rule": hits.rule, "hits": hits.hits, "suppressed": hits.suppressed,
        "last_ms": millis(hits.last_unix_nano),
    })
}

/// A rule, over all nodes.
#[derive(Default)]
struct Row {
    loaded: Vec<Value>,
    hits: u64,
    suppressed: u64,
    last_ms: i64,
    condition: String,
    events: String,
}

pub(super) async fn rules(State(facts): State<Facts>) -> Response {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for node in facts.intake.nodes.all() {
        let Some(rules) = node.status.and_then(|status| status.rules) else { continue };
        for hits in rules.hits {
            let last_ms = millis(hits.last_unix_nano);
            let row = rows.entry((hits.rule_id, hits.rule)).or_default();
            row.hits = row.hits.saturating_add(hits.hits);
            row.suppressed = row.suppressed.saturating_add(hits.suppressed);
            row.last_ms = row.last_ms.max(last_ms);
            if row.condition.is_empty() {
                (row.condition, row.events) = (hits.condition, hits.events);
            }
            row.loaded.push(json!({
                "node": node.name, "generation": rules.generation, "hash": rules.hash,
                "hits": hits.hits, "suppressed": hits.suppressed, "last_ms": last_ms,
            }));
        }
    }
    for loaded in facts.intake.engines.iter().flat_map(|engine| engine.loaded()) {
        let row = rows.entry((loaded.rule_id, loaded.rule)).or_default();
        row.hits = row.hits.saturating_add(loaded.hits);
        row.last_ms = row.last_ms.max(loaded.last_ms);
        row.loaded.push(json!({
            "node": "", "generation": 1, "hash": loaded.hash,
            "hits": loaded.hits, "suppressed": 0, "last_ms": loaded.last_ms,
        }));
    }
    let rules = rows.into_iter().map(|((rule_id, rule), row)| {
        json!({
            "rule_id": rule_id, "rule": rule, "hits": row.hits, "suppressed": row.suppressed,
            "last_ms": row.last_ms, "condition": row.condition, "events": row.events, "loaded": row.loaded,
        })
    });
    answer::json(StatusCode::OK, json!({"rules": rules.collect::<Vec<_>>()}).to_string())
}
