//! Which opens of files and which calls rules can match: what the kernel may leave out.
//!
//! A condition is looked at once for each class of opens (see [`Class`]) and each call that opens. What a test says
//! of the path becomes a set of paths; `and` keeps the narrower of two sets, `or` joins them; a test that says
//! nothing of the path, or that is not understood, and every negated one, may hold for any path. So a set only ever
//! holds too much.

mod call;
mod known;
mod named;
mod path;
mod set;

use sentinel_event::{FileInterest, Kind, PathSet};

use super::{Engine, compile::decided, names};
use crate::language::{Condition, Rule, Test};
pub use call::calls;
use set::Set;

/// Opens that have something in common which conditions ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// They succeeded, their path is sure, and they only read.
    Reading,
    /// As `Reading`, but they write, create or empty.
    Writing,
    /// As `Writing`, with a bit of [`MODES`] in their mode.
    Modes,
    /// They succeeded, but nobody is sure what was opened.
    Unsure,
    Failed,
}

impl Class {
    const ALL: [Self; 5] = [Self::Reading, Self::Writing, Self::Modes, Self::Unsure, Self::Failed];

    /// The path is the kernel's, and nothing was recorded of what the caller asked for.
    fn is_sure(self) -> bool {
        !matches!(self, Self::Unsure | Self::Failed)
    }
}

/// The bits of a mode that have a class of their own: those that give a program its owner's rights.
const MODES: u32 = libc::S_ISUID | libc::S_ISGID;

/// A part of a rule because of which all opens of a class matter, whatever their path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// For which opens: `reading`, `writing`.
    pub opens: &'static str,
    /// The part, in canonical form.
    pub part: String,
}

impl Engine {
    /// Which opens of files some rule in use can match: an open that is not in it matches none, and may be left
    /// out by the kernel on the rules' account. Opens of which rules that remember must know are in it.
    pub fn file_interest(&self) -> FileInterest {
        let mut sets = Sets::default();
        self.rules().iter().for_each(|rule| sets.add(rule));
        sets.interest()
    }
}

/// Which opens of files the rule can match.
pub fn file_interest(rule: &Rule) -> FileInterest {
    let mut sets = Sets::default();
    sets.add(rule);
    sets.interest()
}

/// Why every open for reading, or for writing, matters to the rule; empty when its paths decide.
pub fn widenings(rule: &Rule) -> Vec<Widening> {
    let mut found = Vec::new();
    for (class, opens) in [(Class::Reading, "reading"), (Class::Writing, "writing")] {
        for call in names_of(rule, class) {
            for parts in conditions(rule) {
                if !all_of(&parts, class, call).is_all() {
                    continue;
                }
                // Each part alone may hold on any path. The last is the most telling: a step, or the condition.
                let Some(condition) = parts.last() else { continue };
                let part = widest(condition, class, call).canonical();
                let widening = Widening { opens, part };
                if !found.contains(&widening) {
                    found.push(widening);
                }
            }
        }
    }
    found
}

/// The sets of each class.
#[derive(Debug, Default)]
struct Sets([Set; Class::ALL.len()]);

impl Sets {
    fn add(&mut self, rule: &Rule) {
        let conditions = conditions(rule);
        for (set, class) in self.0.iter_mut().zip(Class::ALL) {
            for call in names_of(rule, class) {
                for parts in &conditions {
                    set.join(all_of(parts, class, call));
                }
            }
        }
    }

    fn interest(self) -> FileInterest {
        let [reading, writing, modes, unsure, failed] = self.0;
        let (failed, unsure) = (!failed.is_empty(), !unsure.is_empty());
        let (reading, writing, modes) = (reading.finish(), writing.finish(), modes.finish());
        // A mode adds nothing to every path, nor to the same ones.
        let modes = if writing == PathSet::All || modes == writing { 0 } else { MODES };
        FileInterest { reading, writing, modes, failed, unsure }
    }
}

/// What must hold together for the rule to look at an event: for each step of a sequence, the rule's condition and
/// the step's.
fn conditions(rule: &Rule) -> Vec<Vec<&Condition>> {
    match &rule.sequence {
        None => vec![vec![&rule.condition]],
        Some(sequence) => sequence.steps.iter().map(|step| vec![&rule.condition, &step.condition]).collect(),
    }
}

/// The names that an open of the class can have, as far as the rule looks at them.
fn names_of(rule: &Rule, class: Class) -> impl Iterator<Item = &'static str> {
    let named = names::slots_of(Kind::FileOpen).filter_map(|slot| names::call_names().get(slot).copied());
    // What creat opens is always to be written.
    let possible = named.filter(move |call| class != Class::Reading || *call != "creat");
    possible.filter(|call| rule.event_types.contains(call))
}

fn all_of(parts: &[&Condition], class: Class, call: &str) -> Set {
    let sets = parts.iter().map(|part| may(part, false, class, call));
    sets.reduce(Set::narrower).unwrap_or(Set::All)
}

/// The paths on which a condition, or its negation, may hold.
fn may(condition: &Condition, negated: bool, class: Class, call: &str) -> Set {
    match condition {
        Condition::Not(part) => may(part, !negated, class, call),
        Condition::Test(test) => match decided(test, call) {
            Some(truth) => Set::all_if(truth != negated),
            None => test_may(test, negated, class, call),
        },
        Condition::And(parts) if !negated => every(parts, negated, class, call),
        Condition::Or(parts) if negated => every(parts, negated, class, call),
        Condition::And(parts) | Condition::Or(parts) => {
            let mut joined = Set::default();
            for part in parts {
                joined.join(may(part, negated, class, call));
                if joined.is_all() {
                    break;
                }
            }
            joined
        }
    }
}

fn every(parts: &[Condition], negated: bool, class: Class, call: &str) -> Set {
    let mut narrowest = Set::All;
    for part in parts {
        narrowest = narrowest.narrower(may(part, negated, class, call));
        if narrowest.is_empty() {
            break;
        }
    }
    narrowest
}

fn test_may(test: &Test, negated: bool, class: Class, call: &str) -> Set {
    if let Some(truth) = known::truth(test, class, call) {
        return Set::all_if(if negated { truth.can_fail } else { truth.can_hold });
    }
    if negated || !class.is_sure() { Set::All } else { path::paths(test) }
}

/// The smallest part that may hold on every path by itself: a branch of an `or`, as deep as it goes.
fn widest<'a>(condition: &'a Condition, class: Class, call: &str) -> &'a Condition {
    match condition {
        Condition::Or(parts) => parts
            .iter()
            .find(|part| may(part, false, class, call).is_all())
            .map_or(condition, |part| widest(part, class, call)),
        Condition::And(parts) => {
            // Of what stands beside tests of no path, only an `or` may hide the reason.
            let mut ors = parts.iter().filter(|part| matches!(part, Condition::Or(_)) && names_a_path(part));
            match (ors.next(), ors.next()) {
                (Some(one), None) => widest(one, class, call),
                _ => condition,
            }
        }
        _ => condition,
    }
}

fn names_a_path(condition: &Condition) -> bool {
    let mut found = false;
    condition.tests(&mut |test| found |= path::is_of_path(test));
    found
}
