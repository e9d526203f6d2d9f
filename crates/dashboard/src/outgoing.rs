//! What is ready for one browser.

use std::time::Instant;

use crate::{config::Upstream, fold::Fold, position::Position, sse};

/// Bytes of one piece, about.
const PIECE: usize = 64 << 10;
/// Bytes that wait for a browser that does not read while its alerts are counted: who is reachable, and the like.
const WAITING_MOST: usize = 1 << 20;

/// What a browser is told next.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// How far it has been told.
    pub(crate) position: Position,
    pub(crate) buffer: Vec<u8>,
    /// None: every alert is told by itself, and who does not read is waited for.
    fold: Option<Fold>,
}

impl Outgoing {
    pub(crate) fn new(position: Position, folds: bool, buffer: &[u8]) -> Self {
        let fold = folds.then(|| Fold::new(Instant::now()));
        Self { position, buffer: buffer.to_vec(), fold }
    }

    /// Whether more may be made ready.
    pub(crate) fn has_room(&self) -> bool {
        self.buffer.len() < PIECE
    }

    /// Whether detectors are heard. With a fold they always are: it grows no more than it may.
    pub(crate) fn listens(&self) -> bool {
        self.buffer.len() < if self.fold.is_some() { WAITING_MOST } else { PIECE }
    }

    /// Takes an alert that was read up to [`Self::position`].
    pub(crate) fn alert(&mut self, alert: Vec<u8>, detectors: &[Upstream], now: Instant) {
        let room = self.has_room();
        if let Some(fold) = &mut self.fold
            && !(room && fold.admits(now))
        {
            return fold.add(alert, now);
        }
        self.buffer.extend_from_slice(&sse::write("", &self.position.write(detectors), &alert));
    }

    /// When it is to be told what was counted. Not before it has read what was before.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.fold.as_ref().filter(|_| self.has_room()).and_then(Fold::due)
    }

    /// Makes what was counted ready when it is due.
    pub(crate) fn unfold(&mut self, detectors: &[Upstream], now: Instant) {
        if self.due().is_some_and(|due| due <= now)
            && let Some(fold) = &mut self.fold
        {
            let position = self.position.write(detectors);
            self.buffer.extend_from_slice(&sse::write("folded", &position, &fold.take()));
        }
    }
}
