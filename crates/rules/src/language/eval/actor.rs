//! What rules have found out about the process that acts, kept for its next events.
//!
//! Most of what rules ask is about the process: its name, its program, its ancestors, its container. The answers
//! are the same for every event of the process until it changes, so they are computed once. An answer counts only
//! while everything that it was made from is the same, see [`Facts`]; the objects are held, so that none of them
//! gives its address to another one meanwhile.

use std::{cell::Cell, sync::Arc};

use sentinel_event::{Body, Comm, Observation, Process};

use super::compile::{NodeId, Program};

/// Fields that depend on nothing but [`Facts`], in events that start no program.
const FIELDS: &[&str] = &[
    "container.full_id",
    "container.id",
    "group.gid",
    "proc.aargs",
    "proc.acmdline",
    "proc.aexe",
    "proc.aexepath",
    "proc.aname",
    "proc.args",
    "proc.cmdlenargs",
    "proc.cmdline",
    "proc.cmdnargs",
    "proc.cwd",
    "proc.exe",
    "proc.exeline",
    "proc.exepath",
    "proc.is_sid_leader",
    "proc.name",
    "proc.pcmdline",
    "proc.pexe",
    "proc.pexepath",
    "proc.pname",
    "proc.pvpid",
    "proc.sid",
    "proc.tty",
    "thread.ismain",
    "user.loginuid",
    "user.uid",
];

/// Whether a field is about the actor alone.
pub(super) fn is_about(field: &str) -> bool {
    FIELDS.binary_search(&field).is_ok()
}

/// Actors that are remembered. One more takes the place of another.
const ACTORS: usize = 512;

/// What answers are made from.
#[derive(Debug)]
struct Facts {
    process: Arc<Process>,
    ancestors: Arc<[Arc<Process>]>,
    container_id: Option<Arc<str>>,
    comm: Comm,
    is_main: bool,
    is_leader: bool,
    ids: [u32; 5],
}

impl Facts {
    fn of(observation: &Observation, process: &Arc<Process>) -> Self {
        let head = &observation.event.head;
        Self {
            process: process.clone(),
            ancestors: observation.ancestors.clone(),
            container_id: observation.container_id.clone(),
            comm: head.comm,
            is_main: head.tid == head.process.tgid,
            is_leader: head.session == head.process.tgid,
            ids: ids(observation),
        }
    }

    fn hold(&self, observation: &Observation, process: &Arc<Process>) -> bool {
        let head = &observation.event.head;
        Arc::ptr_eq(&self.process, process)
            && Arc::ptr_eq(&self.ancestors, &observation.ancestors)
            && self.comm == head.comm
            && self.ids == ids(observation)
            && self.is_main == (head.tid == head.process.tgid)
            && self.is_leader == (head.session == head.process.tgid)
            && self.container_id == observation.container_id
    }
}

fn ids(observation: &Observation) -> [u32; 5] {
    let head = &observation.event.head;
    [head.euid, head.egid, head.loginuid, head.session, head.tty]
}

/// One process, as it is for a while.
#[derive(Debug, Default)]
pub(super) struct Actor {
    facts: Option<Facts>,
    /// When it was last met, in events.
    met: u32,
    /// It was met before this event.
    pub(super) is_known: bool,
    /// Of the parts of conditions that are about the actor, two bits each: known, true.
    answers: Vec<Cell<u64>>,
}

impl Actor {
    /// The answer, when it is known.
    pub(super) fn answer(&self, bit: u32) -> Option<bool> {
        let word = self.answers.get(bit as usize / 32)?.get() >> (bit % 32 * 2);
        (word & 1 == 1).then_some(word & 2 == 2)
    }

    /// Keeps an answer.
    pub(super) fn learn(&self, bit: u32, truth: bool) {
        if let Some(word) = self.answers.get(bit as usize / 32) {
            word.set(word.get() | (1 | u64::from(truth) << 1) << (bit % 32 * 2));
        }
    }
}

/// Of the rules for events of some names, those that the actor does not rule out.
#[derive(Debug, Default)]
struct Open {
    /// Slots of names, each with as many words as it has in [`Self::words`].
    slots: Vec<(usize, usize)>,
    words: Vec<u64>,
}

/// The rules that may match events of one name by one actor: a bit for each, in the order of their places.
pub(super) struct OpenRules<'m>(pub(super) &'m mut [u64]);

impl OpenRules<'_> {
    /// The actor rules this one out for good.
    pub(super) fn close(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
        }
    }
}

impl Open {
    fn clear(&mut self) {
        self.slots.clear();
        self.words.clear();
    }

    fn of(&mut self, slot: usize, rules: usize) -> &mut [u64] {
        let words = rules.div_ceil(64);
        let start = match self.slots.iter().find(|(known, _)| *known == slot) {
            Some((_, start)) => *start,
            None => {
                let start = self.words.len();
                self.slots.push((slot, start));
                self.words.resize(start + words, u64::MAX);
                start
            }
        };
        self.words.get_mut(start..start + words).unwrap_or_default()
    }
}

