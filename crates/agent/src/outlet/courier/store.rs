//! Batches on disk.

use std::{collections::VecDeque, io, path::Path};

use sentinel_event::Kind;
use sentinel_service::SettingsError;
use sentinel_sink::{Spool, SpoolError};
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
    read: VecDeque<Vec<u8>>,
    /// Of the last read, those that are not acknowledged.
    open: usize,
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
        Ok(Some(Self { spool, run, read: VecDeque::new(), open: 0, ours: 0 }))
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
            // One read after the other: the spool forgets a whole read at once.
            if self.open > 0 {
                return Ok(None);
            }
            self.read = self.spool.oldest(READ.0, READ.1)?.into();
            self.open = self.read.len();
        }
        let Some(record) = self.read.pop_front() else { return Ok(None) };
        let (run, events) = record.split_at_checked(RUN).unwrap_or_default();
        let kinds = sentinel_wire::batch_events(events).map(kind).collect();
        let mut batch = Batch::new(events, kinds);
        (batch.former, batch.stored) = (run != self.run, true);
        Ok(Some(batch))
    }

    /// A batch of the spool is acknowledged.
    pub(super) fn taken(&mut self, batch: &Batch) -> io::Result<()> {
        if !batch.former {
            self.ours = self.ours.saturating_sub(batch.kinds.len() as u64);
        }
        self.open = self.open.saturating_sub(1);
        if self.open == 0 && self.read.is_empty() { self.spool.taken() } else { Ok(()) }
    }

    /// Whether everything is acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.spool.is_empty()
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
