//! Batches on disk.

use std::{collections::VecDeque, io, path::Path};

use bytes::Bytes;
use sentinel_event::Kind;
use sentinel_service::SettingsError;
use sentinel_sink::{Place, Record, Spool, SpoolError};
use tracing::warn;

use super::window::Batch;
use crate::{AgentError, ConfigError, config::GrpcSpool};

/// Of records that this run wrote.
const RUN: usize = 8;
/// Batches and bytes that are read at once.
const READ: (usize, usize) = (64, 4 << 20);

/// The spool, and what of it is under way.
#[derive(Debug)]
pub(super) struct Store {
    spool: Spool,
    run: [u8; RUN],
    /// Read and not sent.
    read: VecDeque<Record>,
    /// Events of this run that are not acknowledged.
    ours: u64,
}

impl Store {
    /// None when there is to be no spool.
    pub(super) fn open(key: &str, config: &GrpcSpool) -> Result<Option<Self>, AgentError> {
        if config.max_bytes == 0 {
            return Ok(None);
        }
        let path = Path::new(&config.path);
        let spool = match Spool::open(path, config.max_bytes) {
            Ok(spool) => spool,
            // Nobody asked for this one: a directory that cannot be made is no reason to see nothing.
            Err(error) if config.is_default() && !matches!(error, SpoolError::InUse) => {
                warn!(%error, path = config.path, "No spool; while the receiver is away, events wait in memory.");
                return Ok(None);
            }
            Err(error) => {
                let problem = format!("{}: {error}; name a directory of this agent's own", path.display());
                let key = format!("{key}.path");
                let invalid = SettingsError::Invalid { file: "configuration".into(), key, problem };
                return Err(ConfigError::from(invalid).into());
            }
        };
        let run = sentinel_wire::EventIds::default().next(0).text();
        let run = run.last_chunk::<RUN>().copied().unwrap_or_default();
        Ok(Some(Self { spool, run, read: VecDeque::new(), ours: 0 }))
    }

    /// Puts a batch behind those that wait.
    pub(super) fn push(&mut self, events: &[u8], count: usize) -> Result<(), SpoolError> {
        self.spool.push(&[&self.run, events].concat())?;
        self.ours += count as u64;
        Ok(())
    }

    /// The oldest batch that is not under way.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        if self.read.is_empty() {
            self.read = self.spool.read(READ.0, READ.1)?.into();
        }
        let Some(record) = self.read.pop_front() else { return Ok(None) };
        let mut events = Bytes::from(record.bytes);
        let run = events.split_to(RUN.min(events.len()));
        let kinds = sentinel_wire::batch_events(&events).map(kind).collect();
        let mut batch = Batch::new(events, kinds);
        (batch.former, batch.stored) = (*run != self.run, Some(record.place));
        Ok(Some(batch))
    }

    /// A batch is acknowledged that is kept here.
    pub(super) fn taken(&mut self, batch: &Batch, place: Place) -> io::Result<()> {
        if !batch.former {
            self.ours = self.ours.saturating_sub(batch.kinds.len() as u64);
        }
        self.spool.taken(place)
    }

    /// Whether everything is under way, at least.
    pub(super) fn is_sent(&self) -> bool {
        self.read.is_empty() && self.spool.is_read()
    }

    /// Events of this run that are not acknowledged.
    pub(super) fn ours(&self) -> u64 {
        self.ours
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.spool.bytes()
    }
}

/// What an event is counted as; what nobody knows any more is a loss of meaning.
fn kind(event: &[u8]) -> Kind {
    let name = sentinel_wire::event_type(event).unwrap_or_default();
    Kind::ALL.iter().copied().find(|kind| kind.name().as_bytes() == name).unwrap_or(Kind::Loss)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_waits_goes_out_before_what_went_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool").to_str().unwrap().to_owned();
        let config = GrpcSpool { path, max_bytes: 64 << 20 };
        let mut store = Store::open("grpc.spool", &config).unwrap().unwrap();
        // Of several segments.
        (0..40_u8).for_each(|number| store.push(&vec![number; 100 << 10], 1).unwrap());
        let mut sent = Vec::new();
        while let Some(batch) = store.next().unwrap() {
            sent.push(batch);
        }
        assert!(store.is_sent());
        assert!((0..40).eq(sent.iter().filter_map(|batch| batch.events.first().copied())));
        assert!(sent.iter().all(|batch| !batch.former) && store.bytes() > 4_000_000);
        store.push(b"later", 1).unwrap();
        assert!(!store.is_sent());
        sent.push(store.next().unwrap().unwrap());
        // A bus acknowledges in any order.
        for batch in sent.iter().rev() {
            store.taken(batch, batch.stored.unwrap()).unwrap();
        }
        assert_eq!(store.bytes(), 0);
        assert_eq!(store.next().unwrap().map(|batch| batch.events), None);
    }
}
