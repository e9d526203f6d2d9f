//! The program: arguments, exit codes, signals.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{
    io::{BufRead as _, BufReader},
    os::unix::net::UnixDatagram,
    process::{Command, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_sentinel-dashboard")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn configuration_is_checked_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.yaml");
    std::fs::write(&file, "http: {port: 0}\n").unwrap();
    let file = file.to_str().unwrap();
    let good = [
        "--config",
        file,
        "--check-config",
        "--detector",
        "hub=http://127.0.0.1:8090",
        "--detector",
        "http://[::1]:1",
    ];
    assert_eq!(run(&good), (Some(0), "configuration is right\n".into()));
    let (code, said) = run(&["--check-config", "--detector", "hub=http://10.0.0.7:8090"]);
    assert!(code == Some(0) && said.contains("warning: detectors has http://10.0.0.7:8090"), "{said}");
    for (arguments, part) in [
        (&["--check-config", "--detector", "nowhere"][..], "detectors[0].url: expected http://HOST:PORT"),
        (&["--check-config", "--config", "/nonexistent"], "/nonexistent: "),
        (&["--check-config", "--address", "everywhere"], "http.address: expected an IP address"),
        (&["--check-config", "--path-prefix", "x"], "http.pathPrefix: "),
        (&["--port", "99999"], "99999"),
        (&["--bogus"], "--bogus"),
    ] {
        let (code, said) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn the_service_manager_hears_that_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sentinel-dashboard"))
        .args(["--port", "0"])
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    while heard.matches("WATCHDOG=1").count() < 2
        && let Ok(length) = manager.recv(&mut buffer)
    {
        heard += &String::from_utf8_lossy(&buffer[..length]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(heard.contains("READY=1") && heard.matches("WATCHDOG=1").count() == 2, "{heard}");
}

#[test]
fn a_signal_ends_it_with_success() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sentinel-dashboard"))
            .args(["--port", "0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.by_ref().any(|line| line.unwrap().contains("Listening.")));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(lines.any(|line| line.unwrap().contains("Stopped.")));
    }
}
