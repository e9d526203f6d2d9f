//! Rings of io_uring for tests, one request at a time.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    ffi::CString,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use io_uring::{
    IoUring, opcode,
    squeue::{Entry, Flags},
    types::Fd,
};
use sentinel_event::{Body, Event, FileOpen};
use sentinel_probe::Support;

use super::harness::ALSO;

/// How requests are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the thread that submits them.
    Inline,
    /// By a worker.
    Async,
    /// By the thread that the kernel made to submit them.
    Poll,
}

pub const WAYS: [Way; 3] = [Way::Inline, Way::Async, Way::Poll];

/// A ring and how it is used.
pub struct Ring {
    pub ring: IoUring,
    pub way: Way,
}

impl Ring {
    pub fn new(way: Way) -> Self {
        let before = pollers();
        let ring = match way {
            Way::Poll => IoUring::builder().setup_sqpoll(2000).build(8).unwrap(),
            Way::Inline | Way::Async => IoUring::new(8).unwrap(),
        };
        if way == Way::Poll {
            // It names itself when it first runs.
            let deadline = Instant::now() + Duration::from_secs(30);
            let made = loop {
                if let Some(made) = pollers().into_iter().find(|tid| !before.contains(tid)) {
                    break made;
                }
                assert!(Instant::now() < deadline, "no thread that submits");
                thread::sleep(Duration::from_millis(5));
            };
            ALSO.set(made);
        }
        Self { ring, way }
    }

    /// Submits, and waits for nothing.
    #[expect(unsafe_code, reason = "requests hold pointers")]
    pub fn submit(&mut self, request: Entry) {
        let flags = if self.way == Way::Async { Flags::ASYNC } else { Flags::empty() };
        // SAFETY: every caller keeps what the request points at until it has ended.
        unsafe { self.ring.submission().push(&request.flags(flags)).unwrap() };
        self.ring.submit().unwrap();
    }

    /// The result of the next request to end.
    pub fn wait(&mut self) -> i32 {
        self.ring.submit_and_wait(1).unwrap();
        self.ring.completion().next().unwrap().result()
    }

    /// The result of `request`.
    pub fn run(&mut self, request: Entry) -> i32 {
        self.submit(request);
        self.wait()
    }
}

/// Threads that submit for this one.
fn pollers() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = format!("iou-sqp-{}\n", nix::unistd::gettid());
    tasks
        .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm == name))
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

pub const CWD: Fd = Fd(libc::AT_FDCWD);

/// Whether this kernel's tracepoints name the request that has ended; if not, nothing of this can be seen.
pub fn followed() -> bool {
    let there = Support::detect().facts.iter().any(|fact| fact.name == "io_uring" && fact.available);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let old = ["5.", "6.0.", "6.1."].iter().any(|series| release.starts_with(series));
    assert_eq!(there, !old, "{release}");
    there
}

pub fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

pub fn open(path: &CString, flags: i32, mode: u32) -> Entry {
    opcode::OpenAt::new(CWD, path.as_ptr()).flags(flags).mode(mode).build()
}

pub fn opened(event: &Event) -> &FileOpen {
    match &event.body {
        Body::FileOpen(open) => open,
        other => panic!("{other:?}"),
    }
}
