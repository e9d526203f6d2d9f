//! A file that only grows by whole blocks, and makes room for the next one in time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::fcntl::{Flock, FlockArg, OFlag};
use tracing::warn;

/// How often it is looked for whether the file is still where it was.
const LOOK: Duration = Duration::from_secs(1);
/// Permissions of new files: for their owner and their group.
const MODE: u32 = 0o640;
/// Permissions of a directory that has to be made.
const DIRECTORY_MODE: u32 = 0o750;

/// Which file, and when the next one is begun.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The active file. Older ones are `PATH.1`, the newest, to `PATH.N`.
    pub path: PathBuf,
    /// Size that the active file does not exceed, bytes; a longer block has a file of its own.
    pub max_bytes: u64,
    /// Files that are kept, the active one included, 1 or more.
    pub max_files: u32,
    /// Whether a file that is there already ends as one should; otherwise it is put aside and a new one begun.
    pub whole: fn(&mut File) -> io::Result<bool>,
}

impl Rotation {
    /// A file of lines: whole when it ends with a line's end.
    pub fn lines(path: PathBuf, max_bytes: u64, max_files: u32) -> Self {
        Self { path, max_bytes, max_files, whole: ends_a_line }
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The open file. It is locked, so that two writers never mix; a file that is moved away is opened anew.
#[derive(Debug)]
pub struct RotatingFile {
    rotation: Rotation,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: Flock<File>,
    size: u64,
    looked: Instant,
}

impl RotatingFile {
    /// Opens nothing yet: the first block does.
    pub fn new(rotation: Rotation) -> Self {
        Self { rotation, open: None }
    }

    /// Appends a block, all of it or nothing.
    ///
    /// # Errors
    /// What the system says; `ENOSPC` when the disk is full. The file is as before, and the next call tries anew.
    pub fn append(&mut self, block: &[u8]) -> io::Result<()> {
        self.look();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        if open.size > 0 && open.size.saturating_add(block.len() as u64) > self.rotation.max_bytes {
            self.rotate(&mut open)?;
            drop(open);
            open = self.open()?;
        }
        match open.file.write_all(block) {
            Ok(()) => open.size += block.len() as u64,
            Err(error) => {
                // A part may have gone out. When it cannot be taken back, a new file is begun.
                open.file.set_len(open.size).or_else(|_| self.rotate(&mut open))?;
                self.open = Some(open);
                return Err(error);
            }
        }
        self.open = Some(open);
        Ok(())
    }

    /// Waits until what was appended is on the disk.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&mut self) -> io::Result<()> {
        self.open.as_ref().map_or(Ok(()), |open| open.file.sync_data())
    }

    /// Lets the file go; the next block opens it again.
    pub fn close(&mut self) {
        self.open = None;
    }

    fn look(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.looked.elapsed() < LOOK {
            return;
        }
        open.looked = Instant::now();
        let id = |file: fs::Metadata| (file.dev(), file.ino());
        let there = fs::metadata(&self.rotation.path).map(id).ok();
        if there.is_none() || there != open.file.metadata().map(id).ok() {
            self.open = None;
        }
    }

    fn open(&self) -> io::Result<Open> {
        let mut open = self.lock()?;
        let size = open.metadata()?.len();
        if size == 0 || (self.rotation.whole)(&mut open).unwrap_or(false) {
            return Ok(Open { file: open, size, looked: Instant::now() });
        }
        warn!(path = %self.rotation.path.display(), "The file does not end as it should; it is kept, and a new one begun.");
        let mut torn = Open { file: open, size, looked: Instant::now() };
        self.rotate(&mut torn)?;
        Ok(Open { file: self.lock()?, size: 0, looked: Instant::now() })
    }

    fn lock(&self) -> io::Result<Flock<File>> {
        let path = &self.rotation.path;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(MODE);
        // A link here could point anywhere; a pipe could wait for ever.
        options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_directory(path)?;
                options.open(path)?
            }
            other => other?,
        };
        let kind = file.metadata()?.file_type();
        if !kind.is_file() && !kind.is_char_device() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
        }
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
            nix::Error::EWOULDBLOCK => {
                io::Error::new(ErrorKind::ResourceBusy, "another process writes to this file")
            }
            other => other.into(),
        })
    }

    /// Moves every file one further; the oldest goes.
    fn rotate(&self, open: &mut Open) -> io::Result<()> {
        let Rotation { path, max_files, .. } = &self.rotation;
        if *max_files <= 1 {
            open.file.set_len(0)?;
            open.size = 0;
            return Ok(());
        }
        for number in (1..max_files - 1).rev() {
            absent_is_fine(fs::rename(numbered(path, number), numbered(path, number + 1)))?;
        }
        // Fewer may be kept than once were.
        let mut number = *max_files;
        while fs::remove_file(numbered(path, number)).is_ok() {
            number += 1;
        }
        absent_is_fine(fs::rename(path, numbered(path, 1)))
    }
}

