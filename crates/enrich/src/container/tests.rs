use std::collections::HashMap;

use sentinel_event::{Process, Text};

use super::*;
use crate::source::Cgroup;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OUTER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

#[test]
fn every_runtime_is_recognised() {
    let inside = [
        "/docker/ID",
        "/system.slice/docker-ID.scope",
        "/system.slice/docker-ID.scope/init.scope",
        "/kubepods/burstable/pod1f0c/ID",
        "/kubepods.slice/kubepods-pod1f0c.slice/cri-containerd-ID.scope",
        "/kubepods.slice/kubepods-pod1f0c.slice/crio-ID.scope",
        "/kubepods.slice/kubepods-pod1f0c.slice/crio-ID.scope/container",
        "/system.slice/containerd.service/kubepods-besteffort-pod1f0c.slice:cri-containerd:ID",
        "/machine.slice/libpod-ID.scope/container",
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
        "/libpod_parent/libpod-ID",
        "/default/ID",
        "/system.slice/nerdctl-ID.scope",
        "/../../docker/ID",
        "/docker/OUTER/docker/ID",
        "/docker/OUTER/kubelet.slice/kubelet-kubepods.slice/cri-containerd-ID.scope",
    ];
    for path in inside {
        let path = path.replace("ID", ID).replace("OUTER", OUTER);
        assert_eq!(container_of(path.as_str().into()).as_deref(), Some(ID), "{path}");
    }
}

#[test]
fn the_host_and_the_monitors_of_containers_are_in_none() {
    let short = &ID[1..];
    let upper = ID.to_uppercase();
    let outside = [
        "/".to_owned(),
        String::new(),
        "/system.slice/sshd.service".to_owned(),
        "/user.slice/user-1000.slice/session-1.scope".to_owned(),
        format!("/system.slice/crio-conmon-{ID}.scope"),
        format!("/machine.slice/libpod-conmon-{ID}.scope"),
        format!("/docker/{short}"),
        format!("/docker/0{ID}"),
        format!("/docker/{upper}"),
    ];
    for path in outside {
        assert_eq!(container_of(path.as_str().into()), None, "{path}");
    }
    assert_eq!(container_of(b"/\xff\xfe/docker".as_bstr()), None);
}

/// A host made of two tables, which counts what it is asked.
#[derive(Debug, Default)]
struct Host {
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

#[test]
fn a_cgroup_is_asked_for_once_and_remembered() {
    let mut host = Host::default();
    host.processes.insert(7, Cgroup { id: Some(70), path: docker(70).1 });
    let mut containers = Containers::new(8);
    for now_ns in 0..5 {
        containers.want(70, 7, now_ns);
        containers.resolve(&mut host, now_ns);
    }
    assert_eq!((containers.get(70), host.lookups, host.scans), (name(70), 1, 0));
}

#[test]
fn a_process_that_moved_or_ended_does_not_name_the_container() {
    let mut host = Host { cgroups: vec![docker(70), docker(71)], ..Host::default() };
    host.processes.insert(7, Cgroup { id: Some(99), path: docker(99).1 });
    let mut containers = Containers::new(8);
    containers.want(70, 7, 0);
    containers.want(71, 8, 0);
    containers.resolve(&mut host, 0);
    assert_eq!((containers.get(70), containers.get(71), host.scans), (name(70), name(71), 1));
}

#[test]
fn an_unknown_cgroup_does_not_cause_a_scan_each_time() {
    let mut host = Host::default();
    let mut containers = Containers::new(64);
    for now_ms in 0..30_000 {
        containers.want(1 + now_ms % 50, 7, now_ms * 1_000_000);
        containers.resolve(&mut host, now_ms * 1_000_000);
    }
    assert!(host.scans <= 31, "{}", host.scans);
    assert!(host.lookups <= 5 * 50, "{}", host.lookups);
}

#[test]
fn what_was_not_found_is_asked_again_later() {
    let mut host = Host::default();
    let mut containers = Containers::new(8);
    containers.want(70, 7, 0);
    containers.resolve(&mut host, 0);
    host.processes.insert(7, Cgroup { id: Some(70), path: docker(70).1 });
    containers.want(70, 7, DOUBT_NS);
    containers.resolve(&mut host, DOUBT_NS);
    assert_eq!(containers.get(70), name(70));
}

#[test]
fn the_table_of_cgroups_keeps_its_bound_and_the_used_ones() {
    let mut host = Host { cgroups: (1..=100).map(docker).collect(), ..Host::default() };
    let mut containers = Containers::new(10);
    for id in 1..=100 {
        let now_ns = id * 2_000_000_000;
        containers.want(1, 0, now_ns);
        containers.want(id, 0, now_ns);
        containers.resolve(&mut host, now_ns);
        assert!(containers.len() <= 10);
    }
    assert_eq!((containers.get(1), containers.get(100)), (name(1), name(100)));
    assert_eq!(containers.evicted, 90);
}
