//! Any text is an object: both readers take the same ones for events, and make the same of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sentinel_wire::{Transcoder, batch_events, read_envelope, read_object};

fuzz_target!(|text: &[u8]| {
    let mut out = Vec::new();
    let coded = Transcoder::default().batched(text, &mut out);
    match read_object(text) {
        Ok(event) => {
            assert_eq!(coded.expect("it is an event"), event.ts_unix_nano);
            let message = batch_events(&out).next().expect("one message");
            assert_eq!(read_envelope(message).expect("a message"), event);
        }
        Err(error) => assert_eq!(coded.expect_err("it is none").is_syntax(), error.is_syntax()),
    }
});
