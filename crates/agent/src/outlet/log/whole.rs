//! Whether a log from before ends with a whole record, so that one may append to it.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
};

use sentinel_wire::evt1::{HEAD, MAGIC};

use super::member::{LENGTH_AT, SUBFIELD};

/// Of records, by their lengths.
pub(super) fn plain(file: &mut File) -> io::Result<bool> {
    walk(file, |head: [u8; HEAD]| {
        let (magic, length) = head.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length.first_chunk::<4>()?);
        (*magic == MAGIC).then_some(HEAD as u64 + u64::from(length))
    })
}

/// Of gzip members that this program wrote, by the lengths in their heads.
pub(super) fn compressed(file: &mut File) -> io::Result<bool> {
    const SIZE: usize = LENGTH_AT + 4;
    walk(file, |head: [u8; SIZE]| {
        let ours = head.starts_with(&[0x1f, 0x8b, 8, 4]) && head.get(12..LENGTH_AT) == Some(&SUBFIELD[..]);
        let length = u32::from_le_bytes(*head.last_chunk::<4>()?);
        (ours && u64::from(length) > SIZE as u64).then_some(length.into())
    })
}

/// Goes from head to head; each says how long its record is.
fn walk<const N: usize>(file: &mut File, length: impl Fn([u8; N]) -> Option<u64>) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::new(file);
    let mut at = 0;
    while at < end {
        if end - at < N as u64 {
            return Ok(false);
        }
        let mut head = [0; N];
        input.read_exact(&mut head)?;
        let Some(length) = length(head) else { return Ok(false) };
        let rest = length - N as u64;
        let Some(next) = at.checked_add(length).filter(|next| *next <= end) else { return Ok(false) };
        // At most 4 GiB.
        input.seek_relative(i64::try_from(rest).unwrap_or(i64::MAX))?;
        at = next;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::outlet::log::member::member;

    fn check(whole: fn(&mut File) -> io::Result<bool>, bytes: &[u8]) -> bool {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        whole(&mut file).unwrap()
    }

    #[test]
    fn only_what_ends_with_a_record_is_whole() {
        let mut records = Vec::new();
        for payload in ["{}", "{\"a\":1}"] {
            sentinel_wire::evt1::write_record(&mut records, |out| out.extend(payload.bytes())).unwrap();
        }
        let members = [member(b"one").unwrap(), member(&[7; 100_000]).unwrap()].concat();
        assert!(check(plain, b"") && check(plain, &records) && check(compressed, &members));
        for end in 1..records.len() {
            assert_eq!(check(plain, &records[..end]), end == 10, "{end}");
        }
        let first = member(b"one").unwrap().len();
        for end in 1..members.len() {
            assert_eq!(check(compressed, &members[..end]), end == first, "{end}");
        }
        assert!(!check(plain, &members) && !check(compressed, &records));
        assert!(!check(plain, b"EVT1\xff\xff\xff\xff"));
    }

    #[test]
    fn any_gzip_reader_reads_members() {
        let members = [member(b"one ").unwrap(), member(b"two").unwrap()].concat();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&members[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }
}
