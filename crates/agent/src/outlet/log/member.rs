//! Compressed blocks: each is a gzip member of its own, so that the file is right after every write, whatever
//! happens next, and any gzip tool reads it.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

/// The subfield of the header (RFC 1952, 2.3.1.1) that holds the member's length, so that a restart need not
/// unpack the file to know that it ends well.
pub(super) const SUBFIELD: [u8; 4] = [b'S', b'N', 4, 0];
/// Where the length is: behind the fixed header, the length of the extra field, and the subfield's own head.
pub(super) const LENGTH_AT: usize = 10 + 2 + SUBFIELD.len();

/// A member that holds the bytes.
pub(super) fn member(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let extra = [&SUBFIELD[..], &[0; 4]].concat();
    let out = Vec::with_capacity(bytes.len() / 4);
    let mut encoder = GzBuilder::new().extra(extra).write(out, Compression::fast());
    encoder.write_all(bytes)?;
    let mut out = encoder.finish()?;
    let length = u32::try_from(out.len()).map_err(|_| io::Error::other("a block of 4 GiB"))?;
    if let Some(slot) = out.get_mut(LENGTH_AT..LENGTH_AT + 4) {
        slot.copy_from_slice(&length.to_le_bytes());
    }
    Ok(out)
}
