//! Hand-made observations.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "these are parts of tests")]

use std::{fs, path::PathBuf, sync::Arc};

use sentinel_event::{
    Body, Connect, Endpoint, Event, Exec, Executable, FileOpen, Head, Observation, Process, ProcessKey,
    Socket, Source, Syscall, UserPath,
};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Matching, Memory, Selection},
};

pub(crate) const NOW: u64 = 1_700_000_000_123_456_789;

pub(crate) fn call(number: libc::c_long) -> Option<Syscall> {
    Some(Syscall(number.try_into().expect("a call")))
}

pub(crate) fn process(tgid: u32, comm: &str, exe: &str, argv: &[&str]) -> Arc<Process> {
    Arc::new(Process {
        key: ProcessKey { tgid, start_ns: u64::from(tgid) * 1_000_000 },
        comm: comm.into(),
        exe: exe.into(),
        argv: argv.iter().map(|argument| (*argument).into()).collect(),
        ..Process::default()
    })
}

/// `body` done by `cat` (pid 300) below `bash` (200) below `sshd` (100).
pub(crate) fn observation(body: Body) -> Observation {
    let own = process(300, "cat", "/usr/bin/cat", &["cat", "-n", "/x"]);
    let parents = [
        process(200, "bash", "/usr/bin/bash", &["-bash"]),
        process(100, "sshd", "/usr/sbin/sshd", &["/usr/sbin/sshd", "-D"]),
    ];
    let head = Head {
        boot_ns: 10_000_000_000,
        real_ns: NOW,
        process: own.key,
        tid: 300,
        vpid: 30,
        parent: parents[0].key,
        uid: 1000,
        gid: 1000,
        euid: 1000,
        egid: 1000,
        loginuid: u32::MAX,
        session: 200,
        comm: "cat".into(),
        ..Head::default()
    };
    Observation {
        event: Event { head, body },
        process: Some(own),
        ancestors: parents.into(),
        container_id: None,
        workload: None,
    }
}

/// The same in a container.
pub(crate) fn contained(mut observation: Observation) -> Observation {
    observation.container_id = Some("0123456789abcdef0123456789abcdef".into());
    observation
}

/// The process is called `name`.
pub(crate) fn called(mut observation: Observation, name: &str) -> Observation {
    observation.event.head.comm = name.into();
    let process = Arc::make_mut(observation.process.as_mut().expect("a process"));
    process.comm = name.into();
    observation
}

/// The parent is called `name`.
pub(crate) fn below(mut observation: Observation, name: &str) -> Observation {
    observation.ancestors = [process(200, name, &format!("/usr/bin/{name}"), &[name])].into();
    observation
}

pub(crate) fn open(path: &str, flags: i32) -> Observation {
    let flags = flags.cast_unsigned();
    let mut opened = observation(Body::FileOpen(FileOpen {
        path: path.into(),
        flags,
        dev: 8,
        ino: 77,
        ..FileOpen::default()
    }));
    opened.event.head.syscall = call(libc::SYS_openat);
    opened.event.head.result = 3;
    opened
}

pub(crate) fn asked(path: &str, name: &str) -> UserPath {
    UserPath { path: path.into(), name: name.into(), unreadable: false, ..UserPath::default() }
}

/// The start of `argv`, whose program is `/usr/bin` and its name.
pub(crate) fn exec(name: &str, argv: &[&str]) -> Observation {
    let body = Exec {
        filename: format!("/usr/bin/{name}").as_str().into(),
        exe: format!("/usr/bin/{name}").as_str().into(),
        argv: argv.iter().map(|argument| (*argument).into()).collect(),
        executable: Executable { ino: 99, ..Executable::default() },
        cwd: "/home/u".into(),
        ..Exec::default()
    };
    called(observation(Body::Exec(body)), name)
}

