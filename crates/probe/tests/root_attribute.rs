//! Permissions, owners and sizes of files. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    },
    path::PathBuf,
};

use harness::{c, call, capture_of, of, told_name};
use sentinel_event::{Body, Event, FileTarget, Kind, Path, UserPath};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileChmod, Kind::FileChown, Kind::FileTruncate];

const CWD: usize = libc::AT_FDCWD as usize;
/// The same number everywhere; `libc` does not know it on arm64.
const FCHMODAT2: libc::c_long = 452;

struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
    file: File,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(dir.path()).unwrap().join("f\x01");
        let file = File::create(&path).unwrap();
        Self { _dir: dir, path, file }
    }

    fn fd(&self) -> usize {
        self.file.as_raw_fd() as usize
    }

    /// The file as a call by name tells it.
    fn named(&self, succeeded: bool) -> FileTarget {
        let path = self.path.as_os_str().as_bytes();
        let asked = told_name(path, path, succeeded);
        FileTarget { asked, fd: -1, ..FileTarget::default() }
    }
}

/// One event of `kind`; what the file is by descriptor depends on the file system's numbers: they are checked here.
fn one(place: &Place, kind: Kind, number: libc::c_long, args: [usize; 6]) -> Event {
    let events = capture_of(KINDS).during(|| drop(call(number, args)));
    let [event] = of(&events, kind)[..] else { panic!("{kind}: {events:?}") };
    assert_eq!(event.head.syscall.unwrap().0, number as u16);
    let file = match &event.body {
        Body::FileChmod(chmod) => &chmod.file,
        Body::FileChown(chown) => &chown.file,
        Body::FileTruncate(truncate) => &truncate.file,
        other => panic!("{other:?}"),
    };
    if file.fd == -1 {
        assert_eq!(*file, place.named(!event.head.failed()));
    } else if event.head.failed() {
        let fd = args[0] as i32;
        let nothing = FileTarget { fd, ..FileTarget::default() };
        assert_eq!(*file, nothing);
    } else {
        assert_eq!((&file.path.bytes[..], file.fd as usize), (place.path.as_os_str().as_bytes(), place.fd()));
        assert_eq!(file.asked, UserPath::default());
        assert_ne!(file.path, Path::default());
        assert!(file.dev != 0 && file.ino == place.file.metadata().unwrap().ino());
    }
    event.clone()
}

#[test]
fn permissions_by_name_and_by_descriptor() {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let cases = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_chmod, [name, 0o4755, 0, 0, 0, 0], 0o4755, 0, 0),
        (libc::SYS_fchmod, [place.fd(), 0o2640, 0, 0, 0, 0], 0o2640, 0, 0),
        (libc::SYS_fchmod, [9999, 0o640, 0, 0, 0, 0], 0o640, 0, -libc::EBADF),
        (libc::SYS_fchmodat, [CWD, name, 0o600, 0x7fff, 0, 0], 0o600, 0, 0),
        (FCHMODAT2, [CWD, name, 0o600, 0x7000_0000, 0, 0], 0o600, 0x7000_0000, -libc::EINVAL),
    ];
    for (number, args, mode, flags, result) in cases {
        // A call since Linux 6.6.
        let absent = call(number, args).is_err_and(|error| error.raw_os_error() == Some(libc::ENOSYS));
        if absent && number == FCHMODAT2 {
            continue;
        }
        let event = one(&place, Kind::FileChmod, number, args);
        let Body::FileChmod(chmod) = &event.body else { unreachable!() };
        assert_eq!(
            (chmod.mode, chmod.flags, event.head.result),
            (mode, flags, i64::from(result)),
            "{number}"
        );
    }
}

#[test]
fn owners_by_name_and_by_descriptor() {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let cases = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_chown, [name, 1, 2, 0, 0, 0], (1, 2, 0), 0),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_lchown, [name, 3, usize::MAX, 0, 0, 0], (3, u32::MAX, 0), 0),
        (libc::SYS_fchown, [place.fd(), 4, 5, 0, 0, 0], (4, 5, 0), 0),
        (libc::SYS_fchown, [9999, 4, 5, 0, 0, 0], (4, 5, 0), -libc::EBADF),
        (libc::SYS_fchownat, [CWD, name, 6, 7, 0x100, 0], (6, 7, 0x100), 0),
    ];
    for (number, args, want, result) in cases {
        let event = one(&place, Kind::FileChown, number, args);
        let Body::FileChown(chown) = &event.body else { unreachable!() };
        assert_eq!((chown.uid, chown.gid, chown.flags), want);
        assert_eq!(event.head.result, i64::from(result));
    }
}

#[test]
fn sizes_by_name_and_by_descriptor() {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let cases = [
        (libc::SYS_truncate, [name, 10, 0, 0, 0, 0], 10, 0),
        (libc::SYS_truncate, [name, usize::MAX, 0, 0, 0, 0], u64::MAX, -libc::EINVAL),
        (libc::SYS_ftruncate, [place.fd(), 0, 0, 0, 0, 0], 0, 0),
        (libc::SYS_ftruncate, [9999, 1, 0, 0, 0, 0], 1, -libc::EBADF),
    ];
    for (number, args, size, result) in cases {
        let event = one(&place, Kind::FileTruncate, number, args);
        let Body::FileTruncate(truncate) = &event.body else { unreachable!() };
        assert_eq!((truncate.size, event.head.result), (size, i64::from(result)));
    }
}
