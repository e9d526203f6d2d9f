//! The seeds of the fuzzers are what they are called, so that the fuzzers start from what is right; and whatever one byte
//! of them becomes, reading ends. `UPDATE=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{fs, io::Write as _, path::PathBuf};

use sentinel_wire::{
    Transcoder, batch_events,
    evt1::{Item, Reader, write_record},
    read_envelope, read_object,
    v1::EventEnvelope,
    write_object,
};

fn event(event_type: &str, data: &[(&str, &str)]) -> EventEnvelope {
    EventEnvelope {
        event_id: "01947d1e-0000-7000-8000-000000000001".into(),
        hostname: "node".into(),
        pod_name: "web-1".into(),
        namespace: "shop".into(),
        container_id: "0123456789ab".into(),
        event_type: event_type.into(),
        data: data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        attributes: [("evt.type".to_owned(), "read".to_owned())].into(),
        ts_unix_nano: 1_767_225_600_000_000_000,
    }
}

fn events() -> [EventEnvelope; 2] {
    [event("file_read", &[("filename", "/etc/\"x\"\n"), ("pid", "7")]), event("loss", &[("count", "5")])]
}

fn object(event: &EventEnvelope) -> Vec<u8> {
    let mut out = Vec::new();
    write_object(event, &mut out);
    out
}

fn log() -> Vec<u8> {
    let mut log = Vec::new();
    for event in events() {
        write_record(&mut log, |out| out.extend(object(&event))).unwrap();
    }
    log
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A seed, as it is in the repository.
fn seed(name: &str, bytes: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, bytes()).unwrap();
    }
    fs::read(path).unwrap()
}

/// Events of a log, and whether all of it was right.
fn read(bytes: &[u8]) -> (Vec<EventEnvelope>, bool) {
    let mut reader = Reader::new(bytes).unwrap();
    let (mut events, mut right) = (Vec::new(), true);
    while let Some(item) = reader.next_event().unwrap() {
        match item {
            Item::Record(event) => events.push(event),
            Item::Damage(_) => right = false,
        }
    }
    (events, right)
}

/// The bytes with one of them changed, every third in turn.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).step_by(3).map(move |at| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= if at % 2 == 0 { 0x01 } else { 0x80 };
        bytes
    })
}

#[test]
fn seeds_of_logs_hold_their_events_and_a_changed_byte_costs_no_more_than_those() {
    let whole = seed("log/plain", log);
    let packed =
        [seed("log/gzip", || gzip(&log())), seed("log/members", || [gzip(&log()), gzip(&log())].concat())];
    assert_eq!(read(&whole), (events().into(), true));
    assert_eq!(read(&packed[0]), (events().into(), true));
    assert_eq!(read(&packed[1]).0.len(), 4);
    assert_eq!(
        read(&seed("log/torn", || log()[..log().len() - 5].to_vec())),
        ([events()[0].clone()].into(), false)
    );
    let found = read(&seed("log/damaged", || [&log()[..], b"EVT1\xff\xff\xff\xffgarbage", &log()].concat()));
    assert_eq!((found.0.len(), found.1), (4, false));
    for bytes in [&whole].into_iter().chain(&packed).flat_map(|seed| changed(seed)) {
        assert!(read(&bytes).0.len() <= 4);
    }
}

#[test]
fn seeds_of_objects_are_events_in_every_form() {
    for (name, event) in ["read", "loss"].into_iter().zip(events()) {
        let text = seed(&format!("object/{name}"), || object(&event));
        assert_eq!(read_object(&text).unwrap(), event);
        let message = seed(&format!("message/{name}"), || {
            let mut out = Vec::new();
            Transcoder::default().batched(&object(&event), &mut out).unwrap();
            batch_events(&out).next().unwrap().to_vec()
        });
        assert_eq!(read_envelope(&message).unwrap(), event);
        for text in changed(&text) {
            let mut out = Vec::new();
            let coded = Transcoder::default().batched(&text, &mut out).ok();
            let event = read_object(&text).ok();
            assert_eq!(coded, event.as_ref().map(|event| event.ts_unix_nano));
            assert_eq!(batch_events(&out).next().and_then(read_envelope), event);
        }
        for message in changed(&message) {
            // What is a message has an object, whatever it says.
            if let Some(event) = read_envelope(&message).filter(|event| !event.event_type.is_empty()) {
                assert_eq!(read_object(&object(&event)).unwrap(), event);
            }
        }
    }
}

#[test]
fn what_the_fuzzer_found_is_read_in_one_way() {
    let text =
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/object/said_twice")).unwrap();
    let mut out = Vec::new();
    Transcoder::default().batched(&text, &mut out).unwrap();
    let event = read_object(&text).unwrap();
    assert_eq!(batch_events(&out).next().and_then(read_envelope).as_ref(), Some(&event));
    assert_eq!(event.attributes.len(), 2, "{event:?}");
}
