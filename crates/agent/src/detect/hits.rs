//! How often each rule has matched. Counts outlive a reload: they belong to the rule's name.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sentinel_rules::language::Rule;

/// What one rule has done.
#[derive(Debug)]
pub(crate) struct RuleHits {
    /// Its id.
    pub(crate) id: Arc<str>,
    /// Its name.
    pub(crate) name: Arc<str>,
    hits: AtomicU64,
    last_ns: AtomicU64,
}

impl RuleHits {
    /// It matched an event of this time, nanoseconds since the Unix epoch.
    pub(super) fn add(&self, time_ns: u64) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.last_ns.store(time_ns, Ordering::Relaxed);
    }

    /// How often it has matched.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Time of the last event that it matched, nanoseconds since the Unix epoch; 0: none yet.
    pub(crate) fn last_ns(&self) -> u64 {
        self.last_ns.load(Ordering::Relaxed)
    }
}

/// The rules in use, in the order of definition.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    rules: Vec<Arc<RuleHits>>,
    by_name: HashMap<Arc<str>, Arc<RuleHits>>,
}

impl Hits {
    /// Counters for these rules; those that `before` knows go on.
    pub(super) fn new(rules: &[Rule], before: Option<&Self>) -> Self {
        let mut hits = Self::default();
        for rule in rules {
            let known = before.and_then(|before| before.by_name.get(rule.name.as_str()));
            let counter = RuleHits {
                id: rule.id.as_str().into(),
                name: rule.name.as_str().into(),
                hits: AtomicU64::new(known.map_or(0, |known| known.hits())),
                last_ns: AtomicU64::new(known.map_or(0, |known| known.last_ns())),
            };
            // A rule that only moved keeps its counter, so that no hit is lost between two generations.
            let counter = known.filter(|known| *known.id == *rule.id).cloned().unwrap_or(Arc::new(counter));
            hits.by_name.insert(Arc::clone(&counter.name), Arc::clone(&counter));
            hits.rules.push(counter);
        }
        hits
    }

    /// The counter of the rule of this name.
    pub(super) fn of(&self, name: &str) -> Option<&Arc<RuleHits>> {
        self.by_name.get(name)
    }

    /// Every rule in use.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RuleHits> {
        self.rules.iter().map(AsRef::as_ref)
    }
}
