//! The program on the real kernel. Needs root.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panicking; helpers are not seen as tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

const DEADLINE: Duration = Duration::from_secs(30);

/// A running `sentinel run` and its lines.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_sentinel")).arg("run").args(args))
    }

    /// With what it says to people.
    fn start_heard(args: &[&str]) -> (Self, BufReader<ChildStderr>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
        let mut running = Self::spawn(command.arg("run").args(args).stderr(Stdio::piped()));
        let errors = BufReader::new(running.child.stderr.take().unwrap());
        (running, errors)
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Runs `act` again and again until a line fits.
    fn until(&self, act: impl Fn(), fits: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            act();
            while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(200)) {
                if fits(&line) {
                    return line;
                }
            }
        }
        panic!("no such line within {DEADLINE:?}");
    }

    /// Stops it as ctrl-C does; returns the exit code and the last line.
    fn stop(mut self) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), self.lines.iter().last().unwrap_or_default())
    }
}

fn trigger() {
    let status = Command::new("/bin/sh").args(["-c", "true", "a\nb\x1b[2J"]).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_live_view_shows_a_program_that_starts_and_sums_up() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let running = Running::start(&["--format", "live", "--event", "exec", "--color", "never"]);
    let line = running.until(trigger, |line| line.contains(r#""a\nb\x1b[2J""#));
    assert!(line.contains(" exec ") && line.contains("sh["), "{line}");
    assert!(line.contains(&format!("[{}]", std::process::id())), "the parent is named: {line}");
    let (code, last) = running.stop();
    assert_eq!(code, Some(0));
    assert!(last.contains(" events (exec ") || last.contains(" event (exec "), "{last}");
    assert!(last.ends_with(" 0 lost"), "{last}");
}

/// A file with a rule for starts of programs with this argument.
fn rules() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "- rule: Odd start\n  desc: d\n  condition: evt.type = execve and proc.cmdline contains 2J\n  \
                output: start of %proc.cmdline\n  priority: ERROR\n";
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn alerts_are_lines_of_the_live_view_and_of_the_summary() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let rules = rules();
    let path = rules.path().to_str().unwrap();
    // Modules are what nobody else on this machine loads just now: the alert is all there is.
    let running =
        Running::start(&["--format", "live", "--event", "module_load", "--color", "never", "--rules", path]);
    let line = running.until(trigger, |line| line.contains(" ! HIGH "));
    assert!(line.contains("Odd start risk 80") && line.contains("sh["), "{line}");
    let (code, last) = running.stop();
    assert_eq!(code, Some(0));
    assert!(last.contains("0 events, ") && last.contains("(high "), "{last}");
}

#[test]
fn a_pipe_gets_alerts_beside_events_and_none_without_rules() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let rules = rules();
    let running = Running::start(&["--event", "exec", "--rules", rules.path().to_str().unwrap()]);
    let line = running.until(trigger, |line| line.contains("\"rule_id\""));
    let alert: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(alert["rule_id"], "odd_start");
    assert!(alert["reason"].as_str().unwrap().contains("a\nb\x1b[2J"), "{line}");
    running.until(trigger, |line| line.contains("\"event_type\":\"exec\""));
    assert_eq!(running.stop().0, Some(0));

    let running = Running::start(&["--event", "exec", "--no-rules"]);
    let line = running.until(trigger, |line| line.contains("2J"));
    assert!(line.contains("\"event_type\":\"exec\"") && !line.contains("sentinel.rules"), "{line}");
    assert_eq!(running.stop().0, Some(0));
}

/// What the dashboard answers.
fn get(address: &str, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn the_dashboard_of_a_run_shows_its_alerts_and_the_node() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let rules = rules();
    let args = ["--event", "exec", "--port", "0", "--rules", rules.path().to_str().unwrap()];
    let (running, mut errors) = Running::start_heard(&args);
    let mut line = String::new();
    while !line.contains("dashboard at http://") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended without a dashboard");
    }
    let address = line.trim().rsplit("http://").next().unwrap().to_owned();
    running.until(trigger, |_| get(&address, "/api/alerts").contains("odd_start"));
    running.until(trigger, |_| get(&address, "/api/nodes").contains("\"node\":"));
    assert_eq!(running.stop().0, Some(0));
    assert!(TcpStream::connect(address).is_err(), "it has ended with the run");
}

#[test]
fn a_pipe_gets_json() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let running = Running::start(&["--event", "exec"]);
    let line = running.until(trigger, |line| line.contains(r"a\nb"));
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event_type"], "exec");
    assert_eq!(running.stop().0, Some(0));
}
