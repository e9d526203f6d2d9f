//! Executions are counted by the kernel, and every event says which one it is of. Needs root.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod harness;

use std::process::{self, Command};

use harness::capture_of;
use sentinel_event::{Event, Kind};

/// What is loaded.
const KINDS: &[Kind] = &[];

/// Process and number of each event of a kind.
fn numbers(events: &[Event], kind: Kind) -> Vec<(u32, u16)> {
    let of = events.iter().filter(|event| event.kind() == kind);
    of.map(|event| (event.head.process.tgid, event.head.execution)).collect()
}

#[test]
fn each_exec_is_the_next_execution_and_a_fork_is_none() {
    let mut child = 0;
    let events = capture_of(KINDS).during(|| {
        let mut running =
            Command::new("/bin/sh").args(["-c", "exec /bin/sh -c 'exec /bin/true'"]).spawn().unwrap();
        child = running.id();
        running.wait().unwrap();
    });
    let (forks, execs) = (numbers(&events, Kind::Fork), numbers(&events, Kind::Exec));
    let [(parent, ours)] = forks[..] else { panic!("{events:?}") };
    assert_eq!(parent, process::id());
    let next = |by| (child, ours.wrapping_add(by));
    assert_eq!(execs, [next(1), next(2), next(3)], "{events:?}");
    assert_eq!(numbers(&events, Kind::Exit), [next(3)]);
}

#[test]
fn an_exec_that_fails_leaves_the_execution() {
    let events = capture_of(KINDS).during(|| {
        let status = Command::new("/bin/sh").args(["-c", "exec /nowhere/at-all"]).status().unwrap();
        assert_eq!(status.code(), Some(127));
    });
    let started = events.iter().filter(|event| event.kind() == Kind::Exec);
    let (failed, made): (Vec<_>, Vec<_>) = started.partition(|event| event.head.failed());
    let ([failed], [shell]) = (&failed[..], &made[..]) else { panic!("{events:?}") };
    let execution = |event: &Event| (event.head.process, event.head.execution);
    assert_eq!(execution(failed), execution(shell));
}

#[test]
fn the_snapshot_has_the_same_numbers() {
    let mut capture = capture_of(KINDS);
    let own = process::id();
    let events = capture.during(|| assert!(Command::new("/bin/true").status().unwrap().success()));
    let [(_, told)] = numbers(&events, Kind::Fork)[..] else { panic!("{events:?}") };
    let processes = capture.probe.processes().unwrap();
    let found = processes.iter().find(|process| process.key.tgid == own).unwrap();
    assert_eq!(found.execution, Some(told));
}
