//! Calls that nobody wants leave no record; what the plan holds always does. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod harness;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::MetadataExt as _,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use harness::{Capture, capture_of, of};
use sentinel_event::{Body, CallInterest, Comm, Comms, Event, Kind, Named, Outcome, Setting};

const KINDS: &[Kind] = &[
    Kind::FileMkdir,
    Kind::FileRmdir,
    Kind::FileUnlink,
    Kind::FileRename,
    Kind::Connect,
    Kind::Bind,
    Kind::Send,
    Kind::Recv,
    Kind::Prctl,
    Kind::Exec,
];

/// Another process, which does as it is told.
struct Actor {
    child: Child,
    told: ChildStdin,
    done: BufReader<ChildStdout>,
}

const SCRIPT: &str = "
import os, socket, sys, threading
def act(what, rest):
    try: do(what, rest)
    except OSError: pass
def do(what, rest):
    if what == 'name': open('/proc/self/comm', 'w').write(rest)
    elif what == 'mkdir': os.mkdir(rest)
    elif what == 'rmdir': os.rmdir(rest)
    elif what == 'unlink': os.unlink(rest)
    elif what == 'rename': os.rename(rest, rest + '2')
    elif what == 'user': os.seteuid(int(rest))
    elif what == 'connect': socket.socket().connect(('127.0.0.1', int(rest)))
    elif what == 'bind': socket.socket().bind(('127.0.0.1', int(rest)))
    elif what == 'send': socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'.', ('127.0.0.1', int(rest)))
    elif what == 'thread':
        thread = threading.Thread(target=act, args=('mkdir', rest))
        thread.start()
        thread.join()
for line in sys.stdin:
    act(*line.strip().split(' ', 1))
    print(flush=True)
";