fn make_directory(of: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let Some(directory) = of.parent() else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn read(path: &Path, number: u32) -> Option<String> {
        fs::read_to_string(if number == 0 { path.to_owned() } else { numbered(path, number) }).ok()
    }

    fn lines(path: &Path, max_bytes: u64, max_files: u32) -> RotatingFile {
        RotatingFile::new(Rotation::lines(path.to_owned(), max_bytes, max_files))
    }

    #[test]
    fn the_active_file_counts_and_no_block_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/alerts");
        let mut file = lines(&path, 8, 3);
        for line in ["1\n", "22\n", "333\n", "a long one\n", "4\n", "5\n"] {
            file.append(line.as_bytes()).unwrap();
        }
        let texts: Vec<_> = (0..4).map(|number| read(&path, number)).collect();
        assert_eq!(texts, [Some("4\n5\n".into()), Some("a long one\n".into()), Some("333\n".into()), None]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o750);

        let mut one = lines(&dir.path().join("one"), 4, 1);
        for line in ["1\n", "2\n", "3\n"] {
            one.append(line.as_bytes()).unwrap();
        }
        assert_eq!(read(&dir.path().join("one"), 0).unwrap(), "3\n");
        assert_eq!(read(&dir.path().join("one"), 1), None);
        // Fewer are kept from now on.
        drop(file);
        let mut file = lines(&path, 1, 2);
        file.append(b"6\n").unwrap();
        let texts: Vec<_> = (0..3).map(|number| read(&path, number)).collect();
        assert_eq!(texts, [Some("6\n".into()), Some("4\n5\n".into()), None]);
    }

    #[test]
    fn a_restart_appends_to_a_whole_file_and_keeps_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts");
        for (before, active, old) in [("1\n", "1\n2\n", None), ("1\n2", "2\n", Some("1\n2".to_owned()))] {
            fs::write(&path, before).unwrap();
            lines(&path, 100, 3).append(b"2\n").unwrap();
            assert_eq!((read(&path, 0).unwrap().as_str(), read(&path, 1)), (active, old), "{before:?}");
        }
    }

    #[test]
    fn two_writers_never_mix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts");
        let (mut one, mut other) = (lines(&path, 100, 3), lines(&path, 100, 3));
        one.append(b"1\n").unwrap();
        assert_eq!(other.append(b"2\n").unwrap_err().kind(), ErrorKind::ResourceBusy);
        drop(one);
        other.append(b"2\n").unwrap();
        assert_eq!(read(&path, 0).unwrap(), "1\n2\n");
    }

    #[test]
    fn a_file_that_was_moved_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, moved) = (dir.path().join("alerts"), dir.path().join("moved"));
        let mut file = lines(&path, 100, 3);
        file.append(b"1\n").unwrap();
        fs::rename(&path, &moved).unwrap();
        if let Some(open) = &mut file.open {
            open.looked -= LOOK;
        }
        file.append(b"2\n").unwrap();
        assert_eq!((read(&path, 0).unwrap().as_str(), read(&moved, 0).unwrap().as_str()), ("2\n", "1\n"));
    }

    #[test]
    fn links_and_pipes_are_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link, pipe) =
            (dir.path().join("target"), dir.path().join("link"), dir.path().join("pipe"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(lines(&link, 100, 3).append(b"1\n").is_err());
        assert!(!target.exists());
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(lines(&pipe, 100, 3).append(b"1\n").is_err());
    }
}
