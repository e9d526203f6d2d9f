//! Answers of RFC 1035, read without belief: every step is bounded by the bytes there are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sentinel_event::{NamedAddress, Text};

/// Bytes of a name, and pointers on the way through one.
const NAME_MAX: usize = 255;
const POINTERS: usize = 32;
/// Records that are looked at; 512 bytes hold 42 at most.
const RECORDS: usize = 64;

const HEADER: usize = 12;
const RESPONSE: u16 = 0x8000;
const OPERATION: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const INTERNET: u16 = 1;
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) question: Text,
    pub(super) record_type: u16,
    pub(super) code: u8,
    pub(super) addresses: Vec<NamedAddress>,
    /// The server left something out.
    pub(super) truncated: bool,
    /// The bytes ended before the answer did.
    pub(super) cut: bool,
    /// Something makes no sense, and what follows was not read.
    pub(super) malformed: bool,
}

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cut,
    Malformed,
}

/// Reads an answer; none for what is no answer to one question. Only addresses that the question leads to count: an
/// answer about one name says nothing of others.
pub(super) fn read(message: &[u8]) -> Option<Answer> {
    let mut at = Cursor { message, at: 0 };
    let (_, flags) = (at.u16().ok()?, at.u16().ok()?);
    let (questions, records) = (at.u16().ok()?, at.u16().ok()?);
    if flags & RESPONSE == 0 || flags & OPERATION != 0 || questions > 1 {
        return None;
    }
    at.at = HEADER;
    let mut answer = Answer {
        code: u8::try_from(flags & 15).unwrap_or_default(),
        truncated: flags & TRUNCATED != 0,
        ..Answer::default()
    };
    match at.body(questions, records, &mut answer) {
        Ok(()) => {}
        Err(Stop::Cut) => answer.cut = true,
        Err(Stop::Malformed) => answer.malformed = true,
    }
    Some(answer)
}

struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn body(&mut self, questions: u16, records: u16, answer: &mut Answer) -> Result<(), Stop> {
        if questions == 0 {
            return Ok(());
        }
        answer.question = self.name()?;
        answer.record_type = self.u16()?;
        self.u16()?;
        // The name that was asked about, and what it is another name for.
        let mut names = vec![answer.question.clone()];
        for _ in 0..usize::from(records).min(RECORDS) {
            let name = self.name()?;
            let (kind, class) = (self.u16()?, self.u16()?);
            let ttl_s = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
            let length = usize::from(self.u16()?);
            let data = self.at;
            if class == INTERNET && names.contains(&name) {
                match (kind, length) {
                    (A, 4) => answer.addresses.push(NamedAddress { name, ip: self.v4()?, ttl_s }),
                    (AAAA, 16) => answer.addresses.push(NamedAddress { name, ip: self.v6()?, ttl_s }),
                    (CNAME, _) => names.push(self.name()?),
                    (A | AAAA, _) => return Err(Stop::Malformed),
                    _ => {}
                }
            }
            self.at = data + length;
            if self.at > self.message.len() {
                return Err(Stop::Cut);
            }
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let bytes = self.message.get(self.at..).and_then(|rest| rest.first_chunk()).ok_or(Stop::Cut)?;
        self.at += N;
        Ok(*bytes)
    }

    fn u16(&mut self) -> Result<u16, Stop> {
        self.take().map(u16::from_be_bytes)
    }

    fn v4(&mut self) -> Result<IpAddr, Stop> {
        self.take().map(|bytes: [u8; 4]| Ipv4Addr::from(bytes).into())
    }

    fn v6(&mut self) -> Result<IpAddr, Stop> {
        self.take().map(|bytes: [u8; 16]| Ipv6Addr::from(bytes).to_canonical())
    }

    /// A name, in small letters, a dot between its labels; what is no plain letter of a label as `\DDD`. The root is
    /// `.`. A pointer must lead back: so there are no circles.
    fn name(&mut self) -> Result<Text, Stop> {
        let mut text = Vec::new();
        let (mut from, mut end, mut length) = (self.at, None, 0);
        let mut lowest = self.at;
        for _ in 0..=NAME_MAX + POINTERS {
            let size = usize::from(*self.message.get(from).ok_or(Stop::Cut)?);
            match size >> 6 {
                0 if size == 0 => {
                    self.at = end.unwrap_or(from + 1);
                    if text.is_empty() {
                        text.push(b'.');
                    }
                    return Ok(text.into());
                }
                0 => {
                    let label = self.message.get(from + 1..from + 1 + size).ok_or(Stop::Cut)?;
                    length += size + 1;
                    if length > NAME_MAX {
                        return Err(Stop::Malformed);
                    }
                    if !text.is_empty() {
                        text.push(b'.');
                    }
                    label.iter().for_each(|byte| letter(*byte, &mut text));
                    from += 1 + size;
                }
                3 => {
                    let low = usize::from(*self.message.get(from + 1).ok_or(Stop::Cut)?);
                    let to = (size & 63) << 8 | low;
                    end.get_or_insert(from + 2);
                    if to >= lowest {
                        return Err(Stop::Malformed);
                    }
                    (from, lowest) = (to, to);
                }
                _ => return Err(Stop::Malformed),
            }
        }
        Err(Stop::Malformed)
    }
}

fn letter(byte: u8, text: &mut Vec<u8>) {
    match byte {
        b'.' | b'\\' => text.extend_from_slice(&[b'\\', byte]),
        byte if byte.is_ascii_graphic() => text.push(byte.to_ascii_lowercase()),
        byte => text.extend_from_slice(format!("\\{byte:03}").as_bytes()),
    }
}

#[cfg(test)]
mod tests;
