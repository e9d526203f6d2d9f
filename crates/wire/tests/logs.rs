//! EVT1 logs: what is written is read, and damage costs what it hit.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::io::{self, Read, Write as _};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use sentinel_wire::{
    evt1::{self, Damage, DamageKind, Item, Reader, write_record},
    read_object,
    v1::EventEnvelope,
    write_object,
};

fn event(name: &str) -> EventEnvelope {
    let mut event =
        EventEnvelope { event_id: name.into(), event_type: "exec".into(), ..EventEnvelope::default() };
    event.data.insert("filename".into(), format!("/tmp/{name}"));
    event
}

fn log(names: &[&str]) -> Vec<u8> {
    let mut log = Vec::new();
    for name in names {
        write_record(&mut log, |out| write_object(&event(name), out)).unwrap();
    }
    log
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One byte a read, as a slow pipe brings them.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
        buffer[0] = *first;
        self.0 = rest;
        Ok(1)
    }
}

fn items(from: impl Read) -> Vec<Item<EventEnvelope>> {
    let mut reader = Reader::new(from).unwrap();
    std::iter::from_fn(|| reader.next_event().unwrap()).collect()
}

/// Names of the events, and the damage in between.
fn check(bytes: &[u8], names: &[&str], damage: &[Damage]) {
    for items in [items(bytes), items(Slowly(bytes))] {
        let (mut found, mut broken) = (Vec::new(), Vec::new());
        for item in &items {
            match item {
                Item::Record(event) => found.push(event.event_id.as_str()),
                Item::Damage(damage) => broken.push(*damage),
            }
        }
        assert_eq!((found.as_slice(), broken.as_slice()), (names, damage));
    }
}

fn damage(at: usize, skipped: usize, kind: DamageKind) -> Damage {
    Damage { at: at as u64, skipped: skipped as u64, kind }
}

#[test]
fn a_record_is_magic_length_and_object() {
    let bytes = log(&["a"]);
    let object = br#"{"event_id":"a","ts_unix_nano":0,"hostname":"","pod":"","namespace":"","container_id":"","event_type":"exec","data":{"filename":"/tmp/a"},"attributes":{}}"#;
    let length = u32::try_from(object.len()).unwrap().to_le_bytes();
    assert_eq!(bytes, [b"EVT1", &length[..], object].concat());
    check(&bytes, &["a"], &[]);
    check(b"", &[], &[]);
    check(&gzip(&log(&["a", "b"])), &["a", "b"], &[]);
    check(&gzip(b""), &[], &[]);
    check(&[gzip(&log(&["a"])), gzip(&log(&["b"]))].concat(), &["a", "b"], &[]);
}

#[test]
fn a_torn_end_is_told_and_costs_the_last_record() {
    let (whole, first) = (log(&["a", "b"]), log(&["a"]).len());
    for end in first + 1..whole.len() {
        check(&whole[..end], &["a"], &[damage(first, end - first, DamageKind::Torn)]);
    }
    // A gzip file that ends too early gives what it holds.
    let packed = gzip(&log(&["a", "b", "c"]));
    let Some(Item::Damage(last)) = items(&packed[..packed.len() - 9]).pop() else { panic!("no damage") };
    assert_eq!(last.kind, DamageKind::Torn);
    // A writer that was started again goes on behind it.
    let both = [&packed[..packed.len() - 4], &gzip(&log(&["d"]))].concat();
    let read = items(&both[..]);
    assert!(read.contains(&Item::Record(event("a"))), "{read:?}");
}

#[test]
fn reading_goes_on_behind_damage() {
    let (a, b, c) = (log(&["a"]), log(&["b"]), log(&["c"]));
    let size = a.len();
    let with = |middle: &[u8]| [&a, middle, &c].concat();
    check(&with(b"EV"), &["a", "c"], &[damage(size, 2, DamageKind::NoRecord)]);
    check(&with(&[0; 300_000]), &["a", "c"], &[damage(size, 300_000, DamageKind::NoRecord)]);
    check(&with(b"EVT1\xff\xff\xff\xff"), &["a", "c"], &[damage(size, 8, DamageKind::TooLong(u32::MAX))]);
    check(&with(b"EVT1\x02\0\0\0[]"), &["a", "c"], &[damage(size, 10, DamageKind::NotAnEvent)]);
    check(&with(b"EVT1\0\0\0\0"), &["a", "c"], &[damage(size, 8, DamageKind::NotJson)]);
    // A length that swallows what follows, with and without an end.
    for (length, kind) in [(size + 4, DamageKind::NotJson), (1_000_000, DamageKind::NoRecord)] {
        let mut wrong = b.clone();
        wrong[4..8].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
        check(&with(&wrong), &["a", "c"], &[damage(size, size, kind)]);
    }
    // A member that is not right costs itself.
    let mut broken = gzip(&b);
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    let read = items(&[gzip(&a), broken, gzip(&c)].concat()[..]);
    assert_eq!(read.first(), Some(&Item::Record(event("a"))));
    assert_eq!(read.last(), Some(&Item::Record(event("c"))));
}

