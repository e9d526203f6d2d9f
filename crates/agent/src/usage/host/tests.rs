#![allow(clippy::unwrap_used)]

use tempfile::TempDir;

use super::*;

const POD: &str = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice";

fn put(dir: &TempDir, path: &str, text: &str) {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A made-up host: `/proc` and a hierarchy of version 2 beside one of version 1.
fn host() -> (TempDir, Host) {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    put(
        &dir,
        "proc/self/mountinfo",
        &format!(
            "30 1 0:1 / {} rw shared:1 - cgroup2 cgroup2 rw\n31 1 0:2 / {} rw - cgroup cgroup rw,cpu,cpuacct\n\
             32 1 0:3 / /nowhere rw - cgroup cgroup rw,memory\nnonsense\n",
            at("two"),
            at("one")
        ),
    );
    put(&dir, "proc/stat", "cpu  10 20 30 999 999 4 5 6 0 0\ncpu0 1\ncpu1 1\nintr 5\n");
    put(
        &dir,
        "proc/1/net/dev",
        "Inter-|\n face |bytes\n    lo: 9 1 0 0 0 0 0 0 9 1\n  eth0:70 1 0 0 0 0 0 0 7 1 0\n veth1: 5 1 0 0 0 0 0 0 5 1\n",
    );
    put(&dir, "proc/1/net/route", "Iface\tDestination\neth0\t00000000\t0\nveth1\t0000000A\t0\n");
    let host = Host::new(dir.path().join("proc"));
    (dir, host)
}

fn found(host: &Host) -> Vec<(String, u64, bool)> {
    let seats = host.seats().into_iter();
    let mut all: Vec<_> = seats.map(|seat| (seat.path, seat.counts.cpu_ns, seat.inside.is_some())).collect();
    all.sort();
    all
}

#[test]
fn the_nodes_time_is_what_was_not_idle_and_its_traffic_what_left_it() {
    let (_dir, host) = host();
    assert_eq!(host.node(), (2, Counts { cpu_ns: 690_000_000, received: 70, sent: 7 }));
}

#[test]
fn pods_containers_and_units_are_found_once() {
    let (dir, host) = host();
    let id = "a".repeat(64);
    for (path, usec) in [
        ("two/system.slice/ssh.service".to_owned(), 5),
        ("two/system.slice/ssh.service/inner.service".to_owned(), 4),
        (format!("two/{POD}"), 30),
        (format!("two/{POD}/cri-containerd-{id}.scope"), 29),
        (format!("two/user.slice/user-7.slice/user@7.service/user.slice/libpod-{id}.scope"), 3),
    ] {
        put(&dir, &format!("{path}/cpu.stat"), &format!("usage_usec {usec}\nuser_usec 1\n"));
    }
    put(&dir, "one/system.slice/ssh.service/cpuacct.usage", "77\n");
    put(&dir, &format!("one/docker/{id}/cpuacct.usage"), "9000\n");
    put(&dir, &format!("one/docker/{id}/deep/cpuacct.usage"), "1\n");
    assert_eq!(
        found(&host),
        [
            (format!("/docker/{id}"), 9000, false),
            (format!("/{POD}"), 30_000, true),
            ("/system.slice/ssh.service".into(), 5000, false),
            ("/user.slice/user-7.slice/user@7.service".into(), 0, false),
            (format!("/user.slice/user-7.slice/user@7.service/user.slice/libpod-{id}.scope"), 3000, false),
        ]
    );
}

#[test]
fn only_a_namespace_of_its_own_makes_traffic_of_its_own() {
    let (dir, host) = host();
    for (path, id, process) in [("one/docker", "b", 7), ("one/docker", "c", 8), ("one/docker", "d", 9)] {
        let id = id.repeat(64);
        put(&dir, &format!("{path}/{id}/cgroup.procs"), &format!("0\n{process}\n"));
        put(
            &dir,
            &format!("proc/{process}/net/dev"),
            "lo: 1 0 0 0 0 0 0 0 1\neth0: 400 0 0 0 0 0 0 0 40 0\n",
        );
    }
    put(&dir, "proc/1/ns/net", "");
    put(&dir, "proc/7/ns/net", "");
    fs::create_dir_all(dir.path().join("proc/8/ns")).unwrap();
    // The same inode: the node's own.
    fs::hard_link(dir.path().join("proc/1/ns/net"), dir.path().join("proc/8/ns/net")).unwrap();
    let mut seats = host.seats();
    seats.sort_by(|a, b| a.path.cmp(&b.path));
    let traffic: Vec<_> = seats.iter().map(|seat| (seat.counts.received, seat.counts.sent)).collect();
    assert_eq!(traffic, [(400, 40), (0, 0), (0, 0)], "its own, the node's, one that cannot be looked at");
}

#[test]
fn what_makes_no_sense_counts_nothing() {
    let (dir, _) = host();
    put(&dir, "proc/stat", "cpu  x y\n");
    put(&dir, "proc/1/net/dev", ":::\neth0\neth0: a b\n");
    put(&dir, "two/system.slice/ssh.service/cpu.stat", "usage_usec 99999999999999999999\n");
    let host = Host::new(dir.path().join("proc"));
    assert_eq!(host.node(), (0, Counts::default()));
    assert_eq!(found(&host), [("/system.slice/ssh.service".into(), 0, false)]);
    assert!(Host::new("/nowhere".into()).seats().is_empty());
}

#[test]
fn without_a_default_way_inner_interfaces_are_left_out() {
    let (dir, host) = host();
    put(&dir, "proc/1/net/route", "");
    assert_eq!((host.node().1.received, host.node().1.sent), (70, 7));
}
