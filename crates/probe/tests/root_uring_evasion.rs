//! Ways around through io_uring: no completion, a full queue, swapped descriptors. Needs root, and Linux 6.2 or newer.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;
#[path = "harness/ring.rs"]
mod ring;

use std::{
    env,
    ffi::CString,
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _},
    path::Path,
    process::{self, Command},
};

use harness::{c, capture, of, owned};
use io_uring::{
    IoUring, opcode,
    squeue::{Entry, Flags},
    types::Fd,
};
use ring::{Ring, Way, followed, open, opened, temp};
use sentinel_event::{Event, Kind, PathFlags};
use sentinel_probe::HookState;

/// Names of the opens of files in `dir`.
fn opens_in<'a>(events: &'a [Event], dir: &Path) -> Vec<(String, i64)> {
    let asked = of(events, Kind::FileOpen).into_iter().map(|event: &'a Event| {
        let name = opened(event).asked.path.strip_prefix(dir.as_os_str().as_bytes());
        (String::from_utf8_lossy(name.unwrap_or_default()).into_owned(), event.head.result)
    });
    asked.filter(|(name, _)| !name.is_empty()).collect()
}

#[test]
fn a_request_that_wants_no_completion_is_seen() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("quiet"), "").unwrap();
    let mut ring = Ring::new(Way::Inline);
    let (there, missing) = (c(dir.join("quiet")), c(dir.join("missing")));
    let events = capture().during(|| {
        for name in [&there, &missing] {
            push(&mut ring, &[open(name, 0, 0).flags(Flags::SKIP_SUCCESS)]);
        }
        assert_eq!(ring.wait(), -libc::ENOENT);
    });
    let errno = -i64::from(libc::ENOENT);
    let want =
        [("/quiet", 0), ("/missing", 0), ("/missing", errno)].map(|(name, result)| (name.into(), result));
    assert_eq!(opens_in(&events, &dir), want);
}

#[expect(unsafe_code, reason = "requests hold pointers")]
fn push(ring: &mut Ring, requests: &[Entry]) {
    // SAFETY: every caller keeps what the requests point at until they have ended.
    unsafe { ring.ring.submission().push_multiple(requests).unwrap() };
    ring.ring.submit().unwrap();
}

#[test]
fn a_full_queue_of_completions_hides_nothing() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    let mut ring = Ring { ring: IoUring::builder().setup_cqsize(2).build(2).unwrap(), way: Way::Inline };
    let names: Vec<CString> = (0..8).map(|n| c(dir.join(n.to_string()))).collect();
    let events = capture().during(|| {
        for name in &names {
            push(&mut ring, &[open(name, libc::O_CREAT | libc::O_WRONLY, 0o600)]);
        }
        while !names.iter().all(|name| Path::new(name.to_str().unwrap()).exists()) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(ring.ring.submission().cq_overflow());
        for _ in &names {
            drop(owned(usize::try_from(ring.wait()).unwrap()));
        }
    });
    let mut told = opens_in(&events, &dir);
    told.sort();
    let told: Vec<String> = told.into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, (0..8).map(|n| format!("/{n}")).collect::<Vec<_>>());
}

/// The directory of a process that this program is run as, with one test.
const CHILD: &str = "SENTINEL_TEST_OPENS";

/// Runs the test in a process of its own. Descriptors are numbers that the other tests of this one take and give back.
fn child(test: &str, dir: &Path) -> u32 {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test]).env(CHILD, dir).stdout(process::Stdio::null());
    let mut run = command.spawn().unwrap();
    assert!(run.wait().unwrap().success());
    run.id()
}

#[test]
fn a_file_swapped_by_a_later_request_of_the_batch_is_reported_by_its_name() {
    if !followed() {
        return;
    }
    if let Some(dir) = env::var_os(CHILD) {
        swap(Path::new(&dir));
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("watched"), "").unwrap();
    fs::write(dir.join("decoy"), "").unwrap();
    let events = capture().during(|| {
        child("a_file_swapped_by_a_later_request_of_the_batch_is_reported_by_its_name", &dir);
    });
    let told = opens_in(&events, &dir);
    assert_eq!(told.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["/watched", "/decoy"]);
    assert_eq!(told[0].1, told[1].1, "one number, swapped");
    let mut opens = of(&events, Kind::FileOpen).into_iter().map(opened);
    let first = opens.find(|open| open.asked.path.ends_with(b"/watched")).unwrap();
    assert!(first.path.bytes.is_empty() || first.path.flags.contains(PathFlags::SHARED), "{first:?}");
}

/// Opens one file, and another one by the same number, in one batch.
fn swap(dir: &Path) {
    let (watched, decoy) = (c(dir.join("watched")), c(dir.join("decoy")));
    let mut ring = Ring::new(Way::Inline);
    // The lowest free number is the next open's.
    let next = File::open("/dev/null").unwrap().as_raw_fd();
    push(
        &mut ring,
        &[
            open(&watched, 0, 0).flags(Flags::IO_LINK),
            opcode::Close::new(Fd(next)).build().flags(Flags::IO_LINK),
            open(&decoy, 0, 0),
        ],
    );
    assert_eq!([ring.wait(), ring.wait(), ring.wait()], [next, 0, next]);
}

#[test]
fn a_request_is_its_process_and_no_others() {
    if !followed() {
        return;
    }
    if let Some(dir) = env::var_os(CHILD) {
        assert!(Ring::new(Way::Async).run(open(&c(Path::new(&dir).join("child")), 0, 0)) >= 0);
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("child"), "").unwrap();
    fs::write(dir.join("parent"), "").unwrap();
    let mut ring = Ring::new(Way::Inline);
    let mine = c(dir.join("parent"));
    let mut other = 0;
    let events = capture().during(|| {
        other = child("a_request_is_its_process_and_no_others", &dir);
        drop(owned(ring.run(open(&mine, 0, 0)) as usize));
    });
    let who = |name: &str| {
        let path = dir.join(name);
        let opens = of(&events, Kind::FileOpen).into_iter();
        let mut opens = opens.filter(|event| opened(event).path.bytes == path.as_os_str().as_bytes());
        let event = opens.next().unwrap();
        assert!(opens.next().is_none());
        (event.head.process.tgid, event.head.parent.tgid)
    };
    assert_eq!(who("child"), (other, process::id()));
    assert_eq!(who("parent").0, process::id());
}

#[test]
fn what_nobody_needs_is_not_attached() {
    if !followed() {
        return;
    }
    let mut probe = capture();
    let attached = |probe: &sentinel_probe::Probe| -> Vec<&'static str> {
        let hooks = probe.hooks().into_iter().filter(|hook| hook.program.starts_with("uring"));
        hooks
            .filter(|hook| matches!(hook.state, HookState::Attached { .. }))
            .map(|hook| hook.program)
            .collect()
    };
    let all = attached(&probe.probe);
    assert_eq!(all.len(), 11, "{all:?}");
    probe.probe.set_kinds([Kind::Exec].into_iter().collect()).unwrap();
    assert!(attached(&probe.probe).is_empty());
    probe.probe.set_kinds([Kind::FileRead].into_iter().collect()).unwrap();
    assert_eq!(attached(&probe.probe), ["uring_overflow", "uring_read", "uring_read_silent"]);
    probe.probe.set_kinds(sentinel_event::KindSet::all()).unwrap();
    assert_eq!(attached(&probe.probe), all);
}
