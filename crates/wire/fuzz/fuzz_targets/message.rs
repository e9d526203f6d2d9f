//! Any bytes are a message: what is an event is the same event in every form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_wire::{batch_events, event_id, event_type, read_envelope, read_object, write_object};

fuzz_target!(|bytes: &[u8]| {
    for message in batch_events(bytes) {
        let (_, _) = (event_id(message), event_type(message));
    }
    let Some(event) = read_envelope(bytes) else { return };
    let mut object = Vec::new();
    write_object(&event, &mut object);
    match read_object(&object) {
        Ok(again) => assert_eq!(again, event),
        Err(_) => assert!(event.event_type.is_empty()),
    }
});
