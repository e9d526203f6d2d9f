//! Repetition held back before the outputs – and reported: how much, from when to when.

mod summary;
mod table;

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use sentinel_event::Alert;

use self::table::{Held, Table};
use crate::{SinkError, Suppression, outputs::to_all, worker::Queue};

/// How often it is looked for windows that are over.
const TICK: Duration = Duration::from_millis(250);

/// What was held back of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedRule {
    /// Its name.
    pub rule: Arc<str>,
    /// Alerts that said the same again.
    pub dedup: u64,
    /// Alerts that were too many.
    pub rate_limit: u64,
}

/// Between the program and its outputs.
#[derive(Debug)]
pub(crate) struct Suppressor {
    shared: Arc<Shared>,
    outputs: Arc<[(&'static str, Arc<Queue>)]>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
    hostname: String,
}

#[derive(Debug)]
struct State {
    dedup: Option<Table<(Arc<str>, Vec<u8>)>>,
    limit: Option<Table<Arc<str>>>,
    stop: bool,
}

impl Suppressor {
    pub(crate) fn start(
        suppression: &Suppression,
        hostname: &str,
        outputs: Arc<[(&'static str, Arc<Queue>)]>,
    ) -> Result<Self, SinkError> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let state = State {
            dedup: suppression.dedup.0.map(|dedup| Table::new(seconds(dedup.window_seconds), 1)),
            limit: suppression.rate_limit.0.map(|limit| Table::new(seconds(limit.per_seconds), limit.alerts)),
            stop: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            stopped: Condvar::new(),
            hostname: hostname.to_owned(),
        });
        let (ticking, to) = (Arc::clone(&shared), Arc::clone(&outputs));
        let thread = thread::Builder::new().name("alerts-held".into()).spawn(move || ticking.tick(&to));
        thread.map_err(|source| SinkError::System { what: "starting a thread", source })?;
        Ok(Self { shared, outputs })
    }

    /// Passes an alert on, or holds it back.
    pub(crate) fn offer(&self, alert: &Alert) {
        let now = Instant::now();
        let (mut held, mut over) = (false, Vec::new());
        {
            let mut state = self.shared.lock();
            if let Some(dedup) = &mut state.dedup {
                let key = (Arc::clone(&alert.rule_id), alert.reason.to_vec());
                held = !dedup.admit(key, alert, now, &mut over);
            }
            if let Some(limit) = &mut state.limit
                && !held
            {
                held = !limit.admit(Arc::clone(&alert.rule_id), alert, now, &mut over);
            }
        }
        self.shared.tell(&self.outputs, over);
        if !held {
            to_all(&self.outputs, alert);
        }
    }

    /// Alerts held back so far: the same again, and too many of a rule.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.shared.lock();
        (
            state.dedup.as_ref().map_or(0, |table| table.held),
            state.limit.as_ref().map_or(0, |table| table.held),
        )
    }

    /// The same by rule, sorted by name.
    pub(crate) fn by_rule(&self) -> Vec<SuppressedRule> {
        let state = self.shared.lock();
        let mut rules: BTreeMap<Arc<str>, (u64, u64)> = BTreeMap::new();
        for (rule, held) in state.dedup.iter().flat_map(|table| &table.by_rule) {
            rules.entry(Arc::clone(rule)).or_default().0 = *held;
        }
        for (rule, held) in state.limit.iter().flat_map(|table| &table.by_rule) {
            rules.entry(Arc::clone(rule)).or_default().1 = *held;
        }
        let one = |(rule, (dedup, rate_limit))| SuppressedRule { rule, dedup, rate_limit };
        rules.into_iter().map(one).collect()
    }

    /// Ends every window, and with them the thread.
    pub(crate) fn finish(&self) {
        let over = {
            let mut state = self.shared.lock();
            state.stop = true;
            state.over(None)
        };
        self.shared.stopped.notify_all();
        self.shared.tell(&self.outputs, over);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self, outputs: &[(&'static str, Arc<Queue>)]) {
        loop {
            let waited = self.stopped.wait_timeout_while(self.lock(), TICK, |state| !state.stop);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.stop {
                return;
            }
            let over = state.over(Some(Instant::now()));
            drop(state);
            self.tell(outputs, over);
        }
    }

    fn tell(&self, outputs: &[(&'static str, Arc<Queue>)], over: Vec<Held>) {
        for held in over {
            to_all(outputs, &summary::of(&held, &self.hostname));
        }
    }
}

impl State {
    /// What was held back in windows that are over by `now`; without it, in all.
    fn over(&mut self, now: Option<Instant>) -> Vec<Held> {
        let mut over = Vec::new();
        if let Some(dedup) = &mut self.dedup {
            dedup.over(now, &mut over);
        }
        if let Some(limit) = &mut self.limit {
            limit.over(now, &mut over);
        }
        over
    }
}
