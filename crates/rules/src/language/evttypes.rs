//! Which events a condition can match.

use std::{fmt, sync::LazyLock};

use serde::{Serialize, Serializer};

use super::{
    ast::{Modifier, Operator},
    condition::{Comparand, Condition, Literal, Term, Test},
    evtnames::EVENTS,
};

const WORDS: usize = 8; // 64 events each

/// A set of event names: of system calls, as `evt.type` has them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventSet([u64; WORDS]);

/// A bit for each event there is.
static EVERYTHING: LazyLock<EventSet> = LazyLock::new(|| {
    let mut set = EventSet::NONE;
    EVENTS.iter().for_each(|event| {
        set.insert(event.name);
    });
    set
});

impl EventSet {
    /// No event.
    pub const NONE: Self = Self([0; WORDS]);

    /// Every event that has a name.
    pub fn all() -> Self {
        *EVERYTHING
    }

    fn index(name: &str) -> Option<usize> {
        EVENTS.binary_search_by_key(&name, |event| event.name).ok()
    }

    /// Whether an event of this name exists.
    pub fn is_known(name: &str) -> bool {
        Self::index(name).is_some()
    }

    /// Adds the event `name`; false when there is no such event.
    pub fn insert(&mut self, name: &str) -> bool {
        let Some(index) = Self::index(name) else { return false };
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
        true
    }

    /// Whether the event `name` is in the set.
    pub fn contains(&self, name: &str) -> bool {
        Self::index(name).is_some_and(|index| self.has(index))
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// How many events are in the set.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether no event is in the set.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        EVENTS.iter().enumerate().filter(|(index, _)| self.has(*index)).map(|(_, event)| event.name)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        self.zip(other, |left, right| left & right)
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.zip(other, |left, right| left | right)
    }

    /// Every event that is not in the set.
    #[must_use]
    pub fn complement(self) -> Self {
        EVERYTHING.zip(self, |all, word| all & !word)
    }

    fn zip(mut self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        for (left, right) in self.0.iter_mut().zip(other.0) {
            *left = with(*left, right);
        }
        self
    }
}

impl fmt::Debug for EventSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for EventSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Condition {
    /// The events on which it can be true. A part that does not look at `evt.type` may be true on all.
    pub fn event_types(&self) -> EventSet {
        self.types(false)
    }

    /// De Morgan: negation moves to the tests, and turns `and` to `or`.
    fn types(&self, negated: bool) -> EventSet {
        match self {
            Self::Not(part) => part.types(!negated),
            Self::Test(test) => test.types(negated),
            Self::And(parts) => Self::combine(parts, negated, !negated),
            Self::Or(parts) => Self::combine(parts, negated, negated),
        }
    }

    fn combine(parts: &[Self], negated: bool, all: bool) -> EventSet {
        let sets = parts.iter().map(|part| part.types(negated));
        let joined =
            sets.reduce(|left, right| if all { left.intersection(right) } else { left.union(right) });
        joined.unwrap_or_else(EventSet::all)
    }
}

impl Test {
    fn types(&self, negated: bool) -> EventSet {
        let Term::Field(field) = &self.left else { return EventSet::all() };
        let positive = match field.id.field().name {
            "evt.type" => self.named(),
            "evt.num" => self.numbered(),
            _ => None,
        };
        match positive {
            None => EventSet::all(),
            Some(set) if negated => set.complement(),
            Some(set) => set,
        }
    }

    /// The events that `evt.type` is compared with; none when the operator says nothing about them.
    fn named(&self) -> Option<EventSet> {
        let set_of = |values: &[Literal]| {
            let mut set = EventSet::NONE;
            for value in values {
                if let Literal::Text(name) = value {
                    set.insert(&name.to_string());
                }
            }
            set
        };
        match (self.operator, &self.right) {
            (Operator::Exists, _) => Some(EventSet::all()),
            (Operator::Equal, Comparand::One(value)) => Some(set_of(std::slice::from_ref(value))),
            (Operator::NotEqual, Comparand::One(value)) => {
                Some(set_of(std::slice::from_ref(value)).complement())
            }
            (Operator::In | Operator::Intersects, Comparand::Many(None, values)) => Some(set_of(values)),
            (Operator::Equal, Comparand::Many(Some(Modifier::AnyOf), values)) => Some(set_of(values)),
            // What is named twice is not equal to exactly one of them.
            (Operator::Equal, Comparand::Many(Some(Modifier::OneOf), values)) => {
                let set = set_of(values);
                (set.len() == values.len()).then_some(set)
            }
            (Operator::NotEqual, Comparand::Many(Some(Modifier::AllOf), values)) if !values.is_empty() => {
                Some(set_of(values).complement())
            }
            _ => None,
        }
    }

    /// Events are numbered from 1, so some comparisons of the number are true on no event and some on all.
    fn numbered(&self) -> Option<EventSet> {
        let number = |literal: &Literal| match literal {
            Literal::Unsigned(number) => Some(*number),
            _ => None,
        };
        let right = match &self.right {
            Comparand::One(literal) => number(literal)?,
            Comparand::Many(None, values) => {
                return values.iter().all(|value| number(value) == Some(0)).then_some(EventSet::NONE);
            }
            _ => return None,
        };
        let (never, always) = match self.operator {
            Operator::Equal => (right == 0, false),
            Operator::NotEqual => (false, right == 0),
            Operator::Less => (right <= 1, false),
            Operator::LessEqual => (right == 0, false),
            Operator::Greater => (false, right == 0),
            Operator::GreaterEqual => (false, right <= 1),
            _ => (false, false),
        };
        if never { Some(EventSet::NONE) } else { always.then(EventSet::all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_fit() {
        assert!(EVENTS.len() <= WORDS * 64);
        assert!(EVENTS.is_sorted_by(|left, right| left.name < right.name));
    }

    #[test]
    fn a_set_and_its_complement_are_everything() {
        let mut set = EventSet::NONE;
        assert!(set.insert("openat") && set.insert("execve") && !set.insert("no_such_call"));
        assert_eq!(set.iter().collect::<Vec<_>>(), ["execve", "openat"]);
        assert!(set.contains("openat") && !set.contains("open"));
        assert_eq!(set.union(set.complement()), EventSet::all());
        assert_eq!(EventSet::all().len(), EVENTS.len());
    }
}
