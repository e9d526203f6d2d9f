//! One way out, seen from the pipeline: what waits to be sent there.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sentinel_event::{LossCause, Observation, Stage};
use sentinel_wire::EventId;

use crate::{
    ledger::Ledger,
    meters::Meters,
    parcel::{Packer, Parcel},
    queue::{Received, Receiver, Refused, Sender},
};

/// A way out, with a queue of its own.
pub(crate) struct Way {
    pub(crate) stage: Stage,
    pub(crate) packer: Packer,
    pub(crate) output: Sender<Parcel>,
    pub(crate) returned: Receiver<Parcel>,
    /// What is being packed.
    pub(crate) parcel: Parcel,
}

impl Way {
    /// Packs an event; sends the parcel once `batch_size` are in it.
    pub(crate) fn pack(
        &mut self,
        id: EventId,
        observation: Observation,
        folded: u64,
        batch_size: usize,
        counts: (&Mutex<Ledger>, &Meters),
    ) {
        self.packer.pack(id, observation, folded, &mut self.parcel);
        if self.parcel.len() >= batch_size {
            self.ship(counts);
        }
    }

    /// Sends the parcel, if there is anything in it, and takes an empty one.
    pub(crate) fn ship(&mut self, (ledger, meters): (&Mutex<Ledger>, &Meters)) {
        if self.parcel.len() == 0 {
            return;
        }
        let next = match self.returned.receive(Duration::ZERO) {
            Received::Item(parcel) => parcel,
            Received::Nothing | Received::Closed => self.packer.empty(),
        };
        let full = std::mem::replace(&mut self.parcel, next);
        let weight = full.weight();
        if let Err((back, refused)) = self.output.send(full, weight) {
            let cause = match refused {
                Refused::Full => LossCause::Full,
                Refused::Closed => LossCause::Closed,
            };
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            back.lose(0, self.stage, cause, &mut ledger, meters);
            drop(ledger);
            self.parcel = back;
            self.parcel.clear();
        }
    }

    /// The last parcel holds the last reports: it goes out over the bound.
    pub(crate) fn last(self, (ledger, meters): (&Mutex<Ledger>, &Meters)) {
        if self.parcel.len() == 0 {
            return;
        }
        let weight = self.parcel.weight();
        if let Err((back, _)) = self.output.force(self.parcel, weight) {
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            back.lose(0, self.stage, LossCause::Closed, &mut ledger, meters);
        }
    }
}
