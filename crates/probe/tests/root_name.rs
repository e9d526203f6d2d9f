//! Names that are made and directories that are removed: link, symlink, mkdir, rmdir, mknod. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{fs, os::unix::ffi::OsStrExt as _, path::Path};

use harness::{c, call, capture_of, of, told_name};
use sentinel_event::{Body, Event, Kind, UserPath};

/// What is loaded.
const KINDS: &[Kind] =
    &[Kind::FileLink, Kind::FileSymlink, Kind::FileMkdir, Kind::FileRmdir, Kind::FileMknod];

const CWD: usize = libc::AT_FDCWD as usize;

/// `name` in `dir`, as events tell it when the caller passed the absolute path.
fn at(dir: &Path, name: &[u8], result: i64) -> UserPath {
    let path = [dir.as_os_str().as_bytes(), b"/", name].concat();
    told_name(&path, &path, result >= 0)
}

/// The result of a call that finds what the old call before it did, where there is an old call.
fn after_the_old(error: i32) -> i64 {
    if cfg!(target_arch = "x86_64") { -i64::from(error) } else { 0 }
}

/// What `number` with `args` makes: one event of `kind`.
fn one(kind: Kind, number: libc::c_long, args: [usize; 6]) -> Event {
    let mut result = 0;
    let events = capture_of(KINDS).during(|| {
        result =
            call(number, args).map_or_else(|error| -i64::from(error.raw_os_error().unwrap()), |ok| ok as i64);
    });
    let [event] = of(&events, kind)[..] else { panic!("{kind}: {events:?}") };
    assert_eq!((event.head.result, event.head.syscall.unwrap().0), (result, number as u16));
    event.clone()
}

#[test]
fn hard_links_tell_both_names() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "").unwrap();
    let path = |name: &str| c(dir.path().join(name));
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "for old calls"))]
    let (from, to, again) = (path("a"), path("b\n"), path("c"));
    let pointer = |name: &std::ffi::CString| name.as_ptr() as usize;
    let cases = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_link, [pointer(&from), pointer(&to), 0, 0, 0, 0], &b"b\n"[..], 0, 0),
        (libc::SYS_linkat, [CWD, pointer(&from), CWD, pointer(&again), 0x400, 0], &b"c"[..], 0x400, 0),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_link, [pointer(&from), pointer(&to), 0, 0, 0, 0], b"b\n", 0, -i64::from(libc::EEXIST)),
    ];
    for (number, args, name, flags, result) in cases {
        let event = one(Kind::FileLink, number, args);
        let Body::FileLink(link) = &event.body else { unreachable!() };
        assert_eq!((&link.from, &link.to), (&at(dir.path(), b"a", result), &at(dir.path(), name, result)));
        assert_eq!((link.flags, event.head.result), (flags, result));
    }
}

#[test]
fn a_symbolic_link_tells_where_it_leads() {
    let dir = tempfile::tempdir().unwrap();
    let handle = fs::File::open(dir.path()).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&handle) as usize;
    let long = "x".repeat(3000);
    for (name, target) in [("l", "/etc/shadow"), ("m", "../..//\u{1f980}"), ("n", long.as_str())] {
        let (target_c, path, name_c) = (c(target), c(dir.path().join(name)), c(name));
        for (number, args) in [
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_symlink, [target_c.as_ptr() as usize, path.as_ptr() as usize, 0, 0, 0, 0]),
            (libc::SYS_symlinkat, [target_c.as_ptr() as usize, fd, name_c.as_ptr() as usize, 0, 0, 0]),
        ] {
            let event = one(Kind::FileSymlink, number, args);
            let Body::FileSymlink(symlink) = &event.body else { unreachable!() };
            assert_eq!(symlink.link.path, path.as_bytes());
            assert_eq!((symlink.target.as_slice(), symlink.target_unreadable), (target.as_bytes(), false));
            let relative = number == libc::SYS_symlinkat;
            assert_eq!(event.head.result, if relative { after_the_old(libc::EEXIST) } else { 0 });
        }
    }
    let event = one(Kind::FileSymlink, libc::SYS_symlinkat, [1, CWD, c("x").as_ptr() as usize, 0, 0, 0]);
    assert!(matches!(&event.body, Body::FileSymlink(symlink) if symlink.target_unreadable));
}

#[test]
fn directories_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = c(dir.path().join("d"));
    let name = path.as_ptr() as usize;
    const REMOVEDIR: usize = libc::AT_REMOVEDIR as usize;
    let cases = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_mkdir, [name, 0o751, 0, 0, 0, 0], Some(0o751), 0),
        (libc::SYS_mkdirat, [CWD, name, 0o700, 0, 0, 0], Some(0o700), after_the_old(libc::EEXIST)),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_rmdir, [name, 0, 0, 0, 0, 0], None, 0),
        (libc::SYS_unlinkat, [CWD, name, REMOVEDIR, 0, 0, 0], None, after_the_old(libc::ENOENT)),
    ];
    for (number, args, mode, result) in cases {
        let kind = if mode.is_some() { Kind::FileMkdir } else { Kind::FileRmdir };
        let event = one(kind, number, args);
        assert_eq!(event.head.result, result);
        match &event.body {
            Body::FileMkdir(mkdir) => {
                assert_eq!((&mkdir.target, Some(mkdir.mode)), (&at(dir.path(), b"d", result), mode));
            }
            Body::FileRmdir(rmdir) => assert_eq!(rmdir.target, at(dir.path(), b"d", result)),
            other => panic!("{other:?}"),
        }
    }
    // Removing a directory is not also removing a name.
    let again = [CWD, name, REMOVEDIR, 0, 0, 0];
    let events = capture_of(KINDS).during(|| assert!(call(libc::SYS_unlinkat, again).is_err()));
    assert!(of(&events, Kind::FileUnlink).is_empty());
}

#[test]
fn special_files_tell_their_device() {
    let dir = tempfile::tempdir().unwrap();
    let path = c(dir.path().join("n"));
    let name = path.as_ptr() as usize;
    let cases = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_mknod, [name, 0o10_600, 0, 0, 0, 0], 0o10_600, 0, 0),
        (libc::SYS_mknodat, [CWD, name, 0o20_666, 259, 0, 0], 0o20_666, 259, after_the_old(libc::EEXIST)),
    ];
    for (number, args, mode, rdev, result) in cases {
        let event = one(Kind::FileMknod, number, args);
        let Body::FileMknod(mknod) = &event.body else { unreachable!() };
        assert_eq!(
            (&mknod.target, mknod.mode, mknod.rdev),
            (&at(dir.path(), b"n", event.head.result), mode, rdev)
        );
        assert_eq!(event.head.result, result);
    }
}
