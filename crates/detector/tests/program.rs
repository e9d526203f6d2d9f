//! The program: its arguments, its end, and what a sudden end leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{PATIENCE, alert, client, event, get, push};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sentinel_wire::v1::{AlertBatch, EventBatch};
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};

fn detector() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-detector"));
    command.env_remove("SENTINEL_LOG").env_remove("SENTINEL_HTTP_TOKEN").env_remove("JOURNAL_STREAM");
    command
}

fn config(directory: &Path, text: &str) -> std::path::PathBuf {
    let path = directory.join("d.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// A started program and its ports, from its log.
fn start(directory: &Path) -> (Child, SocketAddr, SocketAddr) {
    let history = directory.join("history.db");
    let text = format!(
        "grpc: {{port: 0}}\nhttp: {{port: 0}}\nhistory: {{path: {}}}\noutputs: {{file: {{path: {}}}}}\n",
        history.display(),
        directory.join("alerts.json").display()
    );
    let mut child =
        detector().arg("--config").arg(config(directory, &text)).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line =
        lines.by_ref().map(Result::unwrap).find(|line| line.contains("Listening.")).expect("it listens");
    // Nobody may wait for us to read the rest.
    std::thread::spawn(move || lines.for_each(drop));
    let port = |key: &str| {
        let list = line.split(&format!("{key}=[")).nth(1).unwrap();
        list.split([',', ']']).next().unwrap().parse().unwrap()
    };
    let (grpc, http) = (port("grpc"), port("http"));
    (child, grpc, http)
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn a_configuration_is_checked_without_starting_anything() {
    let directory = TempDir::new().unwrap();
    for (text, code, said) in [
        ("", 0, "configuration is right"),
        ("http: {address: '::'}", 0, "warning: http.address is ::"),
        ("enginess: []", 2, "did you mean \"engines\"?"),
    ] {
        let path = config(directory.path(), text);
        let output = detector().arg("--check-config").arg("--config").arg(path).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8(all).unwrap();
        assert!(output.status.code() == Some(code) && all.contains(said), "{text:?}: {all}");
    }
}

#[test]
fn what_cannot_start_says_why_and_ends_with_2() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "no database, but long enough to be taken for one: ".repeat(40)).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let below = file.join("history.db");
    for (text, said) in [
        (format!("history: {{path: {}}}", file.display()), "move the file away, and a new history begins"),
        (format!("history: {{path: {}}}", below.display()), "set history.path"),
        (format!("grpc: {{port: {port}}}"), "stop what uses it, or set another grpc.port"),
        ("grpc: {tls: {cert: /nonexistent, key: /nonexistent}}".into(), "grpc.tls.cert: /nonexistent: "),
    ] {
        let history = if text.contains("history") {
            String::new()
        } else {
            format!("history: {{path: {}/h.db}}\n", directory.path().display())
        };
        let ports =
            if text.starts_with("grpc") { "http: {port: 0}\n" } else { "http: {port: 0}\ngrpc: {port: 0}\n" };
        let path = config(directory.path(), &format!("{text}\n{history}{ports}"));
        let output = detector().arg("--config").arg(path).output().unwrap();
        let all = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && all.contains(said), "{text:?}: {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_although_calls_are_open() {
    let directory = TempDir::new().unwrap();
    let (mut child, grpc, http) = start(directory.path());
    let (batches, receiver) = tokio::sync::mpsc::channel(4);
    let mut acks = client(grpc).await.push_events(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    batches.send(EventBatch { sequence: 1, events: vec![event("e", "exec", "n", &[])] }).await.unwrap();
    assert_eq!(acks.next().await.unwrap().unwrap().sequence, 1);
    let mut feed = common::Feed::open(http, "/events", &[]).await;
    signal(&child, Signal::SIGTERM);
    let refused = timeout(PATIENCE, acks.next()).await.unwrap().unwrap().unwrap_err();
    assert!(refused.message().contains("stopping"), "{refused}");
    assert_eq!(feed.next().await, None);
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let directory = TempDir::new().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let (mut child, grpc, _) = start(directory.path());
        let mut client = client(grpc).await;
        let begun = Instant::now();
        for number in 0.. {
            let ids: Vec<String> = (0..20).map(|n| format!("{round}-{number}-{n}")).collect();
            let alerts = ids.iter().map(|id| alert(id, "r", "low", "n", 1)).collect();
            if client.push_alerts(AlertBatch { alerts }).await.is_err() {
                break;
            }
            acknowledged.extend(ids);
            // In the middle of the traffic, not between two calls.
            if number == 30 {
                let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
                std::thread::spawn(move || kill(pid, Signal::SIGKILL).unwrap());
            }
            assert!(begun.elapsed() < PATIENCE, "it does not die");
        }
        child.wait().unwrap();
    }
    let (mut child, grpc, http) = start(directory.path());
    let mut found = BTreeSet::new();
    let mut before = String::new();
    loop {
        let answer = get(http, &format!("/api/alerts?limit=1000{before}"), &[]).await;
        let answer: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let ids = answer["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["alert_id"].as_str().unwrap().to_owned());
        found.extend(ids);
        match answer["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert!(acknowledged.len() >= 3 * 30 * 20);
    assert_eq!(acknowledged.difference(&found).count(), 0);
    push(&mut client(grpc).await, vec![alert("after", "r", "low", "n", 1)]).await;
    signal(&child, Signal::SIGTERM);
    assert!(child.wait().unwrap().success());
}
