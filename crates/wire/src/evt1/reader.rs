//! Log → events. Damage costs the records it hit, whatever the bytes are.

use std::{
    fmt,
    io::{self, Read},
    ops::Range,
};

use memchr::memmem;

use super::{
    HEAD, MAGIC, PAYLOAD_MAX,
    source::{Brought, Source},
};
use crate::{ObjectError, read_object, v1::EventEnvelope};

/// Bytes that are decoded at once.
const CHUNK: usize = 256 << 10;

/// What a log holds next.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<T> {
    /// A whole record.
    Record(T),
    /// Something that is no record, and how much was passed over for it. The next item is behind it.
    Damage(Damage),
}

/// Bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins: bytes from the start of the log, after decompression.
    pub at: u64,
    /// Bytes that were passed over, after decompression.
    pub skipped: u64,
    /// What is wrong with them.
    pub kind: DamageKind,
}

/// What is wrong with bytes of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The log ends inside a record: the writer was stopped, or is still at it.
    Torn,
    /// Something that does not begin like a record.
    NoRecord,
    /// A record that says it is longer than [`PAYLOAD_MAX`].
    TooLong(u32),
    /// A payload that is not JSON; perhaps the length is not right.
    NotJson,
    /// A payload that is JSON, but not an event.
    NotAnEvent,
    /// The compression is broken; what it held is unknown.
    Compression,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, skipped, kind } = self;
        match kind {
            DamageKind::Torn => write!(f, "torn: the log ends inside a record at byte {at}"),
            DamageKind::NoRecord => write!(f, "damaged at byte {at}: no record begins there"),
            DamageKind::TooLong(length) => {
                write!(f, "damaged at byte {at}: a record of {length} bytes, which is too long")
            }
            DamageKind::NotJson => write!(f, "damaged at byte {at}: the record is not JSON"),
            DamageKind::NotAnEvent => write!(f, "damaged at byte {at}: the record is not an event"),
            DamageKind::Compression => write!(f, "damaged at byte {at}: the compression is broken"),
        }?;
        write!(f, ", {skipped} bytes passed over")
    }
}

/// Reads a log, compressed or not, with memory for one record: at most some more than [`PAYLOAD_MAX`] bytes.
///
/// After damage it goes on at the next record. No event can pass for a record of its own: a length needs a byte
/// that JSON does not hold.
#[derive(Debug)]
pub struct Reader<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    /// What of the buffer is to be read.
    rest: Range<usize>,
    /// Where the rest begins, in the log.
    at: u64,
    stop: Option<Stop>,
}

/// Why there is nothing behind the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    /// What comes later does not belong to what is in the buffer.
    Gap {
        torn: bool,
    },
}

/// A record, and where its payload is in the buffer.
type Next<T> = io::Result<Option<Item<(T, Range<usize>)>>>;

/// Why a payload is refused.
enum Refused {
    /// Its bounds may be wrong as well.
    NotJson,
    NotAnEvent,
}

