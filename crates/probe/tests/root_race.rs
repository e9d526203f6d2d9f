//! A thread that swaps descriptors: in a process of its own, since it closes whatever has the number. Needs
//! root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    os::fd::AsRawFd as _,
    os::unix::ffi::OsStrExt as _,
};

use harness::{c, call, capture_of};
use sentinel_event::{Body, FileOpen, Kind, PathFlags};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileOpen];

const CWD: usize = libc::AT_FDCWD as usize;

/// A thread that copies the descriptor away and puts a decoy in its place before the exit hook looks: the
/// watched file is named by one of the two witnesses every time.
#[test]
fn a_swapped_descriptor_hides_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().canonicalize().unwrap();
    let (secret, decoy) = (dir.join("secret"), dir.join("decoy"));
    fs::write(&secret, "").unwrap();
    fs::write(&decoy, "").unwrap();
    let decoy = File::open(&decoy).unwrap();
    // Loaded first: descriptors that it opens must not be those that are swapped.
    let mut capture = capture_of(KINDS);
    // The lowest free descriptor is where the next open lands.
    let slot = File::open("/dev/null").unwrap().as_raw_fd() as usize;
    let stop = AtomicBool::new(false);
    let name = c(&secret);
    const TRIES: usize = 20_000;
    let events = std::thread::scope(|scope| {
        let (decoy, stop) = (decoy.as_raw_fd() as usize, &stop);
        let swapper = scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let stolen = call(libc::SYS_dup, [slot, 0, 0, 0, 0, 0]);
                let _ = call(libc::SYS_dup3, [decoy, slot, 0, 0, 0, 0]);
                for fd in stolen.into_iter().chain([slot]) {
                    let _ = call(libc::SYS_close, [fd, 0, 0, 0, 0, 0]);
                }
            }
        });
        let events = capture.during(|| {
            for _ in 0..TRIES {
                let opened = call(libc::SYS_openat, [CWD, name.as_ptr() as usize, 0, 0, 0, 0]).unwrap();
                let _ = call(libc::SYS_close, [opened, 0, 0, 0, 0, 0]);
            }
        });
        stop.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
        events
    });
    let secret = secret.as_os_str().as_bytes();
    let told: Vec<&FileOpen> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::FileOpen(open) if open.path.bytes == secret || open.asked.path == secret => Some(open),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), TRIES);
    for open in told.iter().filter(|open| open.path.bytes != secret) {
        assert!(open.path.bytes.is_empty() || open.path.flags.contains(PathFlags::SHARED), "{open:?}");
    }
}