impl Actor {
    fn start() -> Self {
        let mut command = Command::new("python3");
        // It is not to make directories for what it has compiled.
        command.args(["-B", "-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (told, done) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, told, done }
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.told, "{what}").unwrap();
        self.done.read_line(&mut String::new()).unwrap();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(names: &[&str]) -> BTreeSet<Comm> {
    names.iter().map(|name| Comm::from(*name)).collect()
}

fn plan(kinds: &[Kind], settings: impl Fn(&Setting) -> bool, named: &Named) -> CallInterest {
    let mut plan = CallInterest::default();
    for setting in Setting::all().filter(settings) {
        kinds.iter().for_each(|kind| plan.insert(*kind, setting, named.clone()));
    }
    plan
}

/// How often the actor's acts are told.
fn told(capture: &mut Capture, actor: &mut Actor, kind: Kind, acts: &[&str]) -> usize {
    let events = capture.during(|| acts.iter().for_each(|act| actor.tell(act)));
    of(&events, kind).len()
}

fn filtered(capture: &Capture, kind: Kind) -> u64 {
    let kinds = capture.probe.counters().unwrap().kinds;
    kinds.iter().find(|counters| counters.kind == kind).unwrap().filtered
}

#[test]
fn the_name_of_the_process_decides_unless_another_thread_acts() {
    let (mut capture, mut actor) = (capture_of(KINDS), Actor::start());
    let only = Named { comms: Comms::Only(names(&["wanted", "me"])), ports: BTreeSet::new() };
    let except = Named { comms: Comms::Except(names(&["wanted"])), ports: BTreeSet::new() };
    for (named, name, act, expected) in [
        (&only, "wanted", "mkdir /proc/a", 1),
        (&only, "wante", "mkdir /proc/a", 0),
        (&only, "wanted-not", "mkdir /proc/a", 0),
        (&only, "other", "thread /proc/a", 1),
        (&except, "wanted", "mkdir /proc/a", 0),
        (&except, "other", "mkdir /proc/a", 1),
        (&except, "wanted", "thread /proc/a", 1),
    ] {
        capture.probe.set_calls(&plan(&[Kind::FileMkdir], |_| true, named)).unwrap();
        actor.tell(&format!("name {name}"));
        let before = filtered(&capture, Kind::FileMkdir);
        assert_eq!(told(&mut capture, &mut actor, Kind::FileMkdir, &[act]), expected, "{name}: {act}");
        // Whoever else makes directories on this machine is counted too.
        assert!(expected == 1 || filtered(&capture, Kind::FileMkdir) > before, "{name}: {act}");
    }
    capture.probe.set_calls(&CallInterest::all()).unwrap();
    assert_eq!(told(&mut capture, &mut actor, Kind::FileMkdir, &["mkdir /proc/a"]), 1);
}

#[test]
fn the_effective_user_decides() {
    let (mut capture, mut actor) = (capture_of(KINDS), Actor::start());
    for (root, [of_root, of_others]) in [(true, [1, 0]), (false, [0, 1])] {
        capture.probe.set_calls(&plan(&[Kind::FileMkdir], |one| one.root == root, &Named::all())).unwrap();
        assert_eq!(told(&mut capture, &mut actor, Kind::FileMkdir, &["mkdir /proc/a"]), of_root);
        let acts = ["user 1000", "mkdir /proc/a", "user 0"];
        assert_eq!(told(&mut capture, &mut actor, Kind::FileMkdir, &acts), of_others);
    }
    capture.probe.set_calls(&CallInterest::all()).unwrap();
}

#[test]
fn a_port_of_either_end_or_a_name_decides() {
    let (mut capture, mut actor) = (capture_of(KINDS), Actor::start());
    let named = Named { comms: Comms::Only(names(&["wanted"])), ports: [9, 11].into() };
    capture.probe.set_calls(&plan(&[Kind::Connect, Kind::Bind], |_| true, &named)).unwrap();
    for (name, kind, act, expected) in [
        ("other", Kind::Connect, "connect 9", 1),
        ("other", Kind::Connect, "connect 10", 0),
        ("other", Kind::Connect, "connect 2304", 0), // 9 in the other byte order
        ("wanted", Kind::Connect, "connect 10", 1),
        ("other", Kind::Bind, "bind 11", 1),
        ("other", Kind::Bind, "bind 12", 0),
        ("wanted", Kind::Bind, "bind 12", 1),
    ] {
        actor.tell(&format!("name {name}"));
        assert_eq!(told(&mut capture, &mut actor, kind, &[act]), expected, "{name}: {act}");
    }
    let events = capture.during(|| actor.tell("connect 9"));
    let [Event { body: Body::Connect(connect), .. }] = of(&events, Kind::Connect)[..] else {
        panic!("{events:?}")
    };
    assert_eq!(connect.socket.asked.port, 9);
    capture.probe.set_calls(&CallInterest::all()).unwrap();
}

#[test]
fn a_cgroup_that_the_agent_knows_decides() {
    let (mut capture, mut actor) = (capture_of(KINDS), Actor::start());
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (at, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| at.to_owned())
    });
    let cgroup = format!("{}/sentinel-calls-{}", mount.expect("cgroup v2"), std::process::id());
    fs::create_dir(&cgroup).unwrap();
    fs::write(format!("{cgroup}/cgroup.procs"), actor.child.id().to_string()).unwrap();
    let (id, book) = (fs::metadata(&cgroup).unwrap().ino(), capture.probe.cgroups().unwrap());
    for contained in [true, false] {
        capture
            .probe
            .set_calls(&plan(&[Kind::FileMkdir], |one| one.contained == contained, &Named::all()))
            .unwrap();
        if contained {
            assert_eq!(told(&mut capture, &mut actor, Kind::FileMkdir, &["mkdir /proc/a"]), 1, "not known");
        }
        for told_of in [contained, !contained] {
            book.place(id, told_of);
            let count = told(&mut capture, &mut actor, Kind::FileMkdir, &["mkdir /proc/a"]);
            assert_eq!(count, usize::from(told_of == contained), "{contained} {told_of}");
        }
    }
    capture.probe.set_calls(&CallInterest::all()).unwrap();
    drop(actor);
    fs::remove_dir(&cgroup).unwrap();
}

#[test]
fn names_that_go_messages_and_more_are_chosen_too() {
    let (mut capture, mut actor) = (capture_of(KINDS), Actor::start());
    for (kind, act) in [
        (Kind::FileRmdir, "rmdir /proc/gone"),
        (Kind::FileUnlink, "unlink /proc/gone"),
        (Kind::FileRename, "rename /proc/gone"),
    ] {
        for (outcome, expected) in [(Outcome::Succeeded, 0), (Outcome::Failed, 1)] {
            capture.probe.set_calls(&plan(&[kind], |one| one.outcome == outcome, &Named::all())).unwrap();
            assert_eq!(told(&mut capture, &mut actor, kind, &[act]), expected, "{act}");
        }
    }
    for (root, expected) in [(false, 0), (true, 1)] {
        capture.probe.set_calls(&plan(&[Kind::Send], |one| one.root == root, &Named::all())).unwrap();
        assert_eq!(told(&mut capture, &mut actor, Kind::Send, &["send 9"]), expected);
    }
    capture.probe.set_calls(&CallInterest::all()).unwrap();
}

#[test]
fn starts_that_fail_may_be_left_out_and_those_that_succeed_never() {
    let mut capture = capture_of(KINDS);
    // Children of ours tell whether the program still fires: somebody else's child must fail.
    let script = "/proc/nothing; /proc/nothing; exit 0";
    let act = || {
        let status = Command::new("sh").args(["-c", script]).stderr(Stdio::null()).status();
        assert!(status.unwrap().success());
    };
    capture.probe.set_calls(&CallInterest::default()).unwrap();
    let before = filtered(&capture, Kind::Exec);
    let events = capture.during(act);
    assert!(filtered(&capture, Kind::Exec) >= before + 2);
    assert!(of(&events, Kind::Exec).iter().any(|event| event.head.result == 0), "{events:?}");
    capture.probe.set_calls(&CallInterest::all()).unwrap();
}