impl<R: Read> Reader<R> {
    /// A reader over a file, a pipe, a slice.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn new(inner: R) -> io::Result<Self> {
        Ok(Self { source: Source::new(inner)?, buffer: Vec::new(), rest: 0..0, at: 0, stop: None })
    }

    /// The next event; none at the end.
    ///
    /// # Errors
    /// When the file cannot be read; there is nothing more then.
    pub fn next_event(&mut self) -> io::Result<Option<Item<EventEnvelope>>> {
        self.next_read(read_object)
    }

    /// The next event as `read` makes it of its JSON object; none at the end. What `read` refuses is damage.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn next_read<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, ObjectError>,
    ) -> io::Result<Option<Item<T>>> {
        let parse = |payload: &[u8]| match read(payload) {
            Ok(event) => Ok(event),
            Err(ObjectError::NoType) => Err(Refused::NotAnEvent),
            Err(error) if error.is_syntax() => Err(Refused::NotJson),
            Err(_) => Err(Refused::NotAnEvent),
        };
        Ok(self.next(parse)?.map(|item| match item {
            Item::Record((event, _)) => Item::Record(event),
            Item::Damage(damage) => Item::Damage(damage),
        }))
    }

    /// The next payload, a JSON object of any content; none at the end.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn next_payload(&mut self) -> io::Result<Option<Item<&[u8]>>> {
        let parse = |payload: &[u8]| match serde_json::from_slice::<serde::de::IgnoredAny>(payload) {
            Ok(_) if payload.trim_ascii_start().starts_with(b"{") => Ok(()),
            Ok(_) => Err(Refused::NotAnEvent),
            Err(_) => Err(Refused::NotJson),
        };
        Ok(self.next(parse)?.map(|item| match item {
            Item::Record(((), payload)) => Item::Record(self.buffer.get(payload).unwrap_or_default()),
            Item::Damage(damage) => Item::Damage(damage),
        }))
    }

    /// Bytes taken from the file so far, for a progress bar: some more than those that were looked at.
    pub fn bytes_read(&self) -> u64 {
        self.source.bytes()
    }

    fn next<T>(&mut self, parse: impl FnOnce(&[u8]) -> Result<T, Refused>) -> Next<T> {
        let at = self.at;
        let damage = |skipped, kind| Ok(Some(Item::Damage(Damage { at, skipped, kind })));
        if !self.fill(HEAD)? {
            let left = self.rest.len();
            self.consume(left);
            return match self.stop {
                Some(Stop::Gap { .. }) => damage(left as u64, self.ended()),
                _ if left == 0 => Ok(None),
                _ => damage(left as u64, DamageKind::Torn),
            };
        }
        let Some((MAGIC, length)) = head(self.rest()) else {
            return damage(self.skip(1)?, DamageKind::NoRecord);
        };
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > PAYLOAD_MAX {
            return damage(self.skip(MAGIC.len())?, DamageKind::TooLong(length));
        }
        if !self.fill(HEAD + size)? {
            let skipped = self.skip(MAGIC.len())?;
            // Torn, or a wrong length in the middle of the log.
            let kind = if self.rest.is_empty() { self.ended() } else { DamageKind::NoRecord };
            return damage(skipped, kind);
        }
        let payload = self.rest.start + HEAD..self.rest.start + HEAD + size;
        match parse(self.buffer.get(payload.clone()).unwrap_or_default()) {
            Ok(record) => {
                self.consume(HEAD + size);
                Ok(Some(Item::Record((record, payload))))
            }
            Err(Refused::NotAnEvent) => {
                self.consume(HEAD + size);
                damage((HEAD + size) as u64, DamageKind::NotAnEvent)
            }
            Err(Refused::NotJson) => damage(self.skip(MAGIC.len())?, DamageKind::NotJson),
        }
    }

    /// Why the buffer ended before a record did. What is behind a gap comes next.
    fn ended(&mut self) -> DamageKind {
        match self.stop {
            Some(Stop::Gap { torn }) => {
                self.stop = None;
                if torn { DamageKind::Torn } else { DamageKind::Compression }
            }
            Some(Stop::End) | None => DamageKind::Torn,
        }
    }

    /// Passes over `sure` bytes, and more up to what may be a record. How many.
    fn skip(&mut self, sure: usize) -> io::Result<u64> {
        let mut skipped = sure.min(self.rest.len());
        self.consume(skipped);
        let mut total = skipped as u64;
        loop {
            let found = memmem::find(self.rest(), &MAGIC);
            // The beginning of a record may be cut in two by what is read at once.
            skipped = found.unwrap_or((self.rest.len() + 1).saturating_sub(MAGIC.len()));
            self.consume(skipped);
            total += skipped as u64;
            if found.is_some() {
                return Ok(total);
            }
            if !self.fill(self.rest.len() + 1)? {
                let left = self.rest.len();
                self.consume(left);
                return Ok(total + left as u64);
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.rest.clone()).unwrap_or_default()
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = bytes.min(self.rest.len());
        self.rest.start += bytes;
        self.at += bytes as u64;
    }

    /// Reads until the rest has `need` bytes; false when it cannot.
    fn fill(&mut self, need: usize) -> io::Result<bool> {
        while self.rest.len() < need {
            if self.stop.is_some() {
                return Ok(false);
            }
            if self.buffer.len() < self.rest.start + need.max(CHUNK) {
                self.buffer.copy_within(self.rest.clone(), 0);
                self.rest = 0..self.rest.len();
                let size = need.max(CHUNK) + CHUNK;
                self.buffer.resize(self.buffer.len().max(size), 0);
            }
            let room = self.buffer.get_mut(self.rest.end..).unwrap_or_default();
            match self.source.read(room)? {
                Brought::Bytes(bytes) => self.rest.end += bytes,
                Brought::End => self.stop = Some(Stop::End),
                Brought::Broken { torn } => self.stop = Some(Stop::Gap { torn }),
            }
        }
        Ok(true)
    }
}

/// The first bytes of what may be a record: magic and length.
fn head(bytes: &[u8]) -> Option<([u8; 4], u32)> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    Some((*magic, u32::from_le_bytes(*rest.first_chunk::<4>()?)))
}
