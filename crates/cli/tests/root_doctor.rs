//! What `sentinel doctor` says of a machine is so: where it says that Sentinel works it does, with the hooks that were
//! named; where it says that it does not, `sentinel run` gives up, and says why. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use serde_json::Value;

/// An emulated machine takes a minute to verify the programs of the kernel side.
const DEADLINE: Duration = Duration::from_secs(300);

fn sentinel() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sentinel"))
}

fn doctor() -> (Output, Value) {
    let output = sentinel().args(["doctor", "--attached", "--format", "json"]).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output, report)
}

fn named<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// Starts a program again and again until `sentinel run` has told of one.
fn it_works() {
    let mut command = sentinel();
    command.args(["run", "--event", "exec"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let (mark, started) = (format!("sentinel-doctor-{}", std::process::id()), Instant::now());
    let mut seen = false;
    while !seen && started.elapsed() < DEADLINE {
        assert!(Command::new("/bin/sh").args(["-c", "true", &mark]).status().unwrap().success());
        thread::sleep(Duration::from_millis(200));
        seen = lines.try_iter().any(|line| line.contains(&mark));
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    child.wait().unwrap();
    assert!(seen, "doctor says that it works, and no start of a program was told within {DEADLINE:?}");
}

/// `sentinel run` ends by itself, and names what doctor named.
fn it_gives_up(lacking: &[&str]) {
    let mut command = Command::new("timeout");
    command.args([&DEADLINE.as_secs().to_string(), env!("CARGO_BIN_EXE_sentinel"), "run", "--event", "exec"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(124), "it went on: {said}");
    assert!(!output.status.success() && said.contains("error"), "{:?}: {said}", output.status);
    // The cause, not what follows from it.
    assert!(!lacking.contains(&"lockdown") || said.contains("lockdown"), "{said}");
    eprintln!("doctor: {} missing; run: {}", lacking.join(", "), said.trim());
}

#[test]
fn what_doctor_says_is_so() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let (output, report) = doctor();
    let lockdown = named(&report, "lockdown");
    assert_eq!(lockdown["available"] == false, lockdown["detail"] == "confidentiality", "{lockdown:#}");
    if report["works"] == true {
        assert_eq!(output.status.code(), Some(0));
        // A hook may be missing for want of something that was named.
        let known = |hook: &Value| {
            let need = hook["reason"].as_str().and_then(|reason| reason.strip_prefix("needs "));
            need.is_some_and(|need| named(&report, need)["available"] == false)
        };
        let hooks = report["hooks"].as_array().unwrap().iter();
        let bad: Vec<_> = hooks.filter(|hook| hook["state"] == "degraded" && !known(hook)).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        it_works();
    } else {
        assert_eq!(output.status.code(), Some(3));
        let checks = report["checks"].as_array().unwrap().iter();
        let lacking = checks.filter(|check| check["required"] == true && check["available"] == false);
        let lacking: Vec<&str> = lacking.map(|check| check["name"].as_str().unwrap()).collect();
        assert!(!lacking.is_empty() && report["hooks_error"].is_string(), "{report:#}");
        it_gives_up(&lacking);
    }
}
