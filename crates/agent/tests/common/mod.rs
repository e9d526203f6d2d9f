//! A source of events without a kernel.
#![allow(dead_code)] // each test file uses a part

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_agent::{Capture, CaptureError, Config, Control};
use sentinel_event::{
    Body, Comm, Event, Exec, FileInterest, FileIo, FileOpen, Head, Kind, KindSet, Path, Process, ProcessKey,
};
use sentinel_probe::{Counters, HookState, HookStatus, KindCounters};

/// What the test does to the source, and what the agent did to it.
#[derive(Default)]
pub(crate) struct Script {
    /// Batches that the next polls bring.
    pub(crate) batches: Mutex<VecDeque<Vec<Event>>>,
    /// What only the drain brings.
    pub(crate) last: Mutex<Vec<Event>>,
    /// The next poll fails.
    pub(crate) fail: AtomicBool,
    /// A hook that is needed is not attached.
    pub(crate) slow: AtomicBool,
    /// `set_kinds` fails.
    pub(crate) refuse: AtomicBool,
    /// Calls of the controlling side, in order.
    pub(crate) calls: Mutex<Vec<String>>,
    /// Which opens of files it asked for.
    pub(crate) files: Mutex<Vec<FileInterest>>,
    pub(crate) polls: AtomicU64,
}

pub(crate) struct Fake(pub(crate) Arc<Script>);

impl Capture for Fake {
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError> {
        self.0.polls.fetch_add(1, Ordering::Relaxed);
        if self.0.fail.load(Ordering::Relaxed) {
            return Err("the ring broke".into());
        }
        match self.0.batches.lock().unwrap().pop_front() {
            Some(batch) => events.extend(batch),
            // As the real source: waits a little when there is nothing.
            None => std::thread::sleep(Duration::from_millis(2)),
        }
        Ok(())
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError> {
        self.0.calls.lock().unwrap().push("drain".into());
        events.extend(self.0.batches.lock().unwrap().drain(..).flatten());
        events.append(&mut self.0.last.lock().unwrap());
        Ok(())
    }
}

impl Control for Fake {
    fn set_kinds(&mut self, kinds: KindSet) -> Result<(), CaptureError> {
        let names: Vec<_> = kinds.iter().map(Kind::name).collect();
        self.0.calls.lock().unwrap().push(format!("kinds {}", names.join(",")));
        if self.0.refuse.load(Ordering::Relaxed) { Err("the kernel said no".into()) } else { Ok(()) }
    }

    fn set_file_interest(&mut self, interest: &FileInterest) -> Result<(), CaptureError> {
        self.0.files.lock().unwrap().push(interest.clone());
        Ok(())
    }

    fn counters(&self) -> Result<Counters, CaptureError> {
        let kind = KindCounters {
            kind: Kind::Exec,
            produced: 7,
            lost: 2,
            excluded: 1,
            deferred: 0,
            filtered: 0,
            folded: 0,
        };
        Ok(Counters {
            kinds: vec![kind],
            ring_used: Some(64),
            ring_size: 4096,
            skipped: vec![(Some(Kind::Exec), 2), (None, 1)],
            malformed: 3,
            open_files: 5,
        })
    }

    fn processes(&self) -> Result<Vec<Process>, CaptureError> {
        Ok(Vec::new())
    }

    fn set_consumers(&mut self, tgids: &[u32]) -> Result<(), CaptureError> {
        self.0.calls.lock().unwrap().push(format!("consumers {}", tgids.contains(&std::process::id())));
        Ok(())
    }

    fn hooks(&self) -> Vec<HookStatus> {
        let hook = |state| HookStatus { program: "p", hook: "h".into(), kinds: KindSet::all(), state };
        let idle = |kind| HookStatus { kinds: [kind].into_iter().collect(), ..hook(HookState::Idle) };
        let mut hooks = vec![
            hook(HookState::Attached { verified: true }),
            hook(HookState::Degraded("why \"not\"\n".into())),
            idle(Kind::Ptrace),
        ];
        if self.0.slow.load(Ordering::Relaxed) {
            hooks.push(idle(Kind::FileRead));
        }
        hooks
    }
}

/// A read of a file of this name.
pub(crate) fn read(path: &str) -> Event {
    event(Body::FileRead(FileIo { path: Path::from(path), bytes: 1, calls: 1, ..FileIo::default() }))
}

pub(crate) fn exec() -> Event {
    event(Body::Exec(Exec::default()))
}

/// An open of a file of this name for reading.
pub(crate) fn open(path: &str) -> Event {
    event(Body::FileOpen(FileOpen { path: Path::from(path), ..FileOpen::default() }))
}

fn event(body: Body) -> Event {
    let process = ProcessKey { tgid: 4_000_000_000, start_ns: 1 };
    let head = Head {
        boot_ns: 10,
        real_ns: 1_700_000_000_000_000_000,
        process,
        tid: 1,
        comm: Comm::from("t"),
        ..Head::default()
    };
    Event { head, body }
}

/// No fixed ports, no detection.
pub(crate) fn config() -> Config {
    Config::parse("test", "health: {port: 0}\nmetrics: {port: 0}\ndetection: {rules: []}\n").unwrap()
}

/// Waits until it is so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The whole answer to these bytes.
pub(crate) fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The other side may hang up while we still talk.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// First line of the answer's head, and its body.
pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    let answer = talk(address, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}
