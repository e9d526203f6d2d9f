//! Reading one segment.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::Path,
};

use super::RECORD_MAX;

/// Bytes before a record: length and checksum.
pub(super) const HEAD: usize = 8;

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    file: BufReader<File>,
    /// Where the file stands.
    at: u64,
}

/// CRC-32, as gzip has it.
pub(super) fn checksum(record: &[u8]) -> u32 {
    crc32fast::hash(record)
}

impl Segment {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(File::open(path)?), at: 0 })
    }

    /// Records in this part of the file, and where they end. None where nothing whole is left.
    pub(super) fn read(
        &mut self,
        part: Range<u64>,
        records: usize,
        bytes: usize,
    ) -> io::Result<(Vec<Vec<u8>>, u64)> {
        if self.at != part.start {
            self.at = self.file.seek(SeekFrom::Start(part.start))?;
        }
        let (mut found, mut size) = (Vec::new(), 0);
        while found.len() < records && (size < bytes || found.is_empty()) {
            let before = self.at;
            match self.record(part.end)? {
                Some(record) => {
                    size += record.len();
                    found.push(record);
                }
                None => {
                    self.at = self.file.seek(SeekFrom::Start(before))?;
                    break;
                }
            }
        }
        Ok((found, self.at))
    }

    /// The next record, if it is whole and right.
    fn record(&mut self, end: u64) -> io::Result<Option<Vec<u8>>> {
        if end.saturating_sub(self.at) < HEAD as u64 {
            return Ok(None);
        }
        let (mut length, mut crc) = ([0; 4], [0; 4]);
        self.file.read_exact(&mut length)?;
        self.file.read_exact(&mut crc)?;
        let length = u32::from_le_bytes(length);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > RECORD_MAX || end - self.at - (HEAD as u64) < u64::from(length) {
            return Ok(None);
        }
        let mut record = Vec::with_capacity(size);
        if self.file.by_ref().take(u64::from(length)).read_to_end(&mut record)? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += HEAD as u64 + u64::from(length);
        Ok((checksum(&record) == u32::from_le_bytes(crc)).then_some(record))
    }
}
