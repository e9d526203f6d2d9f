//! What is attached is asked again and again whether it fires, and what somebody changes is noticed. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod harness;

use std::{
    env, fs,
    os::fd::{AsFd as _, AsRawFd as _},
    path::Path,
    process::{self, Command},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use harness::Capture;
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType, query::MapInfoIter};
use sentinel_event::{Body, Event, FileInterest, Kind, KindSet};
use sentinel_probe::{HookFault, HookState, Options};

/// Acts of one test are not events of the other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load(kinds: impl IntoIterator<Item = Kind>) -> Capture {
    let kinds: KindSet = kinds.into_iter().collect();
    Capture::load(&Options { kinds, ..Options::default() })
}

/// What a machine may take for something; an emulated one (PATIENCE, a factor) longer.
fn patience(time: Duration) -> Duration {
    time * env::var("PATIENCE").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// Hooks that can be asked and have not answered yet.
fn unverified(capture: &Capture) -> Vec<String> {
    let attached = capture.probe.hooks().into_iter().filter(|hook| match hook.state {
        // Requests of io_uring and opens by handle cannot be made without unsafe code; the guard watches others; what
        // is noted of names is no event.
        HookState::Attached { verified: false } => {
            !["cgroup_", "guard", "file_open_handle", "uring", "used_", "entered_"]
                .iter()
                .any(|untested| hook.program.starts_with(untested))
        }
        _ => false,
    });
    attached.map(|hook| hook.hook).collect()
}

/// Hooks that do not work: at first those for which this kernel is too old.
fn broken(capture: &Capture) -> Vec<String> {
    let hooks = capture.probe.hooks().into_iter();
    hooks.filter(|hook| matches!(hook.state, HookState::Degraded(_))).map(|hook| hook.hook).collect()
}

/// Looks, and reads what came of it. Returns what was found wrong, and the events that are left.
fn look(capture: &mut Capture) -> (Vec<HookFault>, Vec<Event>) {
    let faults = capture.probe.look();
    let mut events = Vec::new();
    capture.reader.drain(&mut events).unwrap();
    events.retain(|event| [event.head.process.tgid, event.head.parent.tgid].contains(&process::id()));
    (faults, events)
}

/// The settings of our newest probe: they name our process.
fn settings() -> MapHandle {
    let maps = MapInfoIter::default().filter(|info| info.name == "settings");
    let ours = maps.filter_map(|info| {
        let map = MapHandle::from_map_id(info.id).ok()?;
        let value = map.lookup(&0u32.to_ne_bytes(), MapFlags::ANY).ok()??;
        (value.get(8..12)? == process::id().to_ne_bytes()).then_some((info.id, map))
    });
    ours.max_by_key(|(id, _)| *id).unwrap().1
}

const KINDS: [Kind; 5] = [Kind::FileOpen, Kind::FileWrite, Kind::FileUnlink, Kind::Setuid, Kind::Bpf];

#[test]
fn every_program_is_asked_in_turn_and_the_acts_are_nobodys_business() {
    let _one = alone();
    let mut capture = load(KINDS);
    capture.probe.set_file_interest(&FileInterest::default()).unwrap();
    // All were asked once when they were loaded; now each is again.
    assert_eq!(unverified(&capture), Vec::<String>::new());
    let excluded = |capture: &Capture| {
        let kinds = capture.probe.counters().unwrap().kinds;
        KINDS.map(|kind| kinds.iter().find(|counted| counted.kind == kind).unwrap().excluded)
    };
    let (before, deadline) = (excluded(&capture), Instant::now() + patience(Duration::from_secs(20)));
    while before.iter().zip(excluded(&capture)).any(|(before, after)| after <= *before) {
        assert!(Instant::now() < deadline, "{KINDS:?}: {before:?} {:?}", excluded(&capture));
        // A look at all programs of the machine is no event either.
        capture.probe.count_skipped();
        let (faults, events) = look(&mut capture);
        assert_eq!(faults, []);
        assert_eq!(events, [], "only acts, and those are taken out");
    }
    assert_eq!(unverified(&capture), Vec::<String>::new());
}

#[test]
fn an_act_hides_nothing_else() {
    let _one = alone();
    let mut capture = load([Kind::FileUnlink]);
    for round in 0..20 {
        let mark = format!("/proc/mark-canary-{round}");
        capture.probe.look();
        let _ = fs::remove_file(&mark);
        let mut events = Vec::new();
        capture.reader.drain(&mut events).unwrap();
        let names: Vec<_> = events
            .iter()
            .filter(|event| event.head.process.tgid == process::id())
            .filter_map(|event| match &event.body {
                Body::FileUnlink(unlink) => Some(unlink.target.name.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(names, [mark.as_bytes()]);
    }
}

/// Opens maps by their numbers, as a process of its own.
const OPENER: &str = "
import ctypes, struct, sys
bpf, get_map = 321 if sys.argv[1] == 'x86_64' else 280, 14
for number in sys.argv[2:]:
    attributes = ctypes.create_string_buffer(struct.pack('III', int(number), 0, 0), 128)
    if ctypes.CDLL(None).syscall(bpf, get_map, attributes, 12) < 0:
        sys.exit('no such map')
";

/// Its pid.
fn open_maps(numbers: &[u32]) -> u32 {
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", OPENER, env::consts::ARCH]).args(numbers.iter().map(u32::to_string));
    let mut python = python.spawn().unwrap();
    assert!(python.wait().unwrap().success());
    python.id()
}

#[test]
fn a_stranger_who_opens_our_maps_is_told_once() {
    let _one = alone();
    let mut capture = load([Kind::FileUnlink]);
    // Ours are our own business, and others' maps are theirs.
    let settings = settings().info().unwrap().info.id;
    let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as _,
        ..Default::default()
    };
    let other = MapHandle::create(MapType::Array, Some("not_ours"), 4, 4, 1, &options).unwrap();
    open_maps(&[other.info().unwrap().info.id]);
    assert_eq!(look(&mut capture).0, []);

    let stranger = open_maps(&[settings, settings]);
    let reasons: Vec<_> = look(&mut capture).0.into_iter().map(|fault| fault.reason).collect();
    assert_eq!(reasons, [format!("process {stranger} (python3) has opened maps of the sensor: settings")]);
    assert_eq!(look(&mut capture).0, []);
}

/// Takes the descriptor out of the process, as a debugger would.
const TAKER: &str = "
import ctypes, sys
libc = ctypes.CDLL(None)
pidfd = libc.syscall(434, int(sys.argv[1]), 0)
if libc.syscall(438, pidfd, int(sys.argv[2]), 0) < 0:
    sys.exit('not taken')
";

#[test]
fn a_descriptor_taken_out_of_us_is_told() {
    let _one = alone();
    let mut capture = load([Kind::FileUnlink]);
    let (map, file) = (settings(), fs::File::open("/dev/null").unwrap());
    let take = |fd: i32| {
        let mut python = Command::new("/usr/bin/python3");
        let mut python =
            python.args(["-c", TAKER, &process::id().to_string(), &fd.to_string()]).spawn().unwrap();
        assert!(python.wait().unwrap().success());
        python.id()
    };
    take(file.as_raw_fd());
    assert_eq!(look(&mut capture).0, []);
    let stranger = take(map.as_fd().as_raw_fd());
    let reasons: Vec<_> = look(&mut capture).0.into_iter().map(|fault| fault.reason).collect();
    assert_eq!(reasons, [format!("process {stranger} (python3) has opened maps of the sensor: settings")]);
}

#[test]
fn a_reader_that_is_behind_is_no_fault() {
    let _one = alone();
    let mut capture = load([Kind::FileUnlink]);
    let before = broken(&capture);
    // Nobody reads for longer than an event may be on its way.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(11) {
        assert_eq!(capture.probe.look(), []);
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(look(&mut capture).0, []);
    assert_eq!(broken(&capture), before);
}

#[test]
fn silence_and_changed_settings_are_faults() {
    let _one = alone();
    let mut capture = load([Kind::FileUnlink]);
    let before = broken(&capture);
    look(&mut capture);
    let settings = settings();
    let key = 0u32.to_ne_bytes();
    let told = settings.lookup(&key, MapFlags::ANY).unwrap().unwrap();
    settings.update(&key, &vec![0; told.len()], MapFlags::ANY).unwrap();
    let (faults, _) = look(&mut capture);
    let reasons: Vec<_> = faults.iter().map(|fault| fault.reason.as_str()).collect();
    assert_eq!(reasons, ["somebody has changed what the programs are told; it is right again"]);
    assert_eq!(settings.lookup(&key, MapFlags::ANY).unwrap().unwrap(), told);

    // Told to be silent, which is as good as gone.
    capture.probe.stop().unwrap();
    let deadline = Instant::now() + patience(Duration::from_secs(30));
    while look(&mut capture).0.is_empty() {
        assert!(Instant::now() < deadline);
    }
    assert!(capture.probe.degraded() && broken(&capture) != before);
    capture.probe.set_kinds([Kind::FileUnlink].into_iter().collect()).unwrap();
    while broken(&capture) != before {
        look(&mut capture); // the last act before may still be missing
        assert!(Instant::now() < deadline, "it answers again");
    }
}

#[test]
fn to_stop_is_quick_and_leaves_nothing_pinned() {
    let _one = alone();
    let mut capture = load(Kind::ALL.iter().copied());
    capture.probe.stop().unwrap();
    let _ = fs::remove_file("/proc/after-the-stop");
    let mut events = Vec::new();
    capture.reader.drain(&mut events).unwrap();
    let after = events.iter().any(|event| {
        matches!(&event.body, Body::FileUnlink(unlink) if unlink.target.name == "/proc/after-the-stop")
    });
    assert!(!after);
    let started = Instant::now();
    drop(capture);
    let took = started.elapsed();
    // Before 5.15 the links of tracepoints cannot be pinned, and one waits for each.
    assert!(harness::kernel() < (5, 15) || took < patience(Duration::from_secs(3)), "{took:?}");
    let left = fs::read_dir(Path::new("/sys/fs/bpf/sentinel-discarded")).into_iter().flatten().flatten();
    let ours = left.filter(|pin| pin.file_name().to_string_lossy().starts_with(&process::id().to_string()));
    assert_eq!(ours.count(), 0);
}
