//! Events meet rules: matches become alerts and leave at once.

use std::sync::Arc;

use sentinel_event::Observation;
use sentinel_rules::language::eval::Memory;
use sentinel_wire::EventIds;

use super::Rulebook;
use crate::{alerts::Alerts, pipeline::Shared};

/// Tries the rules in force on events. It never waits.
pub(crate) struct Judge {
    books: Arc<Shared<Rulebook>>,
    book: Arc<Rulebook>,
    generation: u64,
    /// Kept over reloads.
    memory: Memory,
    ids: EventIds,
    alerts: Arc<Alerts>,
}

impl Judge {
    pub(crate) fn new(books: Arc<Shared<Rulebook>>, alerts: Arc<Alerts>) -> Self {
        let (book, generation) = (books.get(), 0);
        let (memory, ids) = (Memory::default(), EventIds::default());
        Self { books, book, generation, memory, ids, alerts }
    }

    /// Takes the rules that are in force now. Returns whether they are others than before; at first they are.
    pub(crate) fn refresh(&mut self) -> bool {
        let generation = self.books.generation();
        if self.generation != generation {
            (self.book, self.generation) = (self.books.get(), generation);
            return true;
        }
        false
    }

    /// Which rules judge: a number that rises with every reload. None when no rule is in use.
    pub(crate) fn generation(&self) -> Option<u64> {
        (!self.book.engine.rules().is_empty()).then_some(self.generation)
    }

    /// Tries the rules on one event.
    pub(crate) fn judge(&mut self, observation: &Observation) {
        if !self.book.kinds.contains(observation.event.kind()) {
            return;
        }
        let Self { book, memory, ids, alerts, .. } = self;
        book.engine.evaluate(observation, memory, &mut |alert| {
            let time_ns = observation.event.head.real_ns;
            if let Some(hits) = book.hits.of(&alert.rule.name) {
                hits.add(time_ns);
            }
            alerts.send(alert.owned(ids.next(time_ns).to_string()));
        });
    }
}
