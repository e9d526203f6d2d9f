#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What is read in place is what is decoded, or both refuse.
fn check(message: &[u8]) {
    let read = Events::read(vec![Bytes::copy_from_slice(message)]);
    let Ok(envelope) = EventEnvelope::decode(message) else {
        return assert!(read.is_err(), "{message:?}");
    };
    let read = match read {
        // Of a map, prost takes any wire type for a length; we do not.
        Err(error) if ["field 10 has", "field 20 has"].iter().any(|of| error.to_string().contains(of)) => {
            return;
        }
        read => read.unwrap_or_else(|error| panic!("{message:?}: {error}")),
    };
    let event = read.get(0).unwrap();
    let texts = [
        (event.event_id(), &envelope.event_id),
        (event.hostname(), &envelope.hostname),
        (event.pod_name(), &envelope.pod_name),
        (event.namespace(), &envelope.namespace),
        (event.container_id(), &envelope.container_id),
        (event.event_type(), &envelope.event_type),
    ];
    texts.into_iter().for_each(|(here, there)| assert_eq!(here, there));
    assert_eq!(event.ts_unix_nano(), envelope.ts_unix_nano);
    for (key, value) in &envelope.data {
        assert_eq!(event.data(key), Some(value.as_str()), "{key}");
    }
    for (key, value) in &envelope.attributes {
        assert_eq!(event.attribute(key), Some(value.as_str()), "{key}");
    }
    assert_eq!((event.data("nobody's"), event.attribute("nobody's")), (None, None));
    assert_eq!(event.envelope(), envelope);
    assert_eq!((read.len(), read.is_empty(), read.iter().len()), (1, false, 1));
}

#[test]
fn what_is_odd_is_read_as_prost_reads_it() {
    let odd: [&[u8]; 19] = [
        b"",
        b"\xff",
        b"\x12\x7f",
        b"\x12\xff\xff\xff\xff\x0f",
        // A number where text is meant, and the other way round.
        b"\x08\x01",
        b"\xf2\x01\x01x",
        b"\x52\x02\x08\x01",
        // No UTF-8: in a text, a key, a value.
        b"\x0a\x01\xff",
        b"\x52\x03\x0a\x01\xff",
        b"\xa2\x01\x03\x12\x01\xff",
        // The last of several; keys without a value, and the other way round.
        b"\x0a\x01a\x0a\x01b\xf0\x01\x07\xf0\x01\x08",
        b"\x52\x06\x0a\x01k\x12\x01a\x52\x06\x0a\x01k\x12\x01b",
        b"\x52\x03\x0a\x01k\xa2\x01\x03\x12\x01v\x52\x00",
        // Fields of a newer sender: number, text, fixed ones, a group, one that never ends.
        b"\x38\x01\x3a\x02hi\x3d\x01\x02\x03\x04\x39\x01\x02\x03\x04\x05\x06\x07\x08\x0a\x01a",
        b"\x3b\x08\x01\x3c\x0a\x01a",
        b"\x3b\x08\x01",
        b"\x52\x06\x18\x01\x0a\x01k\x12",
        // Field 0, and a type that there is not.
        b"\x00\x01",
        b"\x0f\x01",
    ];
    odd.into_iter().for_each(check);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z./]{0,12}", "\\PC{0,4}"]
}

prop_compose! {
    fn envelope()(
        texts in prop::array::uniform6(text()),
        ts_unix_nano in any::<u64>(),
        data in prop::collection::btree_map(text(), text(), 0..5),
        attributes in prop::collection::btree_map(text(), text(), 0..5),
    ) -> EventEnvelope {
        let [event_id, hostname, pod_name, namespace, container_id, event_type] = texts;
        let (data, attributes): (BTreeMap<_, _>, BTreeMap<_, _>) = (data, attributes);
        EventEnvelope {
            event_id, hostname, pod_name, namespace, container_id, event_type, data, attributes, ts_unix_nano,
        }
    }
}

proptest! {
    #[test]
    fn no_message_is_read_in_two_ways(
        envelope in envelope(),
        cut in any::<prop::sample::Index>(),
        other in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut message = envelope.encode_to_vec();
        check(&message);
        if !message.is_empty() {
            check(&message[..cut.index(message.len())]);
            let at = other.0.index(message.len());
            message[at] = other.1;
            check(&message);
        }
    }

    #[test]
    fn events_of_a_batch_do_not_mix(envelopes in prop::collection::vec(envelope(), 0..5)) {
        let events = Events::of(&envelopes);
        let read: Vec<EventEnvelope> = events.iter().map(|event| event.envelope()).collect();
        prop_assert_eq!(&read, &envelopes);
        for (place, envelope) in envelopes.iter().enumerate() {
            let event = events.get(place).unwrap();
            prop_assert!(envelope.data.iter().all(|(key, value)| event.data(key) == Some(value)));
            prop_assert!(envelope.attributes.iter().all(|(key, value)| event.attribute(key) == Some(value)));
        }
        prop_assert!(events.get(envelopes.len()).is_none());
    }
}
