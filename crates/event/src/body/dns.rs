//! Answers to questions about names.

use std::net::IpAddr;

use crate::{Socket, Text};

/// A process received an answer from port 53. `head.result` is what the call returned.
///
/// Of the message nothing is kept but this. All of it is the word of whoever answered, read from the caller's memory;
/// that it came from port 53 is the kernel's word where the socket is connected.
///
/// Hook: `sys_exit_{recvfrom,recvmsg,recvmmsg,read}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    /// The socket; its `peer`, or `asked` where it is not connected, is who answered.
    pub socket: Socket,
    /// The name that was asked about, in small letters, without a dot at the end.
    pub question: Text,
    /// What was asked about it: 1 is A, 28 AAAA.
    pub record_type: u16,
    /// How the question was answered: 0 is well, 2 the server failed, 3 there is no such name.
    pub code: u8,
    /// Addresses of that name, in the order of the answer.
    pub addresses: Vec<NamedAddress>,
    /// Bytes of the message.
    pub bytes: u32,
    /// Only the first 512 bytes were looked at, or the server has left something out.
    pub truncated: bool,
    /// It makes no sense, at least from some byte on.
    pub malformed: bool,
}

/// An address that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAddress {
    /// The name whose address it is: the one asked about, or one that it is another name for.
    pub name: Text,
    /// The address.
    pub ip: IpAddr,
    /// How long it may be believed, seconds.
    pub ttl_s: u32,
}

impl Dns {
    /// What can be asked about a name, as numbers and words.
    pub const TYPES: &[(&str, u16)] = &[
        ("A", 1),
        ("NS", 2),
        ("CNAME", 5),
        ("SOA", 6),
        ("PTR", 12),
        ("MX", 15),
        ("TXT", 16),
        ("AAAA", 28),
        ("SRV", 33),
        ("SVCB", 64),
        ("HTTPS", 65),
        ("ANY", 255),
    ];
    /// How a question can be answered.
    pub const CODES: &[(&str, u16)] =
        &[("NOERROR", 0), ("FORMERR", 1), ("SERVFAIL", 2), ("NXDOMAIN", 3), ("NOTIMP", 4), ("REFUSED", 5)];

    /// The word for what was asked.
    pub fn type_name(&self) -> Option<&'static str> {
        word(Self::TYPES, self.record_type)
    }

    /// The word for how it was answered.
    pub fn code_name(&self) -> Option<&'static str> {
        word(Self::CODES, self.code.into())
    }
}

fn word(words: &'static [(&'static str, u16)], number: u16) -> Option<&'static str> {
    words.iter().find(|(_, known)| *known == number).map(|(word, _)| *word)
}
