//! Batches that are sent and not acknowledged.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sentinel_event::Kind;
use sentinel_sink::Place;
use sentinel_wire::v1::EventEnvelope;

use super::link::Stream;

/// Batches under way.
const BATCHES: usize = 256;
/// Their bytes.
const BYTES: usize = 8 << 20;
/// A detector of the old contract need not answer: after so long an event counts as delivered.
const SILENCE: Duration = Duration::from_secs(10);

/// Events that are acknowledged together.
#[derive(Debug)]
pub(super) struct Batch {
    /// As `sentinel_wire::Encoder::batched` writes them.
    pub(super) events: Bytes,
    /// Their kinds.
    pub(super) kinds: Vec<Kind>,
    /// From a former run of the agent.
    pub(super) former: bool,
    /// Where the spool keeps it, if it does.
    pub(super) stored: Option<Place>,
    sequence: u64,
    sent: Option<Instant>,
    /// Events without an answer, from a detector that answers one by one.
    unanswered: usize,
}

impl Batch {
    pub(super) fn new(events: Bytes, kinds: Vec<Kind>) -> Self {
        let unanswered = kinds.len();
        Self { events, kinds, former: false, stored: None, sequence: 0, sent: None, unanswered }
    }
}

/// What is under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    batches: VecDeque<Batch>,
    bytes: usize,
    sequence: u64,
    stream: Option<Stream>,
    /// Of each event without an answer, its batch; only for [`Stream::Single`].
    asked: HashMap<String, u64>,
}

impl Window {
    pub(super) fn is_up(&self) -> bool {
        self.stream.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Whether one more batch may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.batches.len() < BATCHES
            && self.bytes < BYTES
            && self.stream.as_ref().is_some_and(|stream| stream.room() > 0)
            && self.batches.back().is_none_or(|last| last.sent.is_some())
    }

    /// Sends a batch and keeps it.
    pub(super) fn send(&mut self, mut batch: Batch) {
        self.sequence += 1;
        batch.sequence = self.sequence;
        self.bytes += batch.events.len();
        self.batches.push_back(batch);
        self.pump();
    }

    /// The detector is there: everything that it may not have is sent again.
    pub(super) fn up(&mut self, stream: Stream) {
        self.down();
        self.stream = Some(stream);
        self.pump();
    }

    /// The detector has gone.
    pub(super) fn down(&mut self) {
        self.stream = None;
        self.asked.clear();
        for batch in &mut self.batches {
            batch.sent = None;
            batch.unanswered = batch.kinds.len();
        }
    }

    /// The batch of this number, which is the receiver's from now on.
    pub(super) fn acknowledged(&mut self, sequence: u64) -> Option<Batch> {
        let at = self.batches.iter().position(|batch| batch.sequence == sequence && batch.sent.is_some())?;
        let batch = self.batches.remove(at)?;
        self.bytes = self.bytes.saturating_sub(batch.events.len());
        self.pump();
        Some(batch)
    }

    /// An event was answered; its batch, once all its events are.
    pub(super) fn answered(&mut self, event_id: &str) -> Option<Batch> {
        let sequence = self.asked.remove(event_id)?;
        let batch = self.batches.iter_mut().find(|batch| batch.sequence == sequence)?;
        batch.unanswered = batch.unanswered.saturating_sub(1);
        if batch.unanswered == 0 { self.acknowledged(sequence) } else { None }
    }

    /// Batches that a detector of the old contract leaves unanswered.
    pub(super) fn overdue(&mut self) -> Vec<Batch> {
        let mut late = Vec::new();
        if !matches!(self.stream, Some(Stream::Single(_))) {
            return late;
        }
        while let Some(batch) = self.batches.front()
            && batch.sent.is_some_and(|sent| sent.elapsed() >= SILENCE)
        {
            let sequence = batch.sequence;
            self.asked.retain(|_, of| *of != sequence);
            match self.acknowledged(sequence) {
                Some(batch) => late.push(batch),
                None => break,
            }
        }
        late
    }

    /// The event of this name, if it is under way.
    pub(super) fn find(&self, event_id: &str) -> Option<EventEnvelope> {
        let events = self.batches.iter().flat_map(|batch| sentinel_wire::batch_events(&batch.events));
        let mut same = events.filter(|event| sentinel_wire::event_id(event) == Some(event_id.as_bytes()));
        sentinel_wire::read_envelope(same.next()?)
    }

    /// Everything that is under way.
    pub(super) fn drain(&mut self) -> Vec<Batch> {
        (self.bytes, self.stream) = (0, None);
        self.batches.drain(..).collect()
    }

    /// Sends what is not sent, as far as the stream has room.
    fn pump(&mut self) {
        let Some(stream) = &self.stream else { return };
        for batch in self.batches.iter_mut().filter(|batch| batch.sent.is_none()) {
            let went = match stream {
                Stream::Batched(sender) => {
                    let message =
                        sentinel_wire::Batch { sequence: batch.sequence, events: batch.events.clone() };
                    sender.try_send(message).is_ok()
                }
                Stream::Single(sender) => {
                    if sender.capacity() < batch.kinds.len() {
                        return;
                    }
                    sentinel_wire::batch_events(&batch.events).all(|event| {
                        if let Some(id) = sentinel_wire::event_id(event) {
                            let id = String::from_utf8_lossy(id).into_owned();
                            self.asked.insert(id, batch.sequence);
                        }
                        sender.try_send(batch.events.slice_ref(event)).is_ok()
                    })
                }
            };
            if !went {
                return;
            }
            batch.sent = Some(Instant::now());
        }
    }
}