/// The actors of late.
#[derive(Debug, Default)]
pub(super) struct Actors {
    /// The engine that asked.
    engine: u64,
    actors: Vec<Actor>,
    /// By actor.
    open: Vec<Open>,
    /// For whom nothing is kept.
    stranger: (Actor, Open),
    /// Events since the worth was weighed, and those of them whose actor was known.
    looks: u32,
    hits: u32,
    /// Nothing is kept for this many events.
    off: u32,
}

/// So often the worth is weighed, in events.
const WEIGHED: u32 = 1024;
/// Of so many events one actor at least must be known: else (events from a stream have a process each) it is all
/// for nothing.
const WORTH: u32 = 8;
/// For so many events nothing is kept then.
const OFF: u32 = 65_536;

impl Actors {
    /// Whoever acts in this event, and which of `rules` rules for the event's `slot` are open to it.
    pub(super) fn of(
        &mut self,
        (engine, program): (u64, &Program),
        observation: &Observation,
        (slot, rules): (usize, usize),
    ) -> (&Actor, OpenRules<'_>) {
        self.weigh(engine);
        // The program that starts is the event's own, not the process's.
        let known = observation.process.as_ref().filter(|_| !matches!(observation.event.body, Body::Exec(_)));
        let found = known.and_then(|process| Some((self.find(observation, process)?, process)));
        let kept = found.and_then(|((at, is_known), process)| {
            Some((self.actors.get_mut(at)?, self.open.get_mut(at)?, is_known, process))
        });
        let Some((actor, open, is_known, process)) = kept else {
            let (actor, open) = &mut self.stranger;
            open.clear();
            return (actor, OpenRules(open.of(slot, rules)));
        };
        self.looks += 1;
        actor.met = self.looks;
        actor.is_known = is_known;
        if is_known {
            self.hits += 1;
        } else {
            actor.facts = Some(Facts::of(observation, process));
            actor.answers.clear();
            actor.answers.resize((program.about_actor as usize).div_ceil(32), Cell::new(0));
            open.clear();
        }
        (actor, OpenRules(open.of(slot, rules)))
    }

    /// Where this actor is, or may be put, and whether it is there. It has two places; of two actors there the one
    /// that was not met for longer goes.
    fn find(&self, observation: &Observation, process: &Arc<Process>) -> Option<(usize, bool)> {
        let contained = u64::from(observation.container_id.is_some());
        let mixed = (Arc::as_ptr(process) as u64 ^ contained).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let first = usize::try_from(mixed).ok()? % ACTORS;
        let second = first ^ 1;
        let (one, other) = (self.actors.get(first)?, self.actors.get(second)?);
        let is = |actor: &Actor| actor.facts.as_ref().is_some_and(|facts| facts.hold(observation, process));
        if is(one) {
            return Some((first, true));
        }
        if is(other) {
            return Some((second, true));
        }
        Some((if other.met < one.met { second } else { first }, false))
    }

    /// Makes room, or gives it back where it is of no use.
    fn weigh(&mut self, engine: u64) {
        if self.engine != engine {
            self.engine = engine;
            (self.looks, self.hits, self.off) = (0, 0, 0);
            self.actors.clear();
        }
        if self.off > 0 {
            self.off -= 1;
            return;
        }
        if self.looks >= WEIGHED {
            if self.hits < self.looks / WORTH {
                self.off = OFF;
                (self.actors, self.open) = (Vec::new(), Vec::new());
            }
            (self.looks, self.hits) = (0, 0);
            self.actors.iter_mut().for_each(|actor| actor.met = 0);
        } else if self.actors.is_empty() {
            self.actors.resize_with(ACTORS, Actor::default);
            self.open.resize_with(ACTORS, Open::default);
        }
    }
}

/// Of a part of conditions: its bit when it is about the actor alone.
pub(super) fn bit(program: &Program, node: NodeId) -> Option<u32> {
    program.actor_bits.get(node as usize).copied().filter(|bit| *bit != NO_BIT)
}

/// A part that is not about the actor alone, or is a constant.
pub(super) const NO_BIT: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_can_be_found() {
        assert!(FIELDS.is_sorted());
        assert!(is_about("proc.aname") && !is_about("proc.pid") && !is_about("fd.name"));
    }

    #[test]
    fn answers_are_kept_one_by_one() {
        let actor = Actor { answers: vec![Cell::new(0); 2], ..Actor::default() };
        actor.learn(3, true);
        actor.learn(33, false);
        let answers: Vec<_> = [3, 33, 4, 64].map(|bit| actor.answer(bit)).into();
        assert_eq!(answers, [Some(true), Some(false), None, None]);
    }
}
