use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentinel_event::{Body, Event, Exit, Head, Process, ProcessKey, Text};

use super::*;
use crate::source::Cgroup;
use crate::{Enricher, Options};

/// A host in which every cgroup is a container's. What goes, and what was forgotten.
#[derive(Debug, Default, Clone)]
struct Host(Arc<Mutex<(Vec<u64>, Vec<u64>)>>);

impl Source for Host {
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
    fn born(&mut self, id: u64) -> Option<Text> {
        Some(format!("/docker/{id:064x}").into())
    }
    fn died(&mut self) -> Option<u64> {
        self.0.lock().unwrap().0.pop()
    }
    fn forget(&mut self, id: u64) {
        self.0.lock().unwrap().1.push(id);
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn named(enricher: &mut Enricher, cgroup_id: u64) -> bool {
    let head = Head { process: ProcessKey { tgid: 7, start_ns: 1 }, cgroup_id, ..Head::default() };
    let event = Event { head, body: Body::Exit(Exit::default()) };
    enricher.prepare(std::slice::from_ref(&event));
    enricher.observe(event).container_id.is_some()
}

#[test]
fn a_container_that_has_gone_is_known_for_half_a_minute_though_nothing_happens() {
    let host = Host::default();
    let mut enricher = Enricher::new(&Options::default(), Box::new(host.clone()));
    assert!(named(&mut enricher, 70) && named(&mut enricher, 71));
    host.0.lock().unwrap().0.push(70);
    for _ in 0..29 {
        enricher.rest(SECOND);
    }
    assert!(named(&mut enricher, 70), "its last event may be on its way");
    let sizes = |enricher: &Enricher| {
        let counters = enricher.counters();
        (counters.containers, counters.workloads, counters.processes)
    };
    assert_eq!(sizes(&enricher), (2, 2, 1));
    for _ in 0..10 {
        enricher.rest(SECOND);
    }
    assert_eq!((sizes(&enricher), &*host.0.lock().unwrap().1), ((1, 1, 0), &[70][..]));
}

#[test]
fn of_thousands_that_go_at_once_the_first_are_forgotten_early() {
    let mut host = Host::default();
    host.0.lock().unwrap().0.extend((1..=100).rev());
    let mut deaths = Deaths::new(30 * LOOK_NS, 60);
    let over = deaths.over(&mut host, LOOK_NS);
    assert_eq!((over.len(), over.contains(&1), over.contains(&41)), (40, true, false));
    assert!(deaths.over(&mut host, 31 * LOOK_NS).is_empty());
    assert_eq!(deaths.over(&mut host, 32 * LOOK_NS).len(), 60);
}
