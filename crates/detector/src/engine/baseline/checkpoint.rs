//! What was learned, on the disk.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::sketch::{DEPTH, Sketch, WIDTH};

/// What a checkpoint begins with; the last byte is the version of its form and of what the keys mean.
const MAGIC: &[u8; 8] = b"SNTLBAS\x02";
const HEAD: usize = 8 + 8 + 8;
const BYTES: usize = HEAD + WIDTH * DEPTH * 8;

/// The sketch of a file; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Sketch>, String> {
    let said = |error: io::Error| format!("{}: {error}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(error)),
    };
    let mut bytes = Vec::new();
    file.take(BYTES as u64 + 1).read_to_end(&mut bytes).map_err(said)?;
    match parse(&bytes) {
        Some(sketch) => Ok(Some(sketch)),
        None => Err(format!("{}: not a checkpoint of this version", path.display())),
    }
}

fn parse(bytes: &[u8]) -> Option<Sketch> {
    if bytes.len() != BYTES {
        return None;
    }
    let rest = bytes.strip_prefix(MAGIC)?;
    let (now, rest) = rest.split_first_chunk::<8>()?;
    let (scale, rest) = rest.split_first_chunk::<8>()?;
    let (now, scale) = (u64::from_le_bytes(*now), f64::from_le_bytes(*scale));
    let (cells, _) = rest.as_chunks::<8>();
    let cells: Vec<f64> = cells.iter().map(|cell| f64::from_le_bytes(*cell)).collect();
    let counts = |cell: &f64| cell.is_finite() && *cell >= 0.0;
    (scale.is_finite() && scale >= 1.0 && cells.iter().all(counts)).then_some(Sketch { cells, scale, now })
}

/// The bytes of a checkpoint.
pub(super) fn bytes(sketch: &Sketch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&sketch.now.to_le_bytes());
    bytes.extend_from_slice(&sketch.scale.to_le_bytes());
    sketch.cells.iter().for_each(|cell| bytes.extend_from_slice(&cell.to_le_bytes()));
    bytes
}

/// Writes a checkpoint: the old one or the new one is there, whatever happens.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
