//! The one description of what is told about an event. Both encodings and the reference are made from it.
//!
//! A fact is one row: key, what it means, its unit, where it is read, and how to get it. To add one, add a row.

mod attribute;
mod common;
mod control;
mod credential;
mod file;
mod memory;
mod name;
mod net;
mod process;
mod system;

use std::{ops::Range, sync::LazyLock};

use sentinel_event::{Kind, Observation, UserPath};

use crate::Value;

/// The map of the envelope that a fact is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The event's own facts.
    Data,
    /// What surrounds it, under the names of rule fields where there is one.
    Attributes,
}

/// One thing that is told about events of some kinds.
#[derive(Debug)]
pub struct Fact {
    /// Where it is.
    pub section: Section,
    /// Its key there: printable ASCII.
    pub key: &'static str,
    /// `,"key":"`, so that JSON takes one copy.
    pub(crate) json: &'static str,
    /// What it says, and when it is absent.
    pub meaning: &'static str,
    /// Unit or form of the value.
    pub unit: &'static str,
    /// Where it is read, and with that, who could forge it.
    pub source: &'static str,
    /// Kinds that may have it.
    pub kinds: &'static [Kind],
    /// It depends on nothing but what [`crate::actor`] compares.
    actor: bool,
    /// The value; none when this event does not have it.
    get: for<'a> fn(&'a Told<'a>) -> Option<Value<'a>>,
}

/// What facts are taken from.
struct Told<'a> {
    observation: &'a Observation,
    /// Further events that this one stands for.
    folded: u64,
}

/// Kernel objects.
const KERNEL: &str = "kernel";
/// The process table: the kernel at fork and exec, `/proc` for what ran before the agent.
const TABLE: &str = "process table";
/// Memory that the caller can rewrite.
const USER: &str = "caller's memory";
/// A name in the caller's memory behind a directory of the kernel.
const NAMED: &str = "directory: kernel; name: caller's memory";
/// Arguments of the call, in registers.
const ARGUMENT: &str = "argument";

/// Rows of [`Fact`]s about one body.
macro_rules! rows {
    ($section:ident, $kinds:expr, $body:pat => $($key:literal, $unit:literal, $source:expr, $meaning:literal, $get:expr;)*) => {
        &[$(Fact {
            section: crate::Section::$section,
            key: $key,
            json: concat!(",\"", $key, "\":\""),
            meaning: $meaning,
            unit: $unit,
            source: $source,
            kinds: $kinds,
            actor: false,
            get: |told| match &told.observation.event.body {
                $body => $get,
                _ => None,
            },
        },)*]
    };
}
use rows;

/// Every fact there is.
pub fn facts_of() -> impl Iterator<Item = &'static Fact> {
    let tables: [&[&'static [Fact]]; 10] = [
        process::FACTS,
        file::FACTS,
        name::FACTS,
        attribute::FACTS,
        net::FACTS,
        memory::FACTS,
        credential::FACTS,
        control::FACTS,
        system::FACTS,
        common::FACTS,
    ];
    tables.into_iter().flatten().flat_map(|table| table.iter())
}

/// The facts of one kind, so that an event asks only for what it may have.
struct Facts {
    facts: Vec<&'static Fact>,
    /// Which of them are about the actor: they stand together.
    actor: Range<usize>,
}

static BY_KIND: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let of = |kind| {
        let mut facts: Vec<_> = facts_of().filter(|fact| fact.kinds.contains(kind)).collect();
        facts.sort_by_key(|fact| fact.section == Section::Attributes);
        let start = facts.iter().position(|fact| fact.actor).unwrap_or(facts.len());
        let count = facts.iter().skip(start).take_while(|fact| fact.actor).count();
        Facts { facts, actor: start..start + count }
    };
    Kind::ALL.iter().map(of).collect()
});

/// Calls `each` with every fact of an event that is there. `folded` is the number of further events that
/// this one stands for, usually 0. `data` comes before `attributes`;
/// keys do not repeat within a section.
pub fn facts(observation: &Observation, folded: u64, each: &mut impl FnMut(&'static Fact, Value<'_>)) {
    for part in [Part::Before, Part::Actor, Part::After] {
        facts_in(part, observation, folded, each);
    }
}

/// Facts in their order: those about the actor, and what stands around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Before,
    Actor,
    After,
}

/// As [`facts`], of one part.
pub(crate) fn facts_in(
    part: Part,
    observation: &Observation,
    folded: u64,
    each: &mut impl FnMut(&'static Fact, Value<'_>),
) {
    let told = Told { observation, folded };
    let Some(Facts { facts, actor }) = BY_KIND.get(observation.event.kind() as usize) else { return };
    let facts = match part {
        Part::Before => facts.get(..actor.start),
        Part::Actor => facts.get(actor.clone()),
        Part::After => facts.get(actor.end..),
    };
    for fact in facts.unwrap_or_default() {
        if let Some(value) = (fact.get)(&told) {
            each(fact, value);
        }
    }
}

/// Bytes, when there are any.
fn some_bytes(bytes: &[u8]) -> Option<Value<'_>> {
    (!bytes.is_empty()).then_some(Value::Bytes(bytes))
}

/// The kernel's word on which file a name led to, where it is another path.
fn used(name: &UserPath) -> Option<Value<'_>> {
    name.second.as_deref().filter(|_| !name.shared).map(|path| Value::Bytes(path))
}

/// What the memory held as the call began, where that was something else.
fn entered(name: &UserPath) -> Option<Value<'_>> {
    name.second.as_deref().filter(|_| name.shared).map(|path| Value::Bytes(path))
}

/// A statement that is only made when it is true.
fn when(truth: bool) -> Option<Value<'static>> {
    truth.then_some(Value::Bool(true))
}

/// A number that 0 stands for "none" in.
fn some_number<'a>(number: u64) -> Option<Value<'a>> {
    (number != 0).then_some(Value::U64(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_loss_tells_who_did_it() {
        let who = facts_of().find(|fact| fact.key == "comm").unwrap();
        for kind in Kind::ALL {
            assert_eq!(who.kinds.contains(kind), *kind != Kind::Loss, "{kind}");
        }
    }

    #[test]
    fn no_kind_has_a_key_twice_and_keys_need_no_escape() {
        for (kind, facts) in Kind::ALL.iter().zip(BY_KIND.iter()) {
            let mut keys: Vec<_> =
                facts.facts.iter().map(|fact| (fact.section == Section::Data, fact.key)).collect();
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), all, "{kind}");
            assert!(
                keys.iter()
                    .all(|(_, key)| key.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'))
            );
        }
    }
}
