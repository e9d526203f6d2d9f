//! A queue on disk: what its receiver has not taken yet outlives the program.
//!
//! A directory of segments, `<number>.spool`, each a sequence of records: length and CRC-32 (u32, little-endian
//! each), then the bytes. A segment goes when everything in it was taken, so that records come again after a
//! restart, never go missing: delivery is at least once. A process that is killed loses nothing; a machine that
//! loses its power, what its disk cache held.

mod segment;

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};
use tracing::warn;

use segment::{HEAD, Segment};

/// Segments are about this long, bytes: that much may come again after a restart, and must be taken before a full disk has
/// room again.
const SEGMENT: u64 = 1 << 20;
/// Longest record, bytes.
const RECORD_MAX: usize = 16 << 20;

/// Why a spool does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The bound on its size, or the disk.
    #[error("the spool is full")]
    Full,
    /// A record that no spool takes.
    #[error("a record of {0} bytes; a spool takes at most {RECORD_MAX}")]
    TooLong(usize),
    /// Another process has it.
    #[error("another process uses this spool")]
    InUse,
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A bounded queue of byte strings on disk. First in, first out.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    /// Number and size of every segment, oldest first.
    segments: VecDeque<(u64, u64)>,
    /// The newest segment, as long as this process may append to it.
    writer: Option<File>,
    reader: Option<Segment>,
    /// Where the reader stands once the records that were seen last are taken.
    seen: u64,
    next: u64,
    damaged: u64,
    _lock: Flock<File>,
}

impl Spool {
    /// Opens or makes the spool in a directory. At most `max_bytes` are ever in it.
    ///
    /// # Errors
    /// [`SpoolError::InUse`], or what the system says.
    pub fn open(directory: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(directory.join("lock"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
            nix::Error::EWOULDBLOCK => SpoolError::InUse,
            other => SpoolError::Io(other.into()),
        })?;
        let mut segments = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".spool")?.parse::<u64>().ok());
            if let Some(number) = number {
                segments.push((number, entry.metadata()?.len()));
            }
        }
        segments.sort_unstable();
        let next = segments.last().map_or(0, |(number, _)| number.saturating_add(1));
        Ok(Self {
            directory: directory.to_owned(),
            max_bytes,
            segments: segments.into(),
            writer: None,
            reader: None,
            seen: 0,
            next,
            damaged: 0,
            _lock: lock,
        })
    }

    /// Puts a record at the end.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when the bound or the disk does not allow it; the spool is as before then.
    pub fn push(&mut self, record: &[u8]) -> Result<(), SpoolError> {
        let length = u32::try_from(record.len()).ok().filter(|_| record.len() <= RECORD_MAX);
        let length = length.ok_or(SpoolError::TooLong(record.len()))?;
        let size = (record.len() + HEAD) as u64;
        if self.bytes().saturating_add(size) > self.max_bytes {
            return Err(SpoolError::Full);
        }
        if self.segments.back().is_none_or(|(_, bytes)| *bytes >= SEGMENT) {
            self.writer = None;
        }
        if self.writer.is_none() {
            let path = self.path(self.next);
            let file =
                OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(full)?;
            self.segments.push_back((self.next, 0));
            self.next = self.next.saturating_add(1);
            self.writer = Some(file);
        }
        let (Some(file), Some((_, bytes))) = (&mut self.writer, self.segments.back_mut()) else {
            return Err(SpoolError::Full);
        };
        let mut block = Vec::with_capacity(record.len() + HEAD);
        block.extend_from_slice(&length.to_le_bytes());
        block.extend_from_slice(&segment::checksum(record).to_le_bytes());
        block.extend_from_slice(record);
        match file.write_all(&block) {
            Ok(()) => {
                *bytes += size;
                Ok(())
            }
            Err(error) => {
                // What cannot be taken back ends the segment: its reader stops there.
                if file.set_len(*bytes).is_err() {
                    self.writer = None;
                }
                Err(full(error))
            }
        }
    }

    /// The oldest records, at most so many with about so many bytes; at least one, if there is one. They stay
    /// until [`Spool::taken`].
    ///
    /// # Errors
    /// What the system says.
    pub fn oldest(&mut self, records: usize, bytes: usize) -> io::Result<Vec<Vec<u8>>> {
        loop {
            let Some((number, size)) = self.segments.front().copied() else { return Ok(Vec::new()) };
            let reader = match &mut self.reader {
                Some(reader) => reader,
                None => self.reader.insert(Segment::open(&self.directory.join(name(number)))?),
            };
            let (found, seen) = reader.read(size, records, bytes)?;
            if !found.is_empty() {
                self.seen = seen;
                return Ok(found);
            }
            if seen < size {
                self.damaged += size - seen;
                warn!(
                    segment = number,
                    bytes = size - seen,
                    "A segment of a spool is damaged; its rest is lost."
                );
            }
            if self.segments.len() == 1 && self.writer.is_some() && size == 0 {
                return Ok(Vec::new());
            }
            self.remove_oldest()?;
        }
    }

    /// The records that [`Spool::oldest`] told last are the receiver's: they go.
    ///
    /// # Errors
    /// What the system says; they may come again then.
    pub fn taken(&mut self) -> io::Result<()> {
        if let Some(reader) = &mut self.reader {
            reader.position = self.seen;
        }
        match self.segments.front() {
            Some((_, size)) if self.seen >= *size && self.seen > 0 => self.remove_oldest(),
            _ => Ok(()),
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(|(_, bytes)| *bytes == 0)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Bytes that were lost because segments were damaged, since the start.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    fn remove_oldest(&mut self) -> io::Result<()> {
        let Some((number, _)) = self.segments.front().copied() else { return Ok(()) };
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.segments.pop_front();
        (self.reader, self.seen) = (None, 0);
        if self.segments.is_empty() {
            self.writer = None;
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(name(number))
    }
}

fn name(number: u64) -> String {
    format!("{number:020}.spool")
}

fn full(error: io::Error) -> SpoolError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => SpoolError::Full,
        _ => SpoolError::Io(error),
    }
}

#[cfg(test)]
mod tests;
