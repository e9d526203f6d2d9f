//! Which file a name led to, whatever the caller does with its memory meanwhile. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    ffi::CString,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
    thread,
    time::{Duration, Instant},
};

use harness::{c, call, capture_of, kernel_tells};
use sentinel_event::{Body, Event, Kind, UserPath};

const KINDS: &[Kind] = &[
    Kind::FileUnlink,
    Kind::FileRmdir,
    Kind::FileRename,
    Kind::FileLink,
    Kind::FileSymlink,
    Kind::FileMkdir,
    Kind::FileMknod,
    Kind::FileChmod,
    Kind::FileChown,
    Kind::FileTruncate,
    Kind::Mount,
    Kind::Umount,
];

const CWD: usize = libc::AT_FDCWD as usize;
const REMOVEDIR: usize = libc::AT_REMOVEDIR as usize;

/// Whether there is a second witness at all: before 5.17 there is none.
fn has_second() -> bool {
    harness::kernel() >= (5, 17)
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

/// The names of what a call did.
fn names(events: &[Event], kind: Kind) -> Vec<UserPath> {
    let [event] = harness::of(events, kind)[..] else { panic!("{kind}: {events:?}") };
    event.body.names().into_iter().flatten().cloned().collect()
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// Every call, by a name that leads through a symbolic link to the directory: the kernel tells the directory itself.
#[test]
fn a_link_to_a_directory_hides_nothing() {
    let (_dir, dir) = temp();
    let (real, by) = (dir.join("real"), dir.join("by"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &by).unwrap();
    fs::write(real.join("file"), "x").unwrap();
    let (file, other, made) = (c(by.join("file")), c(by.join("other\n")), c(by.join("made")));
    let (file, other, made) = (file.as_ptr() as usize, other.as_ptr() as usize, made.as_ptr() as usize);
    let cases: &[(Kind, libc::c_long, [usize; 6], &[&str])] = &[
        (Kind::FileChmod, libc::SYS_fchmodat, [CWD, file, 0o640, 0, 0, 0], &["file"]),
        (Kind::FileChown, libc::SYS_fchownat, [CWD, file, 0, 0, 0, 0], &["file"]),
        (Kind::FileTruncate, libc::SYS_truncate, [file, 0, 0, 0, 0, 0], &["file"]),
        (Kind::FileRename, libc::SYS_renameat2, [CWD, file, CWD, other, 0, 0], &["file", "other\n"]),
        (Kind::FileLink, libc::SYS_linkat, [CWD, other, CWD, made, 0, 0], &["other\n", "made"]),
        (Kind::FileUnlink, libc::SYS_unlinkat, [CWD, made, 0, 0, 0, 0], &["made"]),
        (Kind::FileSymlink, libc::SYS_symlinkat, [file, CWD, made, 0, 0, 0], &["made"]),
        (Kind::FileUnlink, libc::SYS_unlinkat, [CWD, made, 0, 0, 0, 0], &["made"]),
        (Kind::FileMkdir, libc::SYS_mkdirat, [CWD, made, 0o700, 0, 0, 0], &["made"]),
        (Kind::FileRmdir, libc::SYS_unlinkat, [CWD, made, REMOVEDIR, 0, 0, 0], &["made"]),
        (Kind::FileMknod, libc::SYS_mknodat, [CWD, made, 0o10_600, 0, 0, 0], &["made"]),
    ];
    let mut capture = capture_of(KINDS);
    let tells = kernel_tells();
    for (kind, number, args, wanted) in cases {
        let events = capture.during(|| assert_eq!(call(*number, *args).unwrap(), 0));
        let told = names(&events, *kind);
        for (name, wanted) in told.iter().zip(*wanted) {
            assert_eq!(name.path, bytes(&by.join(wanted)), "{kind}");
            // This test has threads: without the kernel's word nobody can be sure.
            assert_eq!(name.shared, !tells, "{kind}");
            let best = if tells { real.join(wanted) } else { by.join(wanted) };
            assert_eq!(name.best(), bytes(&best), "{kind}");
            let other = by.join(wanted);
            assert_eq!(name.other(), tells.then(|| bytes(&other).into()), "{kind}");
        }
        assert_eq!(told.len(), wanted.len());
    }
}

/// What the kernel says and what was asked for are told once when they are the same.
#[test]
fn what_agrees_is_told_once() {
    let (_dir, dir) = temp();
    let deep = (0..12).fold(dir.clone(), |dir, _| dir.join("x".repeat(250)));
    fs::create_dir_all(&deep).unwrap();
    let mut capture = capture_of(KINDS);
    for path in [dir.join("a"), dir.join("y".repeat(255)), deep.join("b")] {
        fs::write(&path, "").unwrap();
        let name = c(&path);
        let args = [CWD, name.as_ptr() as usize, 0, 0, 0, 0];
        let events = capture.during(|| assert_eq!(call(libc::SYS_unlinkat, args).unwrap(), 0));
        let told = names(&events, Kind::FileUnlink);
        assert_eq!((told[0].path.as_slice(), &told[0].second), (bytes(&path), &None));
        assert_eq!(told[0].shared, !kernel_tells());
        // Of a call that failed the kernel tells nothing.
        let events = capture.during(|| assert!(call(libc::SYS_unlinkat, args).is_err()));
        let told = names(&events, Kind::FileUnlink);
        assert_eq!((told[0].path.as_slice(), told[0].shared), (bytes(&path), true));
    }
}

/// A socket that is bound makes a file as mknod does: what was noted of it is nobody else's.
#[test]
fn what_was_noted_of_another_call_is_not_taken() {
    let (_dir, dir) = temp();
    let mut capture = capture_of(KINDS);
    let missing = c(dir.join("no/such"));
    let args = [CWD, missing.as_ptr() as usize, 0o10_600, 0, 0, 0];
    let events = capture.during(|| {
        drop(std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap());
        assert!(call(libc::SYS_mknodat, args).is_err());
    });
    let told = names(&events, Kind::FileMknod);
    assert_eq!((told[0].path.as_slice(), &told[0].second), (bytes(&dir.join("no/such")), &None));
}

/// A single thread that shares its memory with nobody is sure of its names.
#[test]
fn memory_of_ones_own_is_certain() {
    let (_dir, dir) = temp();
    let mut capture = capture_of(KINDS);
    let events = capture.during(|| {
        let status = std::process::Command::new("mkdir").arg(dir.join("d")).status().unwrap();
        assert!(status.success());
    });
    let told = names(&events, Kind::FileMkdir);
    assert_eq!((told[0].path.as_slice(), told[0].shared), (bytes(&dir.join("d")), false));
}

/// A name in memory that everybody may write at any time.
struct Swapped(Vec<AtomicU8>);

impl Swapped {
    fn new(name: &CString) -> Self {
        Self(name.as_bytes_with_nul().iter().map(|byte| AtomicU8::new(*byte)).collect())
    }

    fn set(&self, last: u8) {
        self.0[self.0.len() - 2].store(last, Ordering::Relaxed);
    }

    fn pointer(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Does `act` while another thread writes one name, then the other, without a pause.
    fn during(&self, act: impl FnOnce()) {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    self.set(b'a');
                    self.set(b'b');
                }
            });
            act();
            done.store(true, Ordering::Relaxed);
        });
    }
}

