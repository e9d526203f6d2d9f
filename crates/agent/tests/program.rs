//! The program itself: arguments, exit codes, signals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use common::{Fake, Script, config, read};
use sentinel_agent::{Agent, Job, Rules, Sink, obey_signals};

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentinel-agent")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn wrong_input_ends_with_2_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (bad, empty) = (file("bad.yaml", "logLevl: info"), file("empty.yaml", ""));
    let grpc = file("grpc.yaml", "grpc: {endpoint: nowhere}");
    let rules = file("rules.yaml", "rules: [{name: a, event: file_reed}]");
    let busy = file("busy.yaml", &format!("health: {{port: {port}}}\nmetrics: {{port: 0}}"));
    for (arguments, parts) in [
        (&["--nonsense"][..], &["--nonsense"][..]),
        (&["--config", "/nonexistent/c.yaml"], &["/nonexistent/c.yaml", "create it"]),
        (&["--check-config", "--config", &bad], &["bad.yaml: logLevl", "did you mean \"logLevel\"?"]),
        (&["--check-config", "--config", &grpc], &["grpc.endpoint: expected HOST:PORT"]),
        (&["--check-config", "--config", &empty, "--rules", "/nonexistent/r.yaml"], &["/nonexistent/r.yaml"]),
        (
            &["--config", &empty, "--rules", &rules],
            &["rules.yaml: rules[0].event", "did you mean \"file_read\"?"],
        ),
        (&["--config", &busy], &["health: cannot listen at 127.0.0.1:", "set another health.port"]),
    ] {
        let output = agent(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        for part in parts {
            assert!(text(&output.stderr).contains(part), "{arguments:?}: {}", text(&output.stderr));
        }
        assert!(output.stdout.is_empty());
    }
    assert_eq!(agent(&["--check-config", "--config", &empty]).status.code(), Some(0));
}

#[test]
fn help_and_version_are_no_errors() {
    for argument in ["--help", "--version"] {
        let output = agent(&[argument]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("sentinel-agent"));
    }
}

#[test]
fn a_wrong_log_level_in_the_environment_is_refused() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_sentinel-agent")).env("SENTINEL_LOG", "loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("SENTINEL_LOG=\"loud\": expected error"),
        "{}",
        text(&output.stderr)
    );
}

const CHILD: &str = "SENTINEL_TEST_CHILD";

/// Not a test by itself: the process that `signals_reload_and_stop` starts.
#[test]
fn child() {
    let Ok(rules) = std::env::var(CHILD) else { return };
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    // Reads of both names for ever: the rules choose.
    std::thread::spawn(move || {
        loop {
            if source.batches.lock().unwrap().is_empty() {
                source.batches.lock().unwrap().push_back(vec![read("/old"), read("/new")]);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let job = Job {
        rules: Rules::File { path: rules.into(), required: true },
        sink: Sink::Stdout,
        alerts: None,
        listen: false,
    };
    let agent =
        Agent::start(&config(), job, Box::new(Fake(Arc::clone(&script))), Box::new(Fake(script))).unwrap();
    obey_signals(agent.remote()).unwrap();
    agent.run().unwrap();
}

#[test]
fn signals_reload_and_stop() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules.yaml");
    let only = |path: &str| {
        let text = format!("rules: [{{name: a, event: file_read, match: {{pathPrefixes: [{path}]}}}}]");
        std::fs::write(&rules, text).unwrap();
    };
    only("/old");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, &rules)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let send = |signal: &str| {
        let status = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(status.success());
    };
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut wait_for = |name: &str| {
        let mut line = String::new();
        while !line.contains(&format!("\"filename\":\"{name}\"")) {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "ended before {name}");
        }
    };
    wait_for("/old");
    only("/new");
    send("-HUP");
    wait_for("/new");
    send("-TERM");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    let events: Vec<_> = rest.lines().filter(|line| line.starts_with('{')).collect();
    assert!(
        events.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "no torn line"
    );
}
