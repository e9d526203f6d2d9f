//! EVT1, the log of events: a file is a sequence of records (design.md, 4.2).
//!
//! A record is `EVT1`, the length of the payload (u32, little-endian) and the payload: the JSON object that is a
//! line of NDJSON elsewhere. The whole file may be gzip, of one member or of many.

mod reader;
mod source;

pub use reader::{Damage, DamageKind, Item, Reader};

/// What every record begins with.
pub const MAGIC: [u8; 4] = *b"EVT1";
/// Bytes before the payload.
pub const HEAD: usize = 8;
/// Longest payload that is written or read, bytes. The longest event has a hundredth of it.
pub const PAYLOAD_MAX: usize = 4 << 20;

/// A payload of more than [`PAYLOAD_MAX`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record's payload has {0} bytes; at most {PAYLOAD_MAX} are allowed")]
pub struct TooLong(
    /// Its length, bytes.
    pub usize,
);

/// Appends a record to `out`; `payload` appends what is in it.
///
/// # Errors
/// When the payload is too long; `out` is as before then.
pub fn write_record(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> Result<(), TooLong> {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; 4]);
    payload(out);
    let length = out.len().saturating_sub(start + HEAD);
    match (u32::try_from(length), out.get_mut(start + MAGIC.len()..start + HEAD)) {
        (Ok(field), Some(slot)) if length <= PAYLOAD_MAX => {
            slot.copy_from_slice(&field.to_le_bytes());
            Ok(())
        }
        _ => {
            out.truncate(start);
            Err(TooLong(length))
        }
    }
}
