//! Who acts, as /proc says, and the one event that an act makes.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path as FilePath,
    sync::{MutexGuard, Once, OnceLock},
};

use sentinel_event::{
    Body, Capabilities, Comm, Event, Head, Kind, KindSet, Namespaces, Path, PathFlags, ProcessKey, Syscall,
    UserPath,
};

use super::harness::{self, Capture, call, of, told_name};

/// What the acts of a test were, compared already.
pub struct Told {
    pub bodies: Vec<Body>,
    pub heads: Vec<Head>,
    /// Fields that no act can fill, sorted.
    pub never: &'static [&'static str],
}

/// Bodies that are told, each the very one that it should be.
pub fn told(never: &'static [&'static str], pairs: Vec<(Body, Body)>) -> Told {
    let bodies = pairs.into_iter().map(|(told, want)| {
        assert_eq!(told, want);
        want
    });
    Told { bodies: bodies.collect(), heads: Vec::new(), never }
}

/// The probe, with all that is only told on demand.
pub fn capture() -> MutexGuard<'static, Capture> {
    static ASK: Once = Once::new();
    let mut capture = harness::capture();
    ASK.call_once(|| {
        capture.probe.set_buffers(true);
        capture.probe.set_environment(true);
        capture.probe.set_syscalls(vec!["getpgid".into()]);
        capture.probe.set_kinds(KindSet::all()).unwrap();
    });
    capture
}

/// The body of the one event of `kind` that the call makes, and the call's result. Its head is compared here.
pub fn one(kind: Kind, number: libc::c_long, args: [usize; 6]) -> (Body, i64) {
    let mut capture = capture();
    let (mut result, before, from) = (0, own(&capture), times());
    let events = capture.during(|| {
        result =
            call(number, args).map_or_else(|error| -i64::from(error.raw_os_error().unwrap()), |ok| ok as i64);
    });
    let [event] = of(&events, kind)[..] else { panic!("{kind}: {events:?}") };
    // Who may do what is told as of before what changes it; the rest as the call has left it.
    let who = if matches!(kind, Kind::Setuid | Kind::Capset) { before } else { own(&capture) };
    let want = Head { syscall: Some(Syscall(number as u16)), result, ..who };
    assert_eq!(event.head, settled(want, &event.head, from));
    (event.body.clone(), result)
}

/// The events of `kind` that `act` makes, which are this thread's; their heads are compared here.
pub fn all(kind: Kind, act: impl FnOnce()) -> Vec<Event> {
    let mut capture = capture();
    let from = times();
    let events = capture.during(act);
    let who = own(&capture);
    for event in of(&events, kind) {
        // The call and its result are each test's own.
        let want = Head { syscall: event.head.syscall, result: event.head.result, ..who.clone() };
        assert_eq!(event.head, settled(want, &event.head, from));
    }
    of(&events, kind).into_iter().cloned().collect()
}

/// This thread. At which execution its process is only the kernel's side counts: as its snapshot has it.
pub fn own(capture: &Capture) -> Head {
    let execution = execution(capture);
    Head { execution, ..head(std::process::id(), nix::unistd::gettid().as_raw() as u32) }
}

/// That of this process, which it leaves to its children.
pub fn execution(capture: &Capture) -> u16 {
    static OWN: OnceLock<u16> = OnceLock::new();
    *OWN.get_or_init(|| {
        let processes = capture.probe.processes().unwrap();
        let own = processes.iter().find(|process| process.key.tgid == std::process::id());
        own.unwrap().execution.unwrap()
    })
}

/// A tick of /proc.
const TICK_NS: u64 = 10_000_000;

/// A thread as /proc has it. Starts are in ticks, moments not there: [`settled`].
pub fn head(tgid: u32, tid: u32) -> Head {
    let task = format!("/proc/{tgid}/task/{tid}");
    let read = |name: &str| fs::read_to_string(format!("{task}/{name}")).unwrap();
    let [uid, euid, ..] = ids(&task, "Uid:");
    let [gid, egid, ..] = ids(&task, "Gid:");
    let parent = status(&task, "PPid:")[0].parse().unwrap();
    let key = |pid: u32| ProcessKey { tgid: pid, start_ns: stat(pid)[19].parse().unwrap() };
    let namespace = |name| fs::metadata(format!("{task}/ns/{name}")).unwrap().ino() as u32;
    let stat = stat(tgid);
    let number = |at: usize| stat[at].parse().unwrap();
    // As stat(2) has device numbers.
    let tty: u64 = stat[4].parse().unwrap();
    Head {
        boot_ns: 0,
        real_ns: 0,
        process: key(tgid),
        tid,
        vpid: status(&format!("/proc/{tgid}"), "NSpid:").last().unwrap().parse().unwrap(),
        parent: key(parent),
        execution: 0,
        uid,
        gid,
        euid,
        egid,
        loginuid: read("loginuid").parse().unwrap(),
        group: number(2),
        session: number(3),
        tty: device(tty),
        cgroup_id: cgroup(&read("cgroup")),
        namespaces: Namespaces { pid: namespace("pid"), mnt: namespace("mnt"), net: namespace("net") },
        comm: Comm::from(read("comm").trim_end_matches('\n')),
        syscall: None,
        result: 0,
    }
}

