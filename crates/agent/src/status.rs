//! What a node knows of itself, for the detector: `ReportStatus` of the contract.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use sentinel_probe::{HookState, HookStatus};
use sentinel_rules::language::{EventSet, Rule};
use sentinel_wire::v1::{
    NodeStatus,
    node_status::{Hook, RuleHits, RuleSetStatus},
};

use crate::{
    detect::Rulebook,
    http::{Facts, View, numbers},
    pipeline::Shared,
    usage::Usage,
};

/// Rules whose hits are told; the shipped set and the stock files together have a sixth of it.
const RULES: usize = 1000;

/// Bytes of a condition that are told, and of all of them.
const CONDITION: usize = 4096;
const CONDITIONS: usize = 1 << 20;
/// Every so many reports rules are told with what they mean: a detector may have begun anew.
const WHOLE: u64 = 30;

/// The newest report. The gRPC outlet sends it when its generation rises.
pub(crate) type Board = Shared<NodeStatus>;

/// What does not change while the agent runs.
#[derive(Debug)]
pub(crate) struct Identity {
    /// NODE_NAME, else the host's name.
    pub(crate) hostname: String,
    kernel: String,
    started_unix_nano: u64,
    /// Reports, and the generation of rules of which the last one told.
    reports: AtomicU64,
    told: AtomicU64,
    usage: Mutex<Usage>,
}

impl Identity {
    /// An agent that starts now.
    pub(crate) fn new(hostname: String) -> Self {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
        let (reports, told) = (AtomicU64::new(0), AtomicU64::new(0));
        let usage = Mutex::new(Usage::new());
        Self { hostname, kernel, started_unix_nano: now(), reports, told, usage }
    }

    /// The report of this moment.
    pub(crate) fn status(&self, facts: &Facts, view: &View) -> NodeStatus {
        let used = self.usage.lock().unwrap_or_else(PoisonError::into_inner).look(&facts.registry);
        NodeStatus {
            hostname: self.hostname.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            ts_unix_nano: now(),
            started_unix_nano: self.started_unix_nano,
            kernel: self.kernel.clone(),
            counters: numbers(facts, view),
            hooks: view.hooks.iter().filter_map(hook).collect(),
            rules: Some(self.rules(facts)),
            cgroups: used.cgroups,
            cgroups_ns: u64::try_from(used.period.as_nanos()).unwrap_or(u64::MAX),
            cpus: used.cpus,
        }
    }
}

impl Identity {
    fn rules(&self, facts: &Facts) -> RuleSetStatus {
        let (book, generation) = (facts.books.get(), facts.books.generation());
        let suppressed = facts.outputs.suppressed_by_rule();
        let suppressed: HashMap<&str, u64> =
            suppressed.iter().map(|one| (&*one.rule, one.dedup.saturating_add(one.rate_limit))).collect();
        let mut status = hits(&book, generation, &suppressed);
        let reports = self.reports.fetch_add(1, Ordering::Relaxed);
        if self.told.swap(generation, Ordering::Relaxed) != generation || reports.is_multiple_of(WHOLE) {
            explain(&book, &mut status);
        }
        status
    }
}

/// Adds what the rules mean.
fn explain(book: &Rulebook, status: &mut RuleSetStatus) {
    let mut room = CONDITIONS;
    let rules: HashMap<&str, &Rule> =
        book.engine.rules().iter().map(|rule| (rule.name.as_str(), rule)).collect();
    for hits in &mut status.hits {
        let Some(rule) = rules.get(hits.rule.as_str()) else { continue };
        let mut condition = rule.condition.canonical();
        condition.truncate(condition.floor_char_boundary(CONDITION));
        let Some(left) = room.checked_sub(condition.len()) else { return };
        room = left;
        hits.condition = condition;
        hits.events = match rule.event_types {
            all if all == EventSet::all() => "every one".to_owned(),
            some => some.iter().collect::<Vec<_>>().join(", "),
        };
        hits.events.truncate(hits.events.floor_char_boundary(CONDITION));
    }
}

/// A hook that somebody needs; the others have nothing to tell.
fn hook(hook: &HookStatus) -> Option<Hook> {
    let (healthy, reason) = match &hook.state {
        HookState::Attached { .. } => (true, String::new()),
        HookState::Degraded(reason) => (false, reason.clone()),
        HookState::Idle | HookState::Absent => return None,
    };
    Some(Hook { name: hook.hook.clone(), healthy, reason })
}

fn hits(book: &Rulebook, generation: u64, suppressed: &HashMap<&str, u64>) -> RuleSetStatus {
    let hits = book.hits.iter().take(RULES).map(|rule| RuleHits {
        rule_id: rule.id.to_string(),
        rule: rule.name.to_string(),
        hits: rule.hits(),
        suppressed: suppressed.get(&*rule.name).copied().unwrap_or_default(),
        last_unix_nano: rule.last_ns(),
        ..RuleHits::default()
    });
    RuleSetStatus { generation, hash: book.hash.clone(), hits: hits.collect() }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use sentinel_event::KindSet;
    use sentinel_sink::{Outputs, OutputsConfig, Suppression};

    use super::*;
    use crate::{config::Detection, meters::Meters, queue};

    #[test]
    fn a_report_has_the_counters_the_hooks_and_the_rules() {
        let detection = Detection::default();
        let meters = Arc::new(Meters::default());
        meters.decoded.add(sentinel_event::Kind::Exec, 3);
        let facts = Facts {
            meters,
            books: Arc::new(Shared::new(Rulebook::load(&detection, false, "h", None).unwrap())),
            outputs: Arc::new(Outputs::start(&OutputsConfig::none(), &Suppression::default(), "h").unwrap()),
            events: queue::bounded(1, 1).0.gauge(),
            parcels: Vec::new(),
            registry: Default::default(),
            main: mpsc::channel().0,
        };
        let hook = |state| HookStatus { program: "p", hook: "h".into(), kinds: KindSet::NONE, state };
        let view = View {
            counters: None,
            hooks: vec![
                hook(HookState::Attached { verified: true }),
                hook(HookState::Degraded("why".into())),
                hook(HookState::Idle),
            ],
            captured: KindSet::NONE,
        };
        let identity = Identity::new("node".into());
        let status = identity.status(&facts, &view);
        assert_eq!(status.hostname, "node");
        assert!(status.started_unix_nano <= status.ts_unix_nano && status.started_unix_nano > 0);
        assert_eq!(status.counters["sentinel_events_decoded_total{kind=\"exec\"}"], 3.0);
        let hooks: Vec<_> = status.hooks.iter().map(|hook| (hook.healthy, hook.reason.as_str())).collect();
        assert_eq!(hooks, [(true, ""), (false, "why")]);
        let rules = status.rules.unwrap();
        assert_eq!((rules.generation, rules.hash.len()), (1, 64));
        let shell = rules.hits.iter().find(|rule| rule.rule_id == "reverse_shell" && rule.hits == 0).unwrap();
        assert!(shell.condition.contains("fd.sport in (4444, 8081, 9001)"), "{}", shell.condition);
        assert_eq!(shell.events, "connect");
        // That is told again only now and then.
        let told = (1..=WHOLE).map(|_| identity.status(&facts, &view).rules.unwrap().hits.remove(0));
        let whole: Vec<bool> = told.map(|rule| !rule.condition.is_empty()).collect();
        assert_eq!(whole.iter().position(|whole| *whole), Some(whole.len() - 1));
    }
}