/// Another thread swaps the last byte of the name without a pause, while this one removes and makes again. What was
/// removed is seen afterwards in the directory; the event tells just that, or that it is not sure.
#[test]
fn a_swapped_name_hides_nothing() {
    const ROUNDS: usize = 3000;
    let (_dir, dir) = temp();
    let swapped = Swapped::new(&c(dir.join("?")));
    let both = [dir.join("a"), dir.join("b")];
    let mut removed = Vec::new();
    let mut capture = capture_of(KINDS);
    let tells = kernel_tells();
    let mut events = Vec::new();
    swapped.during(|| {
        for _ in 0..ROUNDS / 100 {
            events.extend(capture.during(|| {
                for _ in 0..100 {
                    both.iter().for_each(|path| fs::write(path, "").unwrap());
                    let args = [CWD, swapped.pointer(), 0, 0, 0, 0];
                    if call(libc::SYS_unlinkat, args).is_ok() {
                        let gone: Vec<_> = both.iter().filter(|path| !path.exists()).collect();
                        removed.push(gone[0].clone());
                    }
                }
            }));
        }
    });
    let told: Vec<_> = harness::of(&events, Kind::FileUnlink)
        .into_iter()
        .filter(|event| event.head.result == 0)
        .map(|event| match &event.body {
            Body::FileUnlink(unlink) => &unlink.target,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told.len(), removed.len());
    let wrong = told.iter().zip(&removed).filter(|(name, gone)| name.path != bytes(gone)).count();
    let two = told.iter().filter(|name| name.second.is_some()).count();
    println!("of {ROUNDS} names {wrong} were another one at the end of the call; {two} have two witnesses");
    for (name, gone) in told.iter().zip(&removed) {
        if tells {
            assert_eq!((name.best(), name.shared), (bytes(gone).into(), false));
        } else {
            assert!(name.shared, "{name:?}");
        }
    }
    assert!(two > 0 || !has_second(), "nobody swapped anything in time");
}

/// Mounts, of which no kernel tells the names: what stood there as the call began is told beside what stands there when it
/// has ended, also of calls that fail.
#[test]
fn a_swapped_name_of_a_mount_is_told_twice() {
    let (_dir, dir) = temp();
    let (swapped, plain) = (Swapped::new(&c(dir.join("?"))), c(dir.join("c")));
    let (swapped_at, plain_at) = (swapped.pointer(), plain.as_ptr() as usize);
    let bind = libc::MS_BIND as usize;
    let both = ["a", "b", "?"].map(|name| bytes(&dir.join(name)).to_vec());
    let mut capture = capture_of(KINDS);
    let mut events = Vec::new();
    // On a busy machine both threads rarely run at once.
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_told_twice = |events: &[Event], kind| {
        harness::of(events, kind).iter().any(|event| event.body.names()[0].unwrap().second.is_some())
    };
    swapped.during(|| {
        while Instant::now() < deadline {
            events.extend(capture.during(|| {
                for _ in 0..100 {
                    call(libc::SYS_umount2, [swapped_at, 0, 0, 0, 0, 0]).unwrap_err();
                    call(libc::SYS_mount, [swapped_at, plain_at, 0, bind, 0, 0]).unwrap_err();
                }
            }));
            if !has_second() || [Kind::Umount, Kind::Mount].iter().all(|kind| is_told_twice(&events, *kind)) {
                break;
            }
        }
    });
    for kind in [Kind::Umount, Kind::Mount] {
        let told: Vec<_> =
            harness::of(&events, kind).into_iter().map(|event| event.body.names()[0].unwrap()).collect();
        assert_eq!(told.len() % 100, 0);
        assert!(told.iter().all(|name| name.shared && both.contains(&name.path.to_vec())));
        let seconds: Vec<_> = told.iter().filter_map(|name| name.second.as_deref()).collect();
        assert!(seconds.iter().all(|second| both.contains(&second.to_vec())));
        assert!(!seconds.is_empty() || !has_second(), "{kind}: nobody swapped anything in time");
    }
    let steady = harness::of(&events, Kind::Mount).into_iter().map(|event| event.body.names()[1].unwrap());
    assert!(steady.into_iter().all(|name| name.path == bytes(&dir.join("c")) && name.second.is_none()));
}