/// Now: since boot, and since the epoch.
pub fn times() -> [u64; 2] {
    use nix::time::{ClockId, clock_gettime};
    [ClockId::CLOCK_BOOTTIME, ClockId::CLOCK_REALTIME].map(|clock| {
        let now = clock_gettime(clock).unwrap();
        now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
    })
}

/// `want` with the moments of `told`, which lie where they must.
pub fn settled(want: Head, told: &Head, from: [u64; 2]) -> Head {
    let to = times();
    assert!((from[0]..=to[0]).contains(&told.boot_ns), "{told:?}");
    // A host that sets its clock moves the second one by that.
    assert!((from[1] - 1_000_000_000..=to[1] + 1_000_000_000).contains(&told.real_ns), "{told:?}");
    let key = |want: ProcessKey, told: ProcessKey| ProcessKey {
        tgid: want.tgid,
        start_ns: if told.start_ns / TICK_NS == want.start_ns { told.start_ns } else { want.start_ns },
    };
    Head {
        boot_ns: told.boot_ns,
        real_ns: told.real_ns,
        process: key(want.process, told.process),
        parent: key(want.parent, told.parent),
        ..want
    }
}

/// What `told` is when it is the start of `pid`, as exactly as /proc knows it.
pub fn start_ns(pid: u32, told: u64) -> u64 {
    let ticks: u64 = stat(pid)[19].parse().unwrap();
    assert_eq!(told / TICK_NS, ticks);
    told
}

/// What follows a key in a status file.
pub fn status(task: &str, key: &str) -> Vec<String> {
    let status = fs::read_to_string(format!("{task}/status")).unwrap();
    let rest = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    rest.split_whitespace().map(str::to_owned).collect()
}

/// Real, effective, saved, of the file system.
pub fn ids(task: &str, key: &str) -> [u32; 4] {
    let ids: Vec<u32> = status(task, key).iter().map(|id| id.parse().unwrap()).collect();
    ids.try_into().unwrap()
}

pub fn capabilities(task: &str) -> Capabilities {
    let set = |key| u64::from_str_radix(&status(task, key)[0], 16).unwrap();
    Capabilities { inheritable: set("CapInh:"), permitted: set("CapPrm:"), effective: set("CapEff:") }
}

/// From the state on: the third field, proc_pid_stat(5).
pub fn stat(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').map(str::to_owned).collect()
}

/// The kernel's own number of a device, from that of stat(2).
pub fn device(number: u64) -> u32 {
    libc::major(number) << 20 | libc::minor(number)
}

/// Inode of a cgroup of version 2.
fn cgroup(file: &str) -> u64 {
    let path = file.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let at = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2")).unwrap();
    fs::metadata(FilePath::new(at.split(' ').nth(1).unwrap()).join(path)).unwrap().ino()
}

/// What a caller named by its absolute path, in a call that succeeded.
pub fn named(path: impl AsRef<FilePath>) -> UserPath {
    let path = path.as_ref().as_os_str().as_encoded_bytes();
    told_name(path, path, true)
}

/// The same of a call whose names the kernel does not tell.
pub fn asked(path: impl AsRef<FilePath>) -> UserPath {
    UserPath { shared: true, ..named(path) }
}

/// What a caller named by a word, likewise.
pub fn word(name: &str) -> UserPath {
    UserPath { name: name.into(), shared: true, ..UserPath::default() }
}

/// The file at a path, looked up by a descriptor that other threads share.
pub fn shared(path: impl AsRef<FilePath>) -> Path {
    Path { bytes: path.as_ref().as_os_str().as_encoded_bytes().into(), flags: PathFlags::SHARED }
}

/// A directory that goes with its owner, and where it is.
pub fn temp() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}
