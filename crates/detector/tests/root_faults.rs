//! Delivery while everything breaks: the detector's program is killed, the network cut, the spool's disk filled. Every
//! event arrives at least once or is in the reported loss. Needs root.
//!
//! Some seconds long; `SENTINEL_FAULT_SECONDS=60` makes it what the specification asks for: 20,000 events a second, 20
//! kills, 5 cuts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

#[path = "../../agent/tests/common/mod.rs"]
mod source;

#[path = "faults/program.rs"]
mod program;
#[path = "faults/recorder.rs"]
mod recorder;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use program::Program;
use recorder::Recorder;
use sentinel_agent::{Agent, AgentError, Config, ForwardRules, Job, Remote, Rules, Sink};
use source::{Fake, Script, read, until};

/// Of the link between agent and detector.
const DETECTOR: &str = "10.231.77.1";
const AGENT: &str = "10.231.77.2";
const LINK: &str = "sentfault0";
const PEER: &str = "sentfault1";
/// Bytes of the spool's disk: less than what comes while the detector is away for long.
const DISK: &str = "size=256k";

/// How much is done to them.
struct Plan {
    seconds: u64,
    rate: usize,
    kills: u64,
    cuts: u64,
}

impl Plan {
    fn chosen() -> Self {
        match std::env::var("SENTINEL_FAULT_SECONDS").ok().map(|text| text.parse().expect("seconds")) {
            None => Self { seconds: 5, rate: 3000, kills: 4, cuts: 1 },
            Some(seconds) => Self { seconds, rate: 20_000, kills: 20, cuts: 5 },
        }
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        run("mount", &["-t", "tmpfs", "-o", DISK, "tmpfs", &path.display().to_string()]);
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy", &self.0.display().to_string()]);
    }
}

/// The agent, in a network of its own.
struct Node {
    script: Arc<Script>,
    remote: Remote,
    thread: thread::JoinHandle<Result<(), AgentError>>,
}

impl Node {
    fn start(port: u16, spool: &Path) -> Self {
        let text = format!(
            "detection: {{rules: []}}\nstream: {{mode: grpc}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n\
             grpc: {{endpoint: '{DETECTOR}:{port}', spool: {{path: {}, maxBytes: 67108864}}}}\n",
            spool.display()
        );
        let config = Config::parse("test", &text).unwrap();
        let script = Arc::new(Script::default());
        let source = Arc::clone(&script);
        let ((tell, tid), (linked, link), (send, remote)) =
            (mpsc::channel(), mpsc::channel::<()>(), mpsc::channel());
        let thread = thread::spawn(move || {
            // The threads that the agent starts from here are in this network, too.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            tell.send(nix::unistd::gettid()).unwrap();
            link.recv().unwrap();
            run("ip", &["address", "add", &format!("{AGENT}/30"), "dev", PEER]);
            run("ip", &["link", "set", PEER, "up"]);
            let rules = Rules::Fixed(ForwardRules::every_kind());
            let job = Job { rules, sink: Sink::Streams, alerts: None, listen: false };
            let agent =
                Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
            send.send(agent.remote()).unwrap();
            agent.run()
        });
        run("ip", &["link", "set", PEER, "netns", &tid.recv().unwrap().to_string()]);
        linked.send(()).unwrap();
        Self { script, remote: remote.recv().unwrap(), thread }
    }

    /// So many reads of files, named by number.
    fn produce(&self, numbers: std::ops::Range<usize>) {
        let events = numbers.map(|number| read(&format!("/{number}"))).collect();
        self.script.batches.lock().unwrap().push_back(events);
    }
}

/// The link, which goes with the test.
struct Link;

impl Link {
    fn make() -> Self {
        // Of a run that was killed.
        let _ = Command::new("ip").args(["link", "delete", LINK]).output();
        run("ip", &["link", "add", LINK, "type", "veth", "peer", "name", PEER]);
        let link = Self;
        run("ip", &["address", "add", &format!("{DETECTOR}/30"), "dev", LINK]);
        run("ip", &["link", "set", LINK, "up"]);
        link
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", LINK]).output();
    }
}

