//! What stateful rules remember between events.
//!
//! Each rule has a table of its own, by the values of its `by` fields, of which only a keyed hash is kept: nobody
//! who chooses the values can make two meet. Only the time of events counts. They may come in any order that is
//! not wilder than the rule's own span; an event that is older than that, measured from the newest of its key, is
//! late and does not count, unless it is the third such in a row: then the newest was wrong, and the key begins
//! anew.

mod chain;
mod table;
mod window;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hash as _, Hasher},
    sync::Arc,
};

use super::{
    compile::{Builder, Program, TermId},
    machine::Pass,
    value::{Item, Scalar, Value},
};
use crate::language::{Key, Rule};

use chain::Chain;
use table::Table;
use window::{Limit, Window};

/// What the stateful rules of an engine hold and have let go, all together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Keys in the tables.
    pub keys: usize,
    /// Times of events in the tables.
    pub entries: usize,
    /// Keys that gave way to others while they still counted.
    pub evicted: u64,
    /// Events that came too late to count.
    pub late: u64,
}

/// How a stateful rule is evaluated.
#[derive(Debug)]
pub(super) struct Plan {
    /// What must be the same for a table to go on with another engine.
    identity: Arc<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Threshold { limit: Limit, within_ns: u64, distinct: Option<TermId>, by: Box<[TermId]> },
    Sequence { maxspan_ns: u64, steps: Box<[Box<[TermId]>]> },
}

impl Plan {
    /// None when the rule remembers nothing.
    pub(super) fn new(rule: &Rule, builder: &mut Builder) -> Option<Self> {
        let mut terms = |keys: &[Key]| keys.iter().map(|key| builder.term(&key.term, false)).collect();
        let (state, kind) = if let Some(threshold) = &rule.threshold {
            let distinct: Option<Box<[TermId]>> =
                threshold.distinct.as_ref().map(|key| terms(std::slice::from_ref(key)));
            let distinct = distinct.and_then(|distinct| distinct.first().copied());
            let limit = Limit { at: threshold.at, quiet_ns: threshold.quiet_ns };
            let (within_ns, by) = (threshold.within_ns, terms(&threshold.by));
            (threshold.canonical(), Kind::Threshold { limit, within_ns, distinct, by })
        } else {
            let sequence = rule.sequence.as_ref()?;
            let steps = sequence.steps.iter().map(|step| terms(&step.by)).collect();
            (sequence.canonical(), Kind::Sequence { maxspan_ns: sequence.maxspan_ns, steps })
        };
        let identity = format!("{}\n{}\n{state}", rule.name, rule.condition.canonical()).into();
        Some(Self { identity, kind })
    }
}

/// The tables of one rule.
#[derive(Debug)]
struct State {
    identity: Arc<str>,
    keyed: Keyed,
}

#[derive(Debug)]
enum Keyed {
    Windows(Table<Window>),
    Chains(Table<Chain>),
}

/// The tables of all stateful rules of an engine, by the number of their plan.
#[derive(Debug, Default)]
pub(super) struct States {
    engine: u64,
    states: Vec<State>,
    salt: RandomState,
}

impl States {
    /// Goes on with the rules of another engine: a table stays with a rule that is the same in both.
    pub(super) fn bind(&mut self, engine: u64, plans: &[Plan]) {
        if self.engine == engine {
            return;
        }
        self.engine = engine;
        let mut old = std::mem::take(&mut self.states);
        let kept = plans.iter().map(|plan| {
            let same = old.iter().position(|state| state.identity == plan.identity);
            same.map(|at| old.swap_remove(at)).unwrap_or_else(|| State {
                identity: plan.identity.clone(),
                keyed: match plan.kind {
                    Kind::Threshold { .. } => Keyed::Windows(Table::default()),
                    Kind::Sequence { .. } => Keyed::Chains(Table::default()),
                },
            })
        });
        self.states = kept.collect();
    }

    pub(super) fn remembered(&self) -> Remembered {
        let each = self.states.iter().map(|state| match &state.keyed {
            Keyed::Windows(table) => table.remembered(),
            Keyed::Chains(table) => table.remembered(),
        });
        each.fold(Remembered::default(), |sum, one| Remembered {
            keys: sum.keys + one.keys,
            entries: sum.entries + one.entries,
            evicted: sum.evicted + one.evicted,
            late: sum.late + one.late,
        })
    }

    /// Takes an event on which the condition of a plan holds, as its step `step`; whether the rule fires.
    pub(super) fn take<'a>(
        &mut self,
        (number, plan): (usize, &Plan),
        step: usize,
        program: &'a Program,
        pass: &mut Pass<'a, '_>,
    ) -> bool {
        let time = pass.view.observation.event.head.real_ns;
        let arrival = pass.view.number;
        let Some(state) = self.states.get_mut(number) else { return false };
        match (&plan.kind, &mut state.keyed) {
            (Kind::Threshold { limit, within_ns, distinct, by }, Keyed::Windows(table)) => {
                let value = match distinct {
                    // What is missing is no value.
                    Some(term) => match hash(&self.salt, std::slice::from_ref(term), program, pass) {
                        (_, true) => return false,
                        (value, false) => Some(value),
                    },
                    None => None,
                };
                let (key, _) = hash(&self.salt, by, program, pass);
                table.at(key, time, (*within_ns).max(limit.quiet_ns), |window, newest| {
                    window.add(time, value, newest.saturating_sub(*within_ns), *limit)
                })
            }
            (Kind::Sequence { maxspan_ns, steps }, Keyed::Chains(table)) => {
                let (key, _) = hash(&self.salt, steps.get(step).map_or(&[], |by| by), program, pass);
                table.at(key, time, *maxspan_ns, |chain, newest| {
                    chain.add((time, arrival), step, steps.len(), newest, *maxspan_ns)
                })
            }
            _ => false,
        }
    }
}

/// A hash of some values, and whether one is missing.
fn hash<'a>(
    salt: &RandomState,
    terms: &[TermId],
    program: &'a Program,
    pass: &mut Pass<'a, '_>,
) -> (u64, bool) {
    let mut hasher = salt.build_hasher();
    let mut missing = false;
    for term in terms {
        let value = program.term(*term, pass);
        match value {
            Value::Missing => {
                missing = true;
                hasher.write_u8(0);
            }
            Value::Several(_, span) => {
                let items: &[Item] = pass.scratch.items(span);
                hasher.write_u8(1);
                hasher.write_usize(items.len());
                items.iter().for_each(|item| scalar(pass.scratch.item(*item), &mut hasher));
            }
            single => {
                if let Some(single) = pass.scratch.scalar(single) {
                    scalar(single, &mut hasher);
                }
            }
        }
    }
    (hasher.finish(), missing)
}

/// No two values that differ write the same.
fn scalar(value: Scalar<'_>, hasher: &mut impl Hasher) {
    match value {
        Scalar::Text(text) => (2_u8, text).hash(hasher),
        Scalar::Signed(number) => (3_u8, number).hash(hasher),
        Scalar::Unsigned(number) => (4_u8, number).hash(hasher),
        Scalar::Bool(truth) => (5_u8, truth).hash(hasher),
        Scalar::Address(ip) => (6_u8, ip).hash(hasher),
    }
}
