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

/// A record that was read, and stays until it is taken.
#[derive(Debug)]
pub struct Record {
    /// What was pushed.
    pub bytes: Vec<u8>,
    /// Where it is.
    pub place: Place,
}

/// Where a record is: its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

/// What is known of a segment.
#[derive(Debug)]
struct Part {
    number: u64,
    bytes: u64,
    /// How far it was read.
    read: u64,
    /// How far everything was taken.
    taken: u64,
    /// Records that were read and not taken.
    open: usize,
}

/// A bounded queue of byte strings on disk. First in, first out.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    /// Oldest first.
    segments: VecDeque<Part>,
    /// The newest segment, as long as this process may append to it.
    writer: Option<File>,
    /// The segment that is being read, and its number.
    reader: Option<(u64, Segment)>,
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
                segments.push(Part::new(number, entry.metadata()?.len()));
            }
        }
        segments.sort_unstable_by_key(|part| part.number);
        let next = segments.last().map_or(0, |part| part.number.saturating_add(1));
        Ok(Self {
            directory: directory.to_owned(),
            max_bytes,
            segments: segments.into(),
            writer: None,
            reader: None,
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
        if self.segments.back().is_none_or(|part| part.bytes >= SEGMENT) {
            self.writer = None;
        }
        if self.writer.is_none() {
            let path = self.path(self.next);
            let file =
                OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(full)?;
            self.segments.push_back(Part::new(self.next, 0));
            self.next = self.next.saturating_add(1);
            self.writer = Some(file);
        }
        let (Some(file), Some(Part { bytes, .. })) = (&mut self.writer, self.segments.back_mut()) else {
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

    /// The oldest records that were not read yet, at most so many with about so many bytes, and at least one, if there is
    /// one. They stay until they are taken.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&mut self, records: usize, bytes: usize) -> io::Result<Vec<Record>> {
        loop {
            let Some(part) = self.segments.iter_mut().find(|part| part.read < part.bytes) else {
                // Also what could not be removed before.
                return self.forget().map(|()| Vec::new());
            };
            let segment = match &mut self.reader {
                Some((number, segment)) if *number == part.number => segment,
                reader => {
                    let segment = Segment::open(&self.directory.join(name(part.number)))?;
                    &mut reader.insert((part.number, segment)).1
                }
            };
            let (found, end) = segment.read(part.read..part.bytes, records, bytes)?;
            if !found.is_empty() {
                part.read = end;
                part.open += found.len();
                let place = Place(part.number);
                return Ok(found.into_iter().map(|bytes| Record { bytes, place }).collect());
            }
            let lost = part.bytes - part.read;
            self.damaged += lost;
            part.read = part.bytes;
            warn!(segment = part.number, bytes = lost, "A segment of a spool is damaged; its rest is lost.");
            self.forget()?;
        }
    }

    /// A record that was read is the receiver's: a segment goes with its last one.
    ///
    /// # Errors
    /// What the system says; its segment may come again then.
    pub fn taken(&mut self, place: Place) -> io::Result<()> {
        let part = self.segments.iter_mut().find(|part| part.number == place.0 && part.open > 0);
        let Some(part) = part else { return Ok(()) };
        part.open -= 1;
        if part.open > 0 {
            return Ok(());
        }
        part.taken = part.read;
        self.forget()
    }

    /// What was read and not taken is read again.
    pub fn again(&mut self) {
        for part in &mut self.segments {
            (part.read, part.open) = (part.taken, 0);
        }
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.segments.iter().all(|part| part.bytes == 0)
    }

    /// Whether everything that is kept was read.
    pub fn is_read(&self) -> bool {
        self.segments.iter().all(|part| part.read >= part.bytes)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|part| part.bytes).sum()
    }

    /// Bytes that were lost because segments were damaged, since the start.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Removes the oldest segments, as long as everything in them was read and taken.
    fn forget(&mut self) -> io::Result<()> {
        while let Some(part) = self.segments.front() {
            let fresh = part.bytes == 0 && self.segments.len() == 1 && self.writer.is_some();
            if part.read < part.bytes || part.open > 0 || fresh {
                return Ok(());
            }
            let number = part.number;
            match fs::remove_file(self.path(number)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.segments.pop_front();
            self.reader.take_if(|(read, _)| *read == number);
            if self.segments.is_empty() {
                self.writer = None;
            }
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(name(number))
    }
}

impl Part {
    const fn new(number: u64, bytes: u64) -> Self {
        Self { number, bytes, read: 0, taken: 0, open: 0 }
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
