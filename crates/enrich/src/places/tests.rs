use std::collections::HashMap;

use sentinel_event::{Process, Text};

use super::*;
use crate::source::Cgroup;

/// A host made of two tables, which counts what it is asked.
#[derive(Debug, Default)]
struct Host {
    born: HashMap<u64, Text>,
    placed: Vec<(u64, bool)>,
    processes: HashMap<u32, Cgroup>,
    cgroups: Vec<(u64, Text)>,
    scans: usize,
    lookups: usize,
}

impl Source for Host {
    fn processes(&mut self) -> Vec<Process> {
        Vec::new()
    }
    fn process(&mut self, _tgid: u32) -> Option<Process> {
        None
    }
    fn cgroup_of(&mut self, tgid: u32) -> Option<Cgroup> {
        self.lookups += 1;
        self.processes.get(&tgid).cloned()
    }
    fn invocation(&mut self, unit: &str) -> Option<Arc<str>> {
        Some(format!("of {unit}").into())
    }
    fn born(&mut self, id: u64) -> Option<Text> {
        self.born.get(&id).cloned()
    }
    fn placed(&mut self, id: u64, contained: bool) {
        self.placed.push((id, contained));
    }
    fn cgroups(&mut self) -> Vec<(u64, Text)> {
        self.scans += 1;
        self.cgroups.clone()
    }
}

fn docker(id: u64) -> (u64, Text) {
    (id, format!("/docker/{id:064x}").into())
}

fn name(id: u64) -> Option<Arc<str>> {
    Some(format!("{id:064x}").into())
}

fn id_in(places: &Places, id: u64) -> Option<Arc<str>> {
    places.get((id, 0))?.0.container.clone()
}

#[test]
fn a_cgroup_is_asked_for_once_and_remembered() {
    let mut host = Host::default();
    host.processes.insert(7, Cgroup { id: Some(70), path: docker(70).1, ..Cgroup::default() });
    let mut places = Places::new(8);
    for now_ns in 0..5 {
        places.want((70, 0), 7, now_ns);
        places.resolve(&mut host, now_ns);
    }
    assert_eq!((id_in(&places, 70), host.lookups, host.scans), (name(70), 1, 0));
}

#[test]
fn a_process_that_moved_or_ended_does_not_name_the_container() {
    let mut host = Host { cgroups: vec![docker(70), docker(71)], ..Host::default() };
    host.processes.insert(7, Cgroup { id: Some(99), path: docker(99).1, ..Cgroup::default() });
    let mut places = Places::new(8);
    places.want((70, 0), 7, 0);
    places.want((71, 0), 8, 0);
    places.resolve(&mut host, 0);
    assert_eq!((id_in(&places, 70), id_in(&places, 71), host.scans), (name(70), name(71), 1));
}

#[test]
fn an_unknown_cgroup_does_not_cause_a_scan_each_time() {
    let mut host = Host::default();
    let mut places = Places::new(64);
    for now_ms in 0..30_000 {
        places.want((1 + now_ms % 50, 0), 7, now_ms * 1_000_000);
        places.resolve(&mut host, now_ms * 1_000_000);
    }
    assert!(host.scans <= 31, "{}", host.scans);
    assert!(host.lookups <= 5 * 50, "{}", host.lookups);
}

#[test]
fn what_was_not_found_is_asked_again_later() {
    let mut host = Host::default();
    let mut places = Places::new(8);
    places.want((70, 0), 7, 0);
    places.resolve(&mut host, 0);
    host.processes.insert(7, Cgroup { id: Some(70), path: docker(70).1, ..Cgroup::default() });
    places.want((70, 0), 7, DOUBT_NS);
    places.resolve(&mut host, DOUBT_NS);
    assert_eq!(id_in(&places, 70), name(70));
}

#[test]
fn the_table_of_cgroups_keeps_its_bound_and_the_used_ones() {
    let mut host = Host { cgroups: (1..=100).map(docker).collect(), ..Host::default() };
    let mut places = Places::new(10);
    for id in 1..=100 {
        let now_ns = id * 2_000_000_000;
        places.want((1, 0), 0, now_ns);
        places.want((id, 0), 0, now_ns);
        places.resolve(&mut host, now_ns);
        assert!(places.len() <= 10);
    }
    assert_eq!((id_in(&places, 1), id_in(&places, 100)), (name(1), name(100)));
    assert_eq!(places.evicted, 90);
}

#[test]
fn a_cgroup_that_has_gone_is_found_in_the_book_of_births() {
    let mut host = Host { born: HashMap::from([docker(70)]), ..Host::default() };
    let mut places = Places::new(8);
    places.want((70, 0), 7, 0);
    places.resolve(&mut host, 0);
    assert_eq!((id_in(&places, 70), host.lookups, host.scans), (name(70), 0, 0));
    assert_eq!((places.changed(), places.changed()), (Some((70, 0)), None));
}

#[test]
fn in_the_root_cgroup_version_1_names_the_container_of_a_mount_namespace() {
    let mut host = Host::default();
    let legacy = |legacy| Cgroup { id: Some(ROOT_CGROUP), path: "/".into(), legacy };
    host.processes.insert(7, legacy(Some(docker(70).1)));
    host.processes.insert(8, legacy(None));
    let mut places = Places::new(8);
    for (mnt, tgid) in [(100, 7), (200, 8)] {
        places.want(cell(ROOT_CGROUP, mnt), tgid, 0);
    }
    places.resolve(&mut host, 0);
    let container = |mnt| places.get((ROOT_CGROUP, mnt)).unwrap().0.container.clone();
    assert_eq!((container(100), container(200)), (name(70), None));
}

#[test]
fn a_unit_of_the_host_has_an_invocation() {
    let mut host =
        Host { born: HashMap::from([(5, "/system.slice/a.service".into()), docker(6)]), ..Host::default() };
    let mut places = Places::new(8);
    places.want((5, 0), 7, 0);
    places.want((6, 0), 7, 0);
    places.resolve(&mut host, 0);
    let invocation = |id| places.get((id, 0)).unwrap().0.invocation.clone();
    assert_eq!((invocation(5).as_deref(), invocation(6)), (Some("of a.service"), None));
}

#[test]
fn what_a_cgroup_is_is_told_when_it_is_sure() {
    let born = [(5, "/system.slice/a.service".into()), docker(6), (7, "/lxc.payload.host".into())];
    let mut host = Host { born: HashMap::from(born), ..Host::default() };
    host.processes.insert(8, Cgroup { id: Some(ROOT_CGROUP), path: "/".into(), ..Cgroup::default() });
    host.processes.insert(9, Cgroup { id: None, path: "/../x".into(), ..Cgroup::default() });
    let mut places = Places::new(8);
    for (id, tgid) in [(5, 1), (6, 1), (7, 1), (ROOT_CGROUP, 8), (90, 9), (91, 10)] {
        places.want((id, 0), tgid, 0);
    }
    places.resolve(&mut host, 0);
    assert_eq!(host.placed, [(5, false), (6, true)]);
}
