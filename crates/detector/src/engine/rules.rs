//! Detection rules over events that no node's rules have judged: those of agents that have none.

mod read;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sentinel_event::{Alert, KindSet};
use sentinel_rules::language::{
    LoadReport, RuleSet,
    envelope::Envelope,
    eval::{self, Memory, Node, Selection},
};
use sentinel_wire::{Events, v1::EventEnvelope};
use serde_json::json;
use tracing::debug;

use super::{Engine, Finding, Findings, Loaded};
use crate::{
    ConfigError,
    store::{Object, put},
    time::millis,
};

/// The attribute of an event that a node's rules have judged.
const JUDGED: &str = "sentinel.rules";
/// Nodes whose past is remembered, for rules that need it; the one that came first goes first.
const NODES: usize = 1024;
/// Errors that one message lists.
const LISTED: usize = 10;

/// The engine `rules`.
pub(crate) struct Rules {
    engine: eval::Engine,
    kinds: KindSet,
    memories: Mutex<Memories>,
    /// By rule: matches, and the time of the last one, nanoseconds since the Unix epoch.
    hits: HashMap<String, (AtomicU64, AtomicU64)>,
    hash: String,
    unreadable: AtomicU64,
}

/// What rules remember, by node: pids of two nodes have nothing to do with each other.
#[derive(Default)]
struct Memories {
    nodes: HashMap<String, (u64, Arc<Mutex<Memory>>)>,
    came: u64,
}

impl Memories {
    fn of(&mut self, node: &str) -> Arc<Mutex<Memory>> {
        if let Some((_, memory)) = self.nodes.get(node) {
            return Arc::clone(memory);
        }
        if self.nodes.len() >= NODES {
            let first = self.nodes.iter().min_by_key(|(_, (came, _))| *came).map(|(node, _)| node.clone());
            first.map(|first| self.nodes.remove(&first));
        }
        self.came += 1;
        let memory = Arc::new(Mutex::new(Memory::default()));
        self.nodes.insert(node.to_owned(), (self.came, Arc::clone(&memory)));
        memory
    }
}

impl Rules {
    /// Reads and compiles the rules of these sources.
    pub(crate) fn load(sources: &[String]) -> Result<Self, ConfigError> {
        let texts = read::texts(sources)?;
        let files: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (report, set) = RuleSet::load(&files);
        let Some(set) = set else { return Err(ConfigError::Rules(refusal(&report))) };
        let engine = eval::Engine::new(set, &Selection::default());
        let hits = engine.rules().iter().map(|rule| (rule.name.clone(), Default::default())).collect();
        Ok(Self {
            kinds: engine.kinds(),
            engine,
            memories: Mutex::default(),
            hits,
            hash: read::hash(&texts),
            unreadable: AtomicU64::new(0),
        })
    }

    fn one(&self, place: usize, event: &EventEnvelope, findings: &mut Vec<Finding>) {
        let envelope = Envelope {
            event_type: &event.event_type,
            ts_unix_nano: event.ts_unix_nano,
            container_id: &event.container_id,
            data: &event.data,
            attributes: &event.attributes,
        };
        let Ok(told) = envelope.read() else {
            // Kinds of a newer agent, or of another program's.
            self.unreadable.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if !self.kinds.contains(told.observation.event.kind()) {
            return;
        }
        let memory = self.memories.lock().unwrap_or_else(PoisonError::into_inner).of(&event.hostname);
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        let node = Node { hostname: event.hostname.clone(), utc_offset_s: 0 };
        self.engine.evaluate_on(&node, &told.observation, &mut memory, &mut |alert| {
            if let Some((hits, last)) = self.hits.get(&alert.rule.name) {
                hits.fetch_add(1, Ordering::Relaxed);
                last.fetch_max(event.ts_unix_nano, Ordering::Relaxed);
            }
            // The identity is given by who takes the finding.
            let alert = placed(alert.owned(String::new()), event);
            let reason = format!("{}: {}", alert.rule, String::from_utf8_lossy(&alert.reason));
            let score = f64::from(alert.risk_score) / 100.0;
            findings.push(Finding { event: place, reason, score, alert: Some(alert) });
        });
    }
}

impl Engine for Rules {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn judge<'a>(&'a self, events: &'a Events) -> Findings<'a> {
        let mut findings = Vec::new();
        let mut passed = 0;
        for (place, event) in events.iter().enumerate() {
            if event.attribute(JUDGED).is_some() {
                passed += 1;
            } else {
                self.one(place, &event.envelope(), &mut findings);
            }
        }
        debug!(events = events.len(), judged_before = passed, matches = findings.len(), "Events came.");
        Box::pin(std::future::ready(findings))
    }

    fn loaded(&self) -> Vec<Loaded> {
        let row = |rule: &sentinel_rules::language::Rule| {
            let hits = self.hits.get(&rule.name)?;
            Some(Loaded {
                rule_id: rule.id.clone(),
                rule: rule.name.clone(),
                hash: self.hash.clone(),
                hits: hits.0.load(Ordering::Relaxed),
                last_ms: millis(hits.1.load(Ordering::Relaxed)),
            })
        };
        self.engine.rules().iter().filter_map(row).collect()
    }
}

/// Says where it was: rules know nothing of pods.
fn placed(mut alert: Alert, event: &EventEnvelope) -> Alert {
    if let Ok(mut object) = serde_json::from_slice::<Object>(&alert.sentinel_json) {
        let pod = json!({"name": event.pod_name, "namespace": event.namespace, "node": event.hostname});
        put(&mut object, "pod", &pod);
        put(&mut object, "event_id", &event.event_id);
        alert.sentinel_json = serde_json::to_vec(&object).unwrap_or(alert.sentinel_json);
    }
    alert
}

/// The errors, each with its place.
fn refusal(report: &LoadReport) -> String {
    let mut lines: Vec<String> = report.errors.iter().take(LISTED).map(ToString::to_string).collect();
    if report.errors.len() > LISTED {
        lines.push(format!("… and {} more", report.errors.len() - LISTED));
    }
    lines.push("correct the rules; `sentinel rules check FILE…` tells all that is wrong with them".into());
    lines.join("\n")
}

#[cfg(test)]
mod tests;