#[test]
fn no_name_can_pass_for_a_record() {
    let mut hostile = event("a");
    let inner = String::from_utf8_lossy(&log(&["forged"])).into_owned();
    hostile.data.insert("filename".into(), inner);
    let mut bytes = Vec::new();
    write_record(&mut bytes, |out| write_object(&hostile, out)).unwrap();
    // Even when the record around it is damaged.
    for damaged in [false, true] {
        if damaged {
            bytes[8] = b'?';
        }
        for item in items(&bytes[..]) {
            assert!(matches!(item, Item::Damage(_)) || item == Item::Record(hostile.clone()), "{item:?}");
        }
    }
}

#[test]
fn the_longest_record_is_written_and_a_longer_one_is_not() {
    let mut bytes = b"x".to_vec();
    let pad = |size: usize| move |out: &mut Vec<u8>| out.resize(out.len() + size, b' ');
    assert_eq!(
        write_record(&mut bytes, pad(evt1::PAYLOAD_MAX + 1)),
        Err(evt1::TooLong(evt1::PAYLOAD_MAX + 1))
    );
    assert_eq!(bytes, b"x");
    let mut log = Vec::new();
    write_record(&mut log, |out| {
        write_object(&event("a"), out);
        out.resize(evt1::HEAD + evt1::PAYLOAD_MAX, b' ');
    })
    .unwrap();
    check(&log, &["a"], &[]);
}

/// A gzip bomb: memory stays small.
#[test]
fn memory_is_bounded_whatever_a_file_unpacks_to() {
    let mut packed = gzip(&vec![0; 1 << 20]).repeat(40);
    packed.extend(gzip(&log(&["a"])));
    assert!(packed.len() < 1 << 20, "{}", packed.len());
    let before = peak();
    check_once(&packed, &["a"], 40 << 20);
    // The kernel adds up what each processor counts: its sum may also fall a little.
    let more = peak().saturating_sub(before);
    assert!(more < 16 << 10, "{more} KiB more");
}

fn check_once(bytes: &[u8], names: &[&str], skipped: u64) {
    let mut found = Vec::new();
    for item in items(bytes) {
        match item {
            Item::Record(event) => found.push(event.event_id),
            Item::Damage(damage) => assert_eq!(damage.skipped, skipped),
        }
    }
    assert_eq!(found, names);
}

/// Most memory this process ever had, KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn an_error_of_the_file_is_an_error() {
    #[derive(Debug)]
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = self.0.min(buffer.len());
            if left == 0 {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            self.0 -= left;
            buffer[..left].fill(b' ');
            Ok(left)
        }
    }
    assert_eq!(Reader::new(Failing(0)).unwrap_err().raw_os_error(), Some(libc::EIO));
    let error = Reader::new(Failing(10)).unwrap().next_event().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EIO));
    let packed = gzip(&log(&["a"]));
    let mut reader = Reader::new(packed[..20].chain(Failing(0))).unwrap();
    let error = std::iter::from_fn(|| reader.next_event().transpose()).find_map(Result::err);
    assert_eq!(error.unwrap().raw_os_error(), Some(libc::EIO));
}

prop_compose! {
    fn any_event()(
        texts in proptest::array::uniform6(".*"),
        ts_unix_nano in any::<u64>(),
        event_type in ".+",
        data in proptest::collection::btree_map(".*", ".*", 0..5),
        attributes in proptest::collection::btree_map("[a-z.]*", ".*", 0..5),
    ) -> EventEnvelope {
        let [event_id, hostname, pod_name, namespace, container_id, _] = texts;
        EventEnvelope {
            event_id, hostname, pod_name, namespace, container_id, event_type, data, attributes, ts_unix_nano,
        }
    }
}

proptest! {
    #[test]
    fn an_object_holds_the_whole_event(event in any_event()) {
        let mut object = Vec::new();
        write_object(&event, &mut object);
        prop_assert!(!object.iter().any(u8::is_ascii_control));
        prop_assert_eq!(read_object(&object).unwrap(), event);
    }

    #[test]
    fn a_log_holds_its_events_whatever_it_is_packed_in(
        events in proptest::collection::vec(any_event(), 0..20),
        packed in any::<bool>(),
    ) {
        let mut bytes = Vec::new();
        for event in &events {
            write_record(&mut bytes, |out| write_object(event, out)).unwrap();
        }
        let bytes = if packed { gzip(&bytes) } else { bytes };
        prop_assert_eq!(items(&bytes[..]), events.into_iter().map(Item::Record).collect::<Vec<_>>());
    }

    /// Any bytes written over any place: the records it did not touch are all read, and every byte is accounted for.
    #[test]
    fn damage_costs_only_what_it_hits(at in 0_usize..1500, hit in proptest::collection::vec(any::<u8>(), 1..60)) {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut bytes = log(&names);
        let size = log(&["a"]).len();
        let end = (at + hit.len()).min(bytes.len());
        let at = at.min(end);
        bytes[at..end].copy_from_slice(&hit[..end - at]);
        let untouched = names.iter().enumerate().filter(|(i, _)| end <= i * size || at >= (i + 1) * size);
        let items = items(&bytes[..]);
        for (_, name) in untouched {
            prop_assert!(items.contains(&Item::Record(event(name))), "{} is lost: {:?}", name, items);
        }
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..4000), packed in any::<bool>()) {
        let bytes = if packed { gzip(&bytes) } else { bytes };
        items(&bytes[..]);
        let mut reader = Reader::new(&bytes[..]).unwrap();
        while reader.next_payload().unwrap().is_some() {}
    }
}
