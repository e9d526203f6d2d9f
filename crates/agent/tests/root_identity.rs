//! Who did it, with real containers: every event of a container carries its id, name, image and user, from the first
//! to the last, however short it lives. Needs root, podman and runc.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

#[path = "identity/podman.rs"]
mod podman;

mod harness;

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use harness::{Agent, DEADLINE};
use serde_json::Value;

use podman::{IMAGE, Podman};

/// An agent that forwards what these tests look at.
struct Running {
    agent: Agent,
    lines: Receiver<String>,
}

impl Running {
    fn start(dir: &Path, enrichment: &str) -> Self {
        // Whatever else this machine does is left out as early as can be.
        let forward = "rules:\n  - {name: starts, event: exec}\n  - {name: ends, event: exit}\n  \
            - {name: opens, event: file_open, match: {pathPrefixes: [/first, /last]}}\n";
        let config = format!("detection: {{rules: []}}\nenrichment: {enrichment}");
        let (agent, lines) = Agent::start(dir, &config, forward);
        Self { agent, lines }
    }

    /// Every event until the exit of the container's program has come, and what follows within a moment.
    fn until_exit_of(&self, id: &str) -> Vec<Value> {
        let started = Instant::now();
        let mut events: Vec<Value> = Vec::new();
        let mut over = false;
        loop {
            let patience = if over { Duration::from_millis(700) } else { Duration::from_millis(100) };
            match self.lines.recv_timeout(patience) {
                Ok(line) => {
                    let event: Value = serde_json::from_str(&line).unwrap();
                    over |= event["event_type"] == "exit"
                        && event["container_id"] == id
                        && event["attributes"]["proc.exepath"] == "/program";
                    events.push(event);
                }
                Err(RecvTimeoutError::Timeout) if over => return events,
                Err(error) => assert!(started.elapsed() < DEADLINE, "{error}: {}", self.agent.log()),
            }
        }
    }
}

fn attribute<'a>(event: &'a Value, key: &str) -> &'a str {
    event["attributes"][key].as_str().unwrap_or_default()
}

/// Everything in the container's cgroups is told with the container, whoever did it and whenever.
fn is_told_whole(events: &[Value], id: &str, name: &str) {
    let cgroups: Vec<&str> = events
        .iter()
        .filter(|event| event["container_id"] == id)
        .map(|event| attribute(event, "sentinel.cgroup_id"))
        .collect();
    let inside = events.iter().filter(|event| cgroups.contains(&attribute(event, "sentinel.cgroup_id")));
    let mut seen = BTreeMap::new();
    for event in inside {
        let told = |key| attribute(event, key);
        assert_eq!(event["container_id"], id, "{event}");
        let (repository, tag) = IMAGE.rsplit_once(':').unwrap();
        let expected = [name, "podman", repository, tag, "false"];
        let keys = ["name", "type", "image.repository", "image.tag", "privileged"];
        let container = |key| attribute(event, &format!("container.{key}")).to_owned();
        assert_eq!(keys.map(container), expected, "{event}");
        assert!(told("container.image.digest").starts_with("sha256:"), "{event}");
        assert_eq!(told("container.id"), &id[..12]);
        assert_eq!(told("sentinel.metadata"), "", "{event}");
        let user = match told("user.uid") {
            "0" => "root",
            "4242" => "webuser",
            other => panic!("user {other}: {event}"),
        };
        assert_eq!(told("user.name"), user, "{event}");
        if event["event_type"] == "file_open" {
            let path = event["data"]["filename"].as_str().unwrap_or_default();
            *seen.entry(path.to_owned()).or_insert(0) += 1;
        }
        if told("proc.exepath") == "/program" {
            let kind = event["event_type"].as_str().unwrap();
            assert_eq!((told("user.name"), told("group.name")), ("webuser", "webgroup"), "{event}");
            *seen.entry(kind.to_owned()).or_insert(0) += 1;
        }
    }
    let all = ["exec", "/first", "/last", "exit"].map(|what| seen.get(what).copied().unwrap_or_default());
    assert_eq!(all, [1, 1, 1, 1], "{seen:?}");
}

#[test]
fn every_event_of_a_container_carries_id_image_and_user_however_short_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let mut podman = Podman::new(dir.path());
    podman.serve();
    let agent = Running::start(dir.path(), &format!("{{sockets: [{}]}}", podman.socket().display()));
    for (name, milliseconds) in [("blink", 5), ("moment", 50), ("while", 3000)] {
        let name = format!("{name}-{}", std::process::id());
        let id = podman.run(&name, milliseconds);
        is_told_whole(&agent.until_exit_of(&id), &id, &name);
    }
}

#[test]
fn without_a_runtime_to_ask_the_id_and_the_user_are_told_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let podman = Podman::new(dir.path());
    let agent = Running::start(dir.path(), &format!("{{sockets: [{}]}}", podman.socket().display()));
    let id = podman.run(&format!("alone-{}", std::process::id()), 5);
    let events = agent.until_exit_of(&id);
    // Other tests have containers at the same time; theirs have other ids.
    let ours = |event: &&Value| event["container_id"] == *id || event["container_id"] == "";
    let own: Vec<_> =
        events.iter().filter(|event| attribute(event, "proc.exepath") == "/program").filter(ours).collect();
    assert_eq!(own.len(), 4, "{own:?}");
    for event in own {
        assert_eq!((event["container_id"].as_str(), attribute(event, "user.name")), (Some(&*id), "webuser"));
        assert_eq!(attribute(event, "container.type"), "podman");
        assert_eq!(attribute(event, "container.name"), "");
    }
}

#[test]
fn a_process_of_the_host_has_its_user_and_no_container() {
    let dir = tempfile::tempdir().unwrap();
    let agent = Running::start(dir.path(), "{sockets: []}");
    let started = Instant::now();
    // The host's users are read when they are first met: nobody waits for them.
    loop {
        assert!(Command::new("/bin/true").status().unwrap().success());
        assert!(started.elapsed() < DEADLINE, "{}", agent.agent.log());
        let Ok(line) = agent.lines.recv_timeout(Duration::from_millis(200)) else { continue };
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["container_id"] == "" && !attribute(&event, "user.name").is_empty() {
            assert_eq!((attribute(&event, "user.name"), attribute(&event, "container.id")), ("root", "host"));
            assert_eq!((event["container_id"].as_str(), attribute(&event, "container.name")), (Some(""), ""));
            break;
        }
    }
}

/// Its mount namespace has gone, and the kernel gives the number to the next container.
#[test]
fn a_container_has_its_own_users_and_not_those_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let podman = Podman::new(dir.path());
    podman.import("localhost/sentinel-identity:v2", "shopuser");
    let agent = Running::start(dir.path(), "{sockets: []}");
    let images = [(IMAGE, "webuser"), ("localhost/sentinel-identity:v2", "shopuser"), (IMAGE, "webuser")];
    for (number, (image, user)) in images.into_iter().enumerate() {
        let id = podman.run_image(image, &format!("turn{number}-{}", std::process::id()), 5);
        let events = agent.until_exit_of(&id);
        let own = events
            .iter()
            .filter(|event| event["container_id"] == *id && attribute(event, "proc.exepath") == "/program");
        let users: Vec<_> = own.map(|event| attribute(event, "user.name")).collect();
        assert_eq!(users, [user; 4]);
    }
}
