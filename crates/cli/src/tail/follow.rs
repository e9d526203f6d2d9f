//! The bytes of a file as they come, through its rotations.

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::view::Gone;

/// How often a file is looked at that had nothing more.
const AGAIN: Duration = Duration::from_millis(100);

/// Blocks at the end of a file until it grows, or until another one takes its name.
pub(super) struct Follow<F> {
    path: PathBuf,
    file: File,
    caught_up: F,
}

impl<F: FnMut() -> Result<(), Gone>> Follow<F> {
    /// `caught_up` is called whenever there is nothing more for now.
    pub(super) fn new(path: &Path, caught_up: F) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)?, caught_up })
    }

    /// The file that has the name now, if it is another one.
    fn successor(&self) -> io::Result<Option<File>> {
        let now = match fs::metadata(&self.path) {
            Ok(now) => now,
            // Between the rename and the new file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = self.file.metadata()?;
        if (now.dev(), now.ino()) == (ours.dev(), ours.ino()) {
            return Ok(None);
        }
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

impl<F: FnMut() -> Result<(), Gone>> Read for Follow<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.file.read(buffer)?;
            if bytes > 0 {
                return Ok(bytes);
            }
            (self.caught_up)().map_err(|Gone| io::Error::from(io::ErrorKind::BrokenPipe))?;
            if let Some(next) = self.successor()? {
                // What was written between our look and the rename.
                let bytes = self.file.read(buffer)?;
                if bytes > 0 {
                    return Ok(bytes);
                }
                self.file = next;
                continue;
            }
            // Somebody emptied it.
            if self.file.metadata()?.len() < self.file.stream_position()? {
                self.file.rewind()?;
                continue;
            }
            std::thread::sleep(AGAIN);
        }
    }
}

/// A pipe to its end. What has come is shown before more is waited for.
pub(super) struct Piped<R, F> {
    inner: R,
    caught_up: F,
}

impl<R: Read, F: FnMut() -> Result<(), Gone>> Piped<R, F> {
    pub(super) fn new(inner: R, caught_up: F) -> Self {
        Self { inner, caught_up }
    }
}

impl<R: Read, F: FnMut() -> Result<(), Gone>> Read for Piped<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.caught_up)().map_err(|Gone| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.inner.read(buffer)
    }
}
