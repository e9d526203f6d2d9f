#![allow(clippy::cast_possible_truncation, reason = "small numbers of our own")]

use sentinel_event::{FileUnlink, Kind};
use zerocopy::IntoBytes as _;

use super::*;

fn header(kind: u16, len: usize) -> abi::sentinel_header {
    abi::sentinel_header { kind, len: len as u32, version: 1, ..Default::default() }
}

fn unlink(tail: &[u8]) -> Vec<u8> {
    let size = size_of::<abi::sentinel_file_unlink>();
    let mut record = abi::sentinel_file_unlink { hdr: header(8, size + tail.len()), ..Default::default() };
    record.target.name.len = tail.len() as u16;
    [record.as_bytes(), tail].concat()
}

#[test]
fn every_cut_of_a_record_is_an_error() {
    let record = unlink(b"/tmp/x");
    assert!(decode(&record).is_ok());
    for n in 0..record.len() {
        assert!(matches!(decode(&record[..n]), Err(DecodeError::Short { .. })), "{n}");
    }
}

#[test]
fn a_record_need_not_be_aligned_nor_the_last() {
    let bytes = [&[0], unlink(b"/tmp/x").as_slice(), &[1, 2, 3]].concat();
    let Content::Body(Body::FileUnlink(FileUnlink { target, .. })) = decode(&bytes[1..]).unwrap().content
    else {
        panic!("another kind");
    };
    assert_eq!(target.path, "/tmp/x");
}

#[test]
fn kinds_and_versions_of_a_newer_program_are_named() {
    assert_eq!(decode(header(63, 128).as_bytes()), Err(DecodeError::Kind(63)));
    let newer = abi::sentinel_header { version: 2, ..header(1, 128) };
    assert_eq!(decode(newer.as_bytes()), Err(DecodeError::Version(2)));
}

#[test]
fn spans_stay_in_the_tail() {
    let mut record = unlink(b"/tmp/x");
    let at = std::mem::offset_of!(abi::sentinel_file_unlink, target)
        + std::mem::offset_of!(abi::sentinel_user_path, name);
    record[at..at + 4].copy_from_slice(&[3, 0, 4, 0]);
    assert_eq!(decode(&record), Err(DecodeError::Span { off: 3, len: 4, tail: 6 }));
}

#[test]
fn every_kind_the_kernel_reports_has_an_id_of_its_own() {
    let mut ids: Vec<u32> = Kind::ALL.iter().filter_map(|kind| wire_id(*kind)).collect();
    assert_eq!(ids.len(), Kind::ALL.len() - 1, "all but loss");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Kind::ALL.len() - 1);
    assert!(ids.iter().all(|id| *id < abi::SENTINEL_KIND_MAX));
}

/// The fuzzer's seeds are records of every kind as a kernel has sent them.
#[test]
fn the_seeds_decode_and_cover_every_kind() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut seen = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        decode(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        seen.insert(u32::from(u16::from_ne_bytes([bytes[4], bytes[5]])));
        for n in 0..bytes.len() {
            let _ = decode(&bytes[..n]);
        }
    }
    let all: std::collections::BTreeSet<u32> = Kind::ALL.iter().filter_map(|kind| wire_id(*kind)).collect();
    assert_eq!(seen, all);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = decode(&bytes);
        }

        /// A right header in front lets the bytes reach every decoder.
        #[test]
        fn no_body_makes_it_panic(
            kind in 0u16..64,
            body in proptest::collection::vec(any::<u8>(), 0..700),
            spans in proptest::collection::vec(0u16..700, 24),
        ) {
            let mut bytes = header(kind, 128 + body.len()).as_bytes().to_vec();
            bytes.extend_from_slice(&body);
            let _ = decode(&bytes);
            // Small numbers everywhere, so that spans often fit.
            for (to, from) in bytes[128..].chunks_exact_mut(2).zip(spans) {
                to.copy_from_slice(&from.to_le_bytes());
            }
            let _ = decode(&bytes);
        }
    }
}
