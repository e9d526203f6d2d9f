//! Standard output, in a process of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use common::{LONG, alert, counters, outputs, until};
use sentinel_sink::DropCause;

/// This program again, as the one with the output.
fn child() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_other_process", "--nocapture", "--test-threads=1"]);
    command.env("SENTINEL_TEST_STDOUT", "1").stdout(Stdio::piped());
    command
}

/// Does nothing unless a test below started it.
#[test]
fn the_other_process() {
    if std::env::var_os("SENTINEL_TEST_STDOUT").is_none() {
        return;
    }
    let outputs = outputs("stdout: {format: text}");
    outputs.send(&alert("first"));
    until("the first is out", || counters(&outputs).delivered == 1);
    until("the reader has gone", || {
        outputs.send(&alert("more"));
        counters(&outputs).dropped(DropCause::Closed) > 0
    });
    outputs.stop(LONG);
    let counters = counters(&outputs);
    assert!(!counters.up);
    assert_eq!(counters.taken, counters.delivered + counters.dropped_all());
    // The harness' own words would fail on the closed pipe.
    std::process::exit(42);
}

#[test]
fn a_closed_pipe_ends_the_output_and_nothing_else() {
    let mut child = child().spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = lines.find(|line| line.as_ref().unwrap().contains("Warning"));
    let found = found.unwrap().unwrap();
    // The harness has begun the line.
    assert!(found.ends_with("22:13:20.123456789: Warning first"), "{found}");
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(42));
}
