//! One pass over a message: where its texts are, and whether they are texts.

use std::ops::Range;

use prost::encoding::{DecodeContext, WireType, decode_varint, skip_field};

use super::Malformed;
use crate::message::{
    ATTRIBUTES, CONTAINER_ID, DATA, EVENT_ID, EVENT_TYPE, HOSTNAME, KEY, NAMESPACE, POD_NAME, TIME, VALUE,
};

/// Bytes of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    at: u32,
    len: u32,
}

impl Span {
    pub(super) fn of(self, message: &[u8]) -> &[u8] {
        let at = self.at as usize;
        message.get(at..at + self.len as usize).unwrap_or_default()
    }
}

/// What every event has.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) event_id: Span,
    pub(super) hostname: Span,
    pub(super) pod_name: Span,
    pub(super) namespace: Span,
    pub(super) container_id: Span,
    pub(super) event_type: Span,
    pub(super) time_ns: u64,
    /// Its places in the facts of all.
    pub(super) facts: Range<usize>,
}

/// An entry of one of the two maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    /// Which map, and what its key looks like.
    pub(super) mark: Mark,
    pub(super) key: Span,
    pub(super) value: Span,
}

/// What tells nearly every entry from the others without a look at its key: who searches compares one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u32);

impl Mark {
    /// Of an entry of `data`, else of `attributes`.
    #[inline]
    pub(super) fn of(data: bool, key: &[u8]) -> Self {
        let at = |place: usize| key.get(place).copied().unwrap_or_default();
        let (middle, last) = (at(key.len() / 2), at(key.len().wrapping_sub(1)));
        // A length of 256 is as good as one of 0: it is a mark, not the key.
        Self(u32::from_ne_bytes([data.into(), key.len().to_le_bytes()[0], middle, last]))
    }
}

/// Walks over a message; its facts are added to those of others.
pub(super) fn head(message: &[u8], facts: &mut Vec<Fact>) -> Result<Head, Malformed> {
    if u32::try_from(message.len()).is_err() {
        return Err(Malformed("it has 4 GiB or more".into()));
    }
    let mut walk = Walk { message, rest: message };
    let begin = facts.len();
    let mut head = Head::default();
    while !walk.rest.is_empty() {
        let tag = walk.tag()?;
        let place = match tag {
            EVENT_ID => &mut head.event_id,
            HOSTNAME => &mut head.hostname,
            POD_NAME => &mut head.pod_name,
            NAMESPACE => &mut head.namespace,
            CONTAINER_ID => &mut head.container_id,
            EVENT_TYPE => &mut head.event_type,
            DATA | ATTRIBUTES => {
                let entry = walk.bytes()?;
                walk.fact(tag == DATA, entry, facts)?;
                continue;
            }
            TIME => {
                head.time_ns = walk.varint()?;
                continue;
            }
            other => {
                walk.pass_over(other, |number| matches!(number, 1..=5 | 9 | 10 | 20 | 30))?;
                continue;
            }
        };
        let bytes = walk.bytes()?;
        *place = walk.text(bytes)?;
    }
    head.facts = begin..facts.len();
    Ok(head)
}

struct Walk<'a> {
    message: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        // Tags and lengths are of one byte or two.
        match *self.rest {
            [low, ref rest @ ..] if low < 0x80 => {
                self.rest = rest;
                Ok(low.into())
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        decode_varint(&mut self.rest).map_err(|error| Malformed(error.to_string()))
    }

    /// Number and wire type of the next field.
    #[inline]
    fn tag(&mut self) -> Result<u32, Malformed> {
        let tag = self.varint()?;
        u32::try_from(tag).ok().filter(|tag| *tag >= 8).ok_or_else(|| Malformed(format!("field {tag}")))
    }

    /// A field with a length.
    #[inline]
    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.ok_or_else(|| Malformed(format!("{length} bytes are not there")))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Where these bytes of the message are, which are text.
    fn text(&self, bytes: &'a [u8]) -> Result<Span, Malformed> {
        if !bytes.is_ascii() && str::from_utf8(bytes).is_err() {
            return Err(Malformed("text that is not UTF-8".into()));
        }
        Ok(self.span(bytes))
    }

    fn span(&self, bytes: &'a [u8]) -> Span {
        // Both are of one message of less than 4 GiB.
        let at = (bytes.as_ptr() as usize).wrapping_sub(self.message.as_ptr() as usize);
        let small = |size: usize| u32::try_from(size).unwrap_or_default();
        Span { at: small(at), len: small(bytes.len()) }
    }

    /// Adds an entry of a map.
    #[inline]
    fn fact(&self, data: bool, entry: &'a [u8], facts: &mut Vec<Fact>) -> Result<(), Malformed> {
        // Nearly all are like this, and are text in ASCII if all of their bytes are. What is handed back in memory, piece by
        // piece, to be read as a whole, costs more than all else here.
        match short(entry) {
            Some((key, value)) if entry.is_ascii() => {
                facts.push(Fact { mark: Mark::of(data, key), key: self.span(key), value: self.span(value) });
            }
            _ => facts.push(self.any_fact(data, entry)?),
        }
        Ok(())
    }

    #[inline(never)]
    fn any_fact(&self, data: bool, entry: &'a [u8]) -> Result<Fact, Malformed> {
        let mut walk = Walk { message: self.message, rest: entry };
        let (mut key, mut value) = (Span::default(), Span::default());
        while !walk.rest.is_empty() {
            let tag = walk.tag()?;
            let place = match tag {
                KEY => &mut key,
                VALUE => &mut value,
                other => {
                    walk.pass_over(other, |number| matches!(number, 1 | 2))?;
                    continue;
                }
            };
            let bytes = walk.bytes()?;
            *place = walk.text(bytes)?;
        }
        Ok(Fact { mark: Mark::of(data, key.of(self.message)), key, value })
    }

    /// A field of a newer sender; one of ours has the wrong type.
    fn pass_over(&mut self, tag: u32, is_ours: fn(u32) -> bool) -> Result<(), Malformed> {
        let number = tag >> 3;
        let wire_type =
            WireType::try_from(u64::from(tag & 7)).map_err(|error| Malformed(error.to_string()))?;
        if is_ours(number) {
            return Err(Malformed(format!("field {number} has another type")));
        }
        let context = DecodeContext::default();
        skip_field(wire_type, number, &mut self.rest, context).map_err(|error| Malformed(error.to_string()))
    }
}

/// Key and value of an entry as every writer lays them out, each shorter than 128 bytes.
#[inline]
fn short(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let field = |tag: u32, bytes: &'_ [u8]| -> Option<usize> {
        let [first, length, ..] = *bytes else { return None };
        (u32::from(first) == tag && length < 0x80).then_some(length.into())
    };
    let (key, rest) = entry.get(2..)?.split_at_checked(field(KEY, entry)?)?;
    let value = rest.get(2..)?;
    (field(VALUE, rest)? == value.len()).then_some((key, value))
}
