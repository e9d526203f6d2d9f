//! Any bytes that come from port 53 are an answer, or none: they are read to their end.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// A record as a kernel has sent it, up to the answer.
const RECORD: &[u8] = include_bytes!("../seeds/dns");
const FIXED: usize = 224;

fuzz_target!(|message: &[u8]| {
    let message = &message[..message.len().min(512)];
    let mut record = [&RECORD[..FIXED], message].concat();
    let length = u32::try_from(record.len()).expect("small");
    record[..4].copy_from_slice(&length.to_ne_bytes());
    let there = u16::try_from(message.len()).expect("small");
    record[FIXED - 6..FIXED - 4].copy_from_slice(&there.to_ne_bytes());
    sentinel_probe::decode::decode(&record).expect("whatever it says, it is a record");
});
