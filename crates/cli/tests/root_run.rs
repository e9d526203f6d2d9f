//! The program on the real kernel. Needs root.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panicking; helpers are not seen as tests"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
        let mut child = command.arg("run").args(args).stdout(Stdio::piped()).spawn().unwrap();
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
    let running =
        Running::start(&["--format", "live", "--event", "listen", "--color", "never", "--rules", path]);
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

#[test]
fn a_pipe_gets_json() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let running = Running::start(&["--event", "exec"]);
    let line = running.until(trigger, |line| line.contains(r"a\nb"));
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event_type"], "exec");
    assert_eq!(running.stop().0, Some(0));
}