pub(crate) fn exec_body(observation: &mut Observation) -> &mut Exec {
    match &mut observation.event.body {
        Body::Exec(exec) => exec,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn end(address: &str, port: u16) -> Endpoint {
    Endpoint {
        ip: Some(address.parse().expect("an address")),
        port,
        source: Source::Kernel,
        ..Endpoint::default()
    }
}

pub(crate) fn connect(peer: &str, port: u16) -> Observation {
    let family = if peer.contains(':') { 10 } else { 2 };
    let local = end(if family == 2 { "10.0.0.5" } else { "fd00::5" }, 40_000);
    let socket =
        Socket { family, kind: 1, protocol: 6, fd: 5, local, peer: end(peer, port), ..Socket::default() };
    let mut connected = observation(Body::Connect(Connect { socket }));
    connected.event.head.syscall = call(libc::SYS_connect);
    connected
}

pub(crate) fn socket(observation: &mut Observation) -> &mut Socket {
    match &mut observation.event.body {
        Body::Connect(connect) => &mut connect.socket,
        Body::Bind(bind) => &mut bind.socket,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn load(text: &str) -> RuleSet {
    let (report, set) = RuleSet::load(&[("f.yaml", text)]);
    set.unwrap_or_else(|| panic!("{report}\n{text}"))
}

/// A rule with this condition and output.
pub(crate) fn rule(condition: &str, output: &str) -> String {
    let condition = condition.replace('\'', "''");
    format!("- rule: r\n  desc: d\n  output: '{output}'\n  priority: INFO\n  condition: '{condition}'\n")
}

pub(crate) fn engine(condition: &str) -> Engine {
    Engine::new(load(&rule(condition, "o")), &Selection::default())
}

/// Names of the rules that match.
pub(crate) fn fired(engine: &Engine, observation: &Observation) -> Vec<String> {
    let mut names = Vec::new();
    let each = &mut |alert: sentinel_rules::language::eval::Alert<'_>| names.push(alert.rule.name.clone());
    engine.evaluate(observation, &mut Memory::default(), each);
    names
}

pub(crate) fn holds(condition: &str, observation: &Observation) -> bool {
    !fired(&engine(condition), observation).is_empty()
}

/// Each condition with what it must be.
pub(crate) fn check(observation: &Observation, cases: &[(&str, bool)]) {
    for (condition, expected) in cases {
        assert_eq!(holds(condition, observation), *expected, "{condition}");
        assert_eq!(holds(&format!("not ({condition})"), observation), !expected, "not ({condition})");
    }
}

/// An alert of a rule with this output.
pub(crate) fn rendered(output: &str, observation: &Observation) -> String {
    let engine = Engine::new(load(&rule("evt.type exists", output)), &Selection::default());
    let mut text = Vec::new();
    engine.evaluate(observation, &mut Memory::default(), &mut |alert| alert.message(&mut text));
    String::from_utf8(text).expect("UTF-8")
}

/// The stock rules, all that match. None, with a word about it, when the files are not there.
pub(crate) fn stock() -> Option<Engine> {
    let all = Selection { matching: Matching::All, ..Selection::default() };
    stock_set().map(|set| Engine::new(set, &all))
}

/// The same, not compiled.
pub(crate) fn stock_set() -> Option<RuleSet> {
    let [stable, incubating] = stock_texts()?;
    let (report, set) = RuleSet::load(&[("stable", &stable), ("incubating", &incubating)]);
    Some(set.unwrap_or_else(|| panic!("{report}")))
}

/// The texts of both files.
pub(crate) fn stock_texts() -> Option<[String; 2]> {
    let named = std::env::var_os("SENTINEL_FALCO_RULES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/falco-rules");
    let directory = named.clone().unwrap_or(beside);
    let read = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Some(text),
        Err(error) if named.is_some() => panic!("SENTINEL_FALCO_RULES is set, but {name}: {error}"),
        Err(error) => {
            eprintln!("SKIPPED: {name}: {error}; set SENTINEL_FALCO_RULES to test the stock rules");
            None
        }
    };
    Some([read("falco_rules.yaml")?, read("falco-incubating_rules.yaml")?])
}
