//! What the tests of the decoders share: building records.

use sentinel_event::Body;
use zerocopy::{Immutable, IntoBytes};

use super::{Content, decode};
use crate::abi;

pub(crate) fn span(off: u16, len: u16) -> abi::sentinel_span {
    abi::sentinel_span { off, len }
}

/// Length of a tail.
pub(crate) fn len16(tail: &[u8]) -> u16 {
    tail.len().try_into().unwrap()
}

/// A record of `kind`: its struct and its tail, with the length and version that belong to them.
pub(crate) fn record<T: IntoBytes + Immutable>(kind: u16, wire: &T, tail: &[u8]) -> Vec<u8> {
    let mut bytes = [wire.as_bytes(), tail].concat();
    let len = u32::try_from(bytes.len()).unwrap();
    bytes[..4].copy_from_slice(&len.to_ne_bytes());
    bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&u16::try_from(abi::SENTINEL_ABI_VERSION).unwrap().to_ne_bytes());
    bytes
}

pub(crate) fn body(record: &[u8]) -> Body {
    match decode(record).unwrap().content {
        Content::Body(body) => body,
        other => panic!("{other:?}"),
    }
}

/// Cut anywhere a record is an error; and so it is, or at least no panic, when it claims to be whole.
pub(crate) fn every_cut_fails(record: &[u8]) {
    assert!(decode(record).is_ok());
    for n in 0..record.len() {
        let mut cut = record[..n].to_vec();
        assert!(decode(&cut).is_err(), "{n} of {}", record.len());
        if n >= 4 {
            cut[..4].copy_from_slice(&u32::try_from(n).unwrap().to_ne_bytes());
            drop(decode(&cut));
        }
    }
}
