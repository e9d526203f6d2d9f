//! Bytes as the ring would bring them: no input makes the decoder panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = sentinel_probe::decode::decode(bytes);
});
