//! What a pod does is told with its owner, from the cgroup and the API server alone. Needs root and cgroup version 2.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests
#![allow(unreachable_pub, missing_docs, dead_code)] // shared with others

#[path = "../../identity/tests/cluster/mod.rs"]
mod cluster;
mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cluster::{Cluster, NODE, pod};
use harness::{Agent, DEADLINE, poll};
use serde_json::Value;

/// The cgroup of a container of a pod, as the kubelet makes it.
struct Made {
    pod: PathBuf,
    container: PathBuf,
}

impl Made {
    fn new(uid: &str, id: &str) -> Self {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"));
        let top = Path::new(mount.unwrap().split(' ').nth(1).unwrap());
        let pod = top.join("kubepods/besteffort").join(format!("pod{uid}"));
        let container = pod.join(id);
        fs::create_dir_all(&container).unwrap();
        Self { pod, container }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Those above are removed by whoever is the last.
        let above = self.pod.ancestors().skip(1).take(2);
        [self.container.as_path(), &self.pod]
            .into_iter()
            .chain(above)
            .for_each(|dir| drop(fs::remove_dir(dir)));
    }
}

#[test]
fn a_pods_events_say_its_deployment_without_any_runtime() {
    let uid = format!("0a1b2c3d-0000-4000-8000-{:012x}", std::process::id());
    let id = format!("{:064x}", u64::from(std::process::id()) << 32 | 0xabcd);
    let cluster = Cluster::start();
    let labels = [("app", "web"), ("pod-template-hash", "7d4b9c6f5")];
    cluster.put(pod(&uid, "web-7d4b9c6f5-x2x9q", Some(("ReplicaSet", "web-7d4b9c6f5")), &labels));
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    fs::write(&mark, "x").unwrap();
    let forward =
        format!("rules: [{{name: m, event: file_open, match: {{pathPrefixes: [{}]}}}}]", mark.display());
    let config = format!(
        "detection: {{rules: []}}\nenrichment: {{kubernetesCredentials: {}, sockets: []}}",
        cluster.dir.path().display()
    );
    let (host, port) = (cluster.address.ip().to_string(), cluster.address.port().to_string());
    let variables =
        [("KUBERNETES_SERVICE_HOST", &*host), ("KUBERNETES_SERVICE_PORT", &*port), ("NODE_NAME", NODE)];
    let (agent, lines) = Agent::start_with(dir.path(), &config, &forward, &variables);
    let told = || agent.get("metrics", "/metrics").contains("sentinel_pods_known 1\n").then_some(());
    poll(told, || format!("no pod is known: {}", agent.log()));
    let made = Made::new(&uid, &id);
    let script = r#"echo $$ > "$0/cgroup.procs" && exec /bin/cat "$1""#;
    let done = Command::new("/bin/sh").args(["-c", script]).arg(&made.container).arg(&mark).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    // Opens whose place the kernel cannot tell (a root directory of somebody who goes) are forwarded, too.
    let event = loop {
        let line = lines.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("{error}: {}", agent.log()));
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["data"]["filename"] == *mark.to_string_lossy() {
            break event;
        }
    };
    assert_eq!(
        (&event["pod"], &event["namespace"]),
        (&"web-7d4b9c6f5-x2x9q".into(), &"shop".into()),
        "{event}"
    );
    assert_eq!((&event["container_id"], &event["hostname"]), (&(*id).into(), &NODE.into()), "{event}");
    for (key, value) in [
        ("k8s.owner.kind", "Deployment"),
        ("k8s.owner.name", "web"),
        ("k8s.pod.service_account", "web"),
        ("k8s.pod.uid", &uid),
        ("proc.name", "cat"),
    ] {
        assert_eq!(event["attributes"][key], value, "{key}: {event}");
    }
    agent.stop();
}
