//! Executions have names of their own, from fork over exec to exec, whatever was missed.
#![allow(clippy::unwrap_used)] // a test program: helpers may fail it

use sentinel_enrich::{Cgroup, Enricher, Options, Source};
use sentinel_event::{Body, Event, Exec, Fork, Head, Listen, Observation, Process, ProcessKey, Text};

#[derive(Debug)]
struct Nothing;

impl Source for Nothing {
    fn processes(&mut self) -> Vec<Process> {
        Vec::new()
    }
    fn process(&mut self, _tgid: u32) -> Option<Process> {
        None
    }
    fn cgroup_of(&mut self, _tgid: u32) -> Option<Cgroup> {
        None
    }
    fn cgroups(&mut self) -> Vec<(u64, Text)> {
        Vec::new()
    }
}

fn enricher() -> Enricher {
    Enricher::new(&Options { host: 0xabc, ..Options::default() }, Box::new(Nothing))
}

fn key(tgid: u32) -> ProcessKey {
    ProcessKey { tgid, start_ns: u64::from(tgid) * 100 }
}

fn event(tgid: u32, parent: u32, execution: u16, body: Body) -> Event {
    let head = Head { process: key(tgid), tid: tgid, parent: key(parent), execution, ..Head::default() };
    Event { head, body }
}

fn fork(tgid: u32, execution: u16, child: u32) -> Event {
    event(tgid, 1, execution, Body::Fork(Fork { child: key(child), child_vpid: child }))
}

fn exec(tgid: u32, parent: u32, execution: u16) -> Event {
    event(tgid, parent, execution, Body::Exec(Exec::default()))
}

fn act(tgid: u32, parent: u32, execution: u16) -> Event {
    event(tgid, parent, execution, Body::Listen(Listen::default()))
}

/// Own execution, that of the creator, those of the ancestors.
fn names(told: &Observation) -> (String, String, Vec<String>) {
    let ancestors = told.ancestors.iter().map(|process| process.exec_id().unwrap().to_string());
    let creator = told.parent_exec_id().map(|id| id.to_string()).unwrap_or_default();
    (told.exec_id().unwrap().to_string(), creator, ancestors.collect())
}

fn id(tgid: u32, execution: u16) -> String {
    format!("0000000000000abc-{tgid}-{}-{execution}", tgid * 100)
}

#[test]
fn an_execution_is_named_from_fork_to_exec_to_exec() {
    let mut e = enricher();
    e.observe(act(10, 1, 3));
    e.observe(fork(10, 3, 11));
    let child = e.observe(act(11, 10, 3));
    assert_eq!(names(&child), (id(11, 3), id(10, 3), vec![id(10, 3)]));
    let program = e.observe(exec(11, 10, 4));
    assert_eq!(names(&program), (id(11, 4), id(10, 3), vec![id(10, 3)]));
    assert_eq!(names(&e.observe(exec(11, 10, 5))).0, id(11, 5));
}

#[test]
fn who_created_a_process_is_kept_whatever_becomes_of_that_one() {
    let mut e = enricher();
    e.observe(act(10, 1, 3));
    e.observe(fork(10, 3, 11));
    // The creator runs another program, then dies: the reaper is the parent.
    e.observe(exec(10, 1, 4));
    assert_eq!(names(&e.observe(act(11, 10, 3))), (id(11, 3), id(10, 3), vec![id(10, 4)]));
    assert_eq!(names(&e.observe(act(11, 1, 3))).1, id(10, 3));
}

#[test]
fn a_process_whose_beginning_was_missed_is_named_all_the_same() {
    let mut e = enricher();
    e.observe(act(10, 0, 7));
    // Neither its fork nor its exec was seen.
    let late = e.observe(act(11, 10, 9));
    assert_eq!(names(&late), (id(11, 9), id(10, 7), vec![id(10, 7)]));
    // Of its parent nothing is known: it has no name to tell.
    assert_eq!(names(&e.observe(act(20, 19, 2))), (id(20, 2), String::new(), Vec::new()));
}

#[test]
fn a_snapshot_knows_executions() {
    let mut e = enricher();
    let process = |tgid, parent, execution| Process {
        key: key(tgid),
        parent: key(parent),
        execution: Some(execution),
        ..Process::default()
    };
    e.fill(vec![process(10, 0, 3), process(11, 10, 5)]);
    assert_eq!(names(&e.observe(act(11, 10, 5))), (id(11, 5), id(10, 3), vec![id(10, 3)]));
}
