//! How long rules take: nanoseconds an event over synthetic events of a usual mix.
//!
//! `cargo run --release -p sentinel-rules --example rule_rate -- FILE…`; each file is a rule file. With
//! `--more N` there are N rules more, of the usual shape.

#![allow(clippy::print_stdout, reason = "it is a program for the terminal")]

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use sentinel_event::{
    Body, Connect, Endpoint, Event, Exec, Exit, FileClose, FileIo, FileOpen, Head, Observation, Process,
    ProcessKey, Socket,
};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Memory, Selection},
};

const EVENTS: usize = 10_000;
const ROUNDS: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    let mut more = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--more" {
            more = arguments.next().ok_or("--more takes a number")?.parse()?;
        } else {
            files.push((argument.clone(), std::fs::read_to_string(&argument)?));
        }
    }
    files.push(("more".to_owned(), usual(more)?));
    let names: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (report, set) = RuleSet::load(&names);
    let Some(set) = set else { return Err(report.to_string().into()) };
    let started = Instant::now();
    let engine = Engine::new(set, &Selection::default());
    println!("{} rules, compiled in {:?}", engine.rules().len(), started.elapsed());

    let events: Vec<_> = (0..EVENTS).map(event).collect();
    let mut memory = Memory::default();
    let mut alerts = 0_u64;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for event in &events {
            engine.evaluate(event, &mut memory, &mut |_| alerts += 1);
        }
        best = best.min(started.elapsed());
    }
    let per_event = best.as_nanos() / EVENTS as u128;
    println!("{per_event} ns an event (best of {ROUNDS} rounds of {EVENTS} events); {alerts} alerts in all");
    Ok(())
}

/// Rules as people write them.
fn usual(count: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for number in 0..count {
        let condition = match number % 3 {
            0 => format!(
                "evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name startswith \
                 /srv/secret{number}/ and not proc.name in (app{number}, backup)"
            ),
            1 => format!(
                "evt.type in (execve, execveat) and proc.name = tool{number} and proc.cmdline contains \
                 \" --flag{number}\""
            ),
            _ => format!(
                "evt.type = connect and fd.sport = {} and proc.name = client{number} and not fd.snet in \
                 (10.0.0.0/8)",
                number % 60_000
            ),
        };
        writeln!(
            text,
            "- rule: more {number}\n  desc: d\n  output: o\n  priority: INFO\n  condition: '{condition}'"
        )?;
    }
    Ok(text)
}

/// 40 % opens, 20 % exec and exit, 15 % network, 15 % write and close, 10 % other.
fn event(number: usize) -> Observation {
    const COMMS: &[&str] = &["make", "cc1", "nginx", "postgres", "cron", "node", "git", "systemd"];
    let comm = COMMS.get(number / 7 % COMMS.len()).copied().unwrap_or_default();
    let path = |top: &str| format!("{top}/{comm}/part{}/file{number}.so", number % 50).as_str().into();
    let argv = |first: &str| [first, "-O2", "-o", "out.o", "in.c"].map(Into::into).to_vec();
    let (body, result) = match number % 20 {
        0..8 => (Body::FileOpen(FileOpen { path: path("/usr/lib"), ino: 9, ..FileOpen::default() }), 3),
        8..10 => {
            let exe = format!("/usr/bin/{comm}").as_str().into();
            (Body::Exec(Exec { exe, argv: argv(comm), cwd: "/src".into(), ..Exec::default() }), 0)
        }
        10 | 11 => (Body::Exit(Exit::default()), 0),
        12..15 => {
            let end =
                |last: u8, port| Endpoint { ip: Some([10, 0, 0, last].into()), port, ..Endpoint::default() };
            let (local, peer) = (end(1, 40_000), end(2, 5432));
            let socket = Socket { family: 2, kind: 1, protocol: 6, local, peer, ..Socket::default() };
            (Body::Connect(Connect { socket }), 0)
        }
        15 | 16 => (Body::FileWrite(FileIo { path: path("/var/lib"), bytes: 100, ..FileIo::default() }), 100),
        17 => (Body::FileClose(FileClose { path: path("/var/lib"), ..FileClose::default() }), 0),
        _ => (Body::FileRead(FileIo { path: path("/usr/share"), bytes: 9, ..FileIo::default() }), 9),
    };
    let process = |tgid: u32, comm: &str| {
        let key = ProcessKey { tgid, start_ns: u64::from(tgid) };
        let exe = format!("/usr/bin/{comm}").as_str().into();
        Arc::new(Process { key, comm: comm.into(), exe, argv: argv(comm).into(), ..Process::default() })
    };
    let own = process(1000, comm);
    let ancestors: Vec<_> = ["make", "bash", "sshd", "sshd", "systemd"].map(|comm| process(10, comm)).into();
    let head = Head {
        process: own.key,
        tid: 1000,
        comm: comm.into(),
        euid: 1000,
        result,
        boot_ns: 1 << 40,
        real_ns: 1 << 60,
        ..Head::default()
    };
    // Every third one in a container.
    let container_id = number.is_multiple_of(3).then(|| Arc::from("0123456789abcdef0123456789abcdef"));
    Observation { event: Event { head, body }, process: Some(own), ancestors: ancestors.into(), container_id }
}
