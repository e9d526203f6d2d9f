//! Any bytes are a log: it is read to its end, and damage is told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_wire::evt1::{Item, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut payloads = Reader::new(bytes).expect("a slice is readable");
    let mut at = 0;
    while let Some(item) = payloads.next_payload().expect("a slice is readable") {
        if let Item::Damage(damage) = item {
            assert!(damage.at >= at, "damage is told in order");
            at = damage.at;
        }
    }
    let mut events = Reader::new(bytes).expect("a slice is readable");
    while events.next_event().expect("a slice is readable").is_some() {}
});