/// What happens to them at a time, milliseconds after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// None: everything so far is waited for. An agent that has not noticed yet that the network is back keeps what comes in
    /// memory, and a disk is filled only by what comes while it knows that nobody is there.
    Settle,
    Kill,
    Restart,
    Cut,
    Mend,
}

impl Plan {
    /// In order. The detector is away for a moment after each kill, and for long enough to fill the disk once.
    fn faults(&self) -> Vec<(u64, Fault)> {
        let whole = self.seconds * 1000;
        let mut faults = Vec::new();
        for number in 0..self.kills {
            let at = whole * (2 * number + 1) / (2 * self.kills);
            let long = number == self.kills / 2;
            let away = if long { 900 } else { 50 };
            faults.extend(long.then_some((at, Fault::Settle)));
            faults.extend([(at, Fault::Kill), (at + away, Fault::Restart)]);
        }
        for number in 0..self.cuts {
            let at = whole * (3 * number + 1) / (3 * self.cuts);
            faults.extend([(at, Fault::Cut), (at + 700, Fault::Mend)]);
        }
        faults.sort_unstable();
        faults
    }
}

#[test]
fn every_event_arrives_or_is_in_the_reported_loss() {
    let plan = Plan::chosen();
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::mount(dir.path().join("disk"));
    let _link = Link::make();
    let recorder = Recorder::start();
    let port = TcpListener::bind((DETECTOR, 0)).unwrap().local_addr().unwrap().port();
    let more = format!("grpc: {{address: {DETECTOR}, port: {port}}}");
    let mut detector = Program::start(dir.path(), recorder.port, &more);
    let node = Node::start(port, &disk.0.join("spool"));

    let (begun, mut produced) = (Instant::now(), 0);
    let mut faults = plan.faults().into_iter().peekable();
    let length = Duration::from_secs(plan.seconds);
    // What a fault takes by itself is not of the plan: a slow start must not eat the time in which nobody is there.
    let mut paused = Duration::ZERO;
    loop {
        let now = begun.elapsed().saturating_sub(paused);
        if now >= length && faults.peek().is_none() {
            break;
        }
        let due = usize::try_from(now.min(length).as_millis()).unwrap() * plan.rate / 1000;
        if due > produced {
            node.produce(produced..due);
            produced = due;
        }
        let millis = u64::try_from(now.as_millis()).unwrap();
        let Some((_, fault)) = faults.next_if(|(at, _)| *at <= millis) else {
            thread::sleep(Duration::from_millis(2));
            continue;
        };
        let fault_began = Instant::now();
        match fault {
            Fault::Settle => {
                until("everything is accounted for", || recorder.account(produced).accounted() == produced);
            }
            Fault::Kill => detector.kill(),
            Fault::Restart => detector.again(),
            Fault::Cut => run("ip", &["link", "set", LINK, "down"]),
            Fault::Mend => run("ip", &["link", "set", LINK, "up"]),
        }
        paused += fault_began.elapsed();
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    // Nothing is left under way, and whoever comes now is served as if nothing had been.
    let account = loop {
        let account = recorder.account(produced);
        if account.missing <= account.lost {
            let before = account.arrived;
            node.produce(produced..produced + 1);
            produced += 1;
            until("one more is accounted for", || recorder.account(produced).accounted() == produced);
            if recorder.account(produced).arrived > before {
                break account;
            }
        }
        assert!(Instant::now() < deadline, "of {produced}: {account:?}\n{}", detector.log());
        thread::sleep(Duration::from_millis(20));
    };
    eprintln!("{produced} events: {account:?}");
    assert!(account.lost > 0, "the disk was full: {account:?}");
    node.remote.stop();
    node.thread.join().unwrap().unwrap();
    until("nothing is left on the disk", || {
        fs::read_dir(disk.0.join("spool")).unwrap().all(|entry| entry.unwrap().file_name() == "lock")
    });
}
