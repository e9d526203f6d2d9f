//! What travels from the pipeline to the outlet: a batch of forwarded events.

use sentinel_event::{Kind, Loss, LossCause, Observation, Stage};
use sentinel_wire::{Encoder, EventId, Node, evt1};

use crate::{
    ledger::{Ledger, report_in},
    meters::Meters,
};

/// What an observation weighs in a queue, in bytes: an estimate of its memory.
const OBSERVATION_BYTES: usize = 1024;

/// Forwarded events in the form that the outlet wants.
pub(crate) enum Parcel {
    /// For whoever takes bytes.
    Lines(Lines),
    /// For an observer.
    Observations(Vec<Observation>),
}

/// Encoded events, and what they are: a write may end in the middle.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The events, one behind the other.
    pub(crate) bytes: Vec<u8>,
    /// Of each event its kind, its end in `bytes`, and the report it is.
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
    pub(crate) fn lose(
        &self,
        first: usize,
        stage: Stage,
        cause: LossCause,
        ledger: &mut Ledger,
        meters: &Meters,
    ) {
        let mut lose = |kind, report: Option<&Loss>| ledger.lose(kind, report, stage, cause, meters);
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

/// How an event becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A JSON object and a newline.
    Line,
    /// An EVT1 record.
    Record,
    /// One of the events of a protobuf batch.
    Message,
}

/// Fills parcels.
pub(crate) enum Packer {
    /// As bytes.
    Lines(Form, Box<Encoder>),
    /// As they are.
    Observations,
}

impl Packer {
    /// Makes bytes.
    pub(crate) fn bytes(form: Form, node: &Node) -> Self {
        Self::Lines(form, Box::new(Encoder::new(node)))
    }

    /// Which generation of detection rules judges what is packed from now on; none when there are no rules.
    pub(crate) fn judged_by(&mut self, generation: Option<u64>) {
        match self {
            Self::Lines(_, encoder) => encoder.judged_by(generation),
            Self::Observations => {}
        }
    }

    /// A parcel of the right form.
    pub(crate) fn empty(&self) -> Parcel {
        match self {
            Self::Lines(..) => Parcel::Lines(Lines::default()),
            Self::Observations => Parcel::Observations(Vec::new()),
        }
    }

    /// Puts an event into a parcel that [`Self::empty`] made.
    pub(crate) fn pack(&mut self, id: EventId, observation: Observation, folded: u64, parcel: &mut Parcel) {
        match (self, parcel) {
            (Self::Lines(form, encoder), Parcel::Lines(lines)) => {
                let out = &mut lines.bytes;
                match form {
                    Form::Line => {
                        encoder.object(id, &observation, folded, out);
                        out.push(b'\n');
                    }
                    Form::Record => {
                        // No event is a hundredth as long as a record may be.
                        let object = |out: &mut Vec<u8>| encoder.object(id, &observation, folded, out);
                        let _ = evt1::write_record(out, object);
                    }
                    Form::Message => encoder.batched(id, &observation, folded, out),
                }
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
