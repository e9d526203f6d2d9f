//! What travels from the pipeline to the outlet: a batch of forwarded events.

use sentinel_event::{Kind, Loss, LossCause, Observation, Stage};
use sentinel_wire::{Encoder, Node};

use crate::{
    ledger::{Ledger, report_in},
    meters::Meters,
};

/// What an observation weighs in a queue, in bytes: an estimate of its memory.
const OBSERVATION_BYTES: usize = 1024;

/// Forwarded events in the form that the outlet wants.
pub(crate) enum Parcel {
    /// For a descriptor.
    Lines(Lines),
    /// For an observer.
    Observations(Vec<Observation>),
}

/// JSON lines, and what they are: a write may end in the middle.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The lines.
    pub(crate) bytes: Vec<u8>,
    /// Of each line its kind, its end in `bytes`, and the report it is.
    pub(crate) ends: Vec<(Kind, usize, Option<Loss>)>,
}

impl Parcel {
    /// Events in it.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.ends.len(),
            Self::Observations(observations) => observations.len(),
        }
    }

    /// Bytes of memory, about.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.bytes.len(),
            Self::Observations(observations) => observations.len() * OBSERVATION_BYTES,
        }
    }

    /// Empties it; its memory is kept.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Lines(lines) => {
                lines.bytes.clear();
                lines.ends.clear();
            }
            Self::Observations(observations) => observations.clear(),
        }
    }

    /// Counts its events from the `first` on as lost at the output.
    pub(crate) fn lose(&self, first: usize, cause: LossCause, ledger: &mut Ledger, meters: &Meters) {
        let mut lose = |kind, report: Option<&Loss>| ledger.lose(kind, report, Stage::Stdout, cause, meters);
        match self {
            Self::Lines(lines) => {
                lines.ends.iter().skip(first).for_each(|(kind, _, report)| lose(*kind, report.as_ref()));
            }
            Self::Observations(observations) => observations
                .iter()
                .skip(first)
                .for_each(|observation| lose(observation.event.kind(), report_in(&observation.event))),
        }
    }
}

/// Fills parcels.
pub(crate) enum Packer {
    /// As JSON lines.
    Lines(Box<Encoder>),
    /// As they are.
    Observations,
}

impl Packer {
    /// Makes lines.
    pub(crate) fn lines(node: &Node) -> Self {
        Self::Lines(Box::new(Encoder::new(node)))
    }

    /// A parcel of the right form.
    pub(crate) fn empty(&self) -> Parcel {
        match self {
            Self::Lines(_) => Parcel::Lines(Lines::default()),
            Self::Observations => Parcel::Observations(Vec::new()),
        }
    }

    /// Puts an event into a parcel that [`Self::empty`] made.
    pub(crate) fn pack(&mut self, observation: Observation, folded: u64, parcel: &mut Parcel) {
        match (self, parcel) {
            (Self::Lines(encoder), Parcel::Lines(lines)) => {
                encoder.line(&observation, folded, &mut lines.bytes);
                let report = report_in(&observation.event).copied();
                lines.ends.push((observation.event.kind(), lines.bytes.len(), report));
            }
            (_, Parcel::Observations(observations)) => observations.push(observation),
            (Self::Observations, parcel @ Parcel::Lines(_)) => {
                *parcel = Parcel::Observations(vec![observation])
            }
        }
    }
}
