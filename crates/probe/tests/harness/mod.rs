//! One probe for all tests of a file; each test sees only what its own process and its children did.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

pub mod opener;

use std::{
    cell::Cell,
    ffi::CString,
    io,
    os::{
        fd::{FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
    process,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_event::{Body, Event, Kind, KindSet, UserPath};
use sentinel_probe::{Options, Probe, Reader};

/// A loaded probe and the events it has delivered.
pub struct Capture {
    pub probe: Probe,
    pub reader: Reader,
}

thread_local! {
    /// A thread that acts for the test that runs in this one.
    pub static ALSO: Cell<u32> = const { Cell::new(0) };
}

static MARKS: AtomicU64 = AtomicU64::new(0);

impl Capture {
    /// Loads a probe of one's own.
    pub fn load(options: &Options) -> Self {
        for mount in sentinel_probe::mount_missing() {
            mount.result.unwrap_or_else(|error| panic!("{} on {}: {error}", mount.kind, mount.target));
        }
        // libbpf reads the list of processors when it first needs it: not in the middle of a test.
        libbpf_rs::num_possible_cpus().unwrap();
        let (probe, reader) = Probe::load(options).expect("root, BTF and tracefs are needed here");
        Self { probe, reader }
    }

    /// Runs `trigger` and returns every event of this process and its children from then on, until a
    /// mark that is made afterwards comes out of the ring.
    pub fn during(&mut self, trigger: impl FnOnce()) -> Vec<Event> {
        self.until_mark();
        trigger();
        self.until_mark()
    }

    /// Like [`Capture::during`], but with the sweep that follows.
    pub fn with_sweep(&mut self, trigger: impl FnOnce()) -> Vec<Event> {
        self.until_mark();
        trigger();
        let mut events = self.until_mark();
        let mut rest = Vec::new();
        self.reader.drain(&mut rest).unwrap();
        events.extend(rest.into_iter().filter(ours));
        events
    }

    fn until_mark(&mut self) -> Vec<Event> {
        let mark = format!("/proc/mark-{}-{}", process::id(), MARKS.fetch_add(1, Ordering::Relaxed));
        let _ = std::fs::remove_file(&mark);
        let deadline = Instant::now() + Duration::from_secs(30);
        let (mut events, mut mine) = (Vec::new(), Vec::new());
        while Instant::now() < deadline {
            self.reader.poll(&mut events).unwrap();
            for event in events.drain(..) {
                if matches!(&event.body, Body::FileUnlink(unlink) if unlink.target.name == mark.as_bytes()) {
                    return mine;
                }
                if ours(&event) {
                    mine.push(event);
                }
            }
        }
        panic!("the mark {mark} did not come out of the ring");
    }
}

/// What this thread did, or a child of this process: other tests prepare while this one has the probe.
fn ours(event: &Event) -> bool {
    let thread = nix::unistd::gettid().as_raw().cast_unsigned();
    [thread, ALSO.get()].contains(&event.head.tid) && event.head.tid != 0
        || event.head.parent.tgid == process::id()
}

/// The probe that the tests of this file share, one at a time.
pub fn capture() -> MutexGuard<'static, Capture> {
    capture_of(Kind::ALL)
}

/// The same of these kinds: a file names those that it is about, since loading the others would take most of its time.
/// What the first call names is what there is.
pub fn capture_of(kinds: &[Kind]) -> MutexGuard<'static, Capture> {
    static SHARED: OnceLock<Mutex<Capture>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            // Marks are removed files.
            let kinds: KindSet = kinds.iter().copied().chain([Kind::FileUnlink]).collect();
            // Room for what the rest of a busy machine does while a test does not read.
            Mutex::new(Capture::load(&Options { kinds, ring_bytes: 64 << 20, ..Options::default() }))
        })
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// The series of the kernel, as in (5, 10).
pub fn kernel() -> (u32, u32) {
    let release = nix::sys::utsname::uname().unwrap().release().to_str().unwrap().to_owned();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Whether this kernel tells which file a name led to, when a call succeeds. Where it does not, no name is certain in a
/// test, since tests are threads.
pub fn kernel_tells() -> bool {
    static TELLS: OnceLock<bool> = OnceLock::new();
    *TELLS.get_or_init(|| {
        let facts = sentinel_probe::Support::detect().facts;
        let has = |name| facts.iter().any(|fact| fact.name == name && fact.available);
        ["fentry", "security_path", "bpf_loop"].into_iter().all(has)
    })
}

/// A name as an event of such a call tells it. What the kernel used is `root_names`' business.
pub fn told_name(path: &[u8], name: &[u8], succeeded: bool) -> UserPath {
    let shared = !(succeeded && kernel_tells());
    UserPath { path: path.into(), name: name.into(), shared, ..UserPath::default() }
}

/// The events of one kind.
pub fn of(events: &[Event], kind: Kind) -> Vec<&Event> {
    events.iter().filter(|event| event.kind() == kind).collect()
}

/// A path for a system call.
pub fn c(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).unwrap()
}

/// A system call as the kernel sees it, without libc's choice of variant.
#[expect(unsafe_code, reason = "raw system calls are what is tested")]
pub fn call(number: libc::c_long, args: [usize; 6]) -> io::Result<usize> {
    let [a, b, c, d, e, f] = args;
    // SAFETY: every caller passes pointers to memory that outlives the call, or pointers that are wrong
    // on purpose, which the kernel refuses with EFAULT.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as usize) }
}

/// The descriptor that a raw call has just returned; closed when dropped.
#[expect(unsafe_code, reason = "raw system calls are what is tested")]
pub fn owned(fd: usize) -> OwnedFd {
    // SAFETY: the call has just returned it, nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}
