//! Executions keep their names whatever becomes of the agent. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    io::Write as _,
    path::Path,
    process::{ChildStdin, Command, Stdio},
};

use harness::{Agent, DEADLINE};
use serde_json::Value;

/// What an agent of its own tells of the next file that the shell opens.
fn told(dir: &Path, stdin: &mut ChildStdin) -> Value {
    let mark = dir.join("mark");
    std::fs::write(&mark, "x").unwrap();
    let forward =
        format!("rules: [{{name: m, event: file_open, match: {{pathPrefixes: [{}]}}}}]", mark.display());
    let (agent, lines) = Agent::start(dir, "detection: {rules: []}", &forward);
    writeln!(stdin, "{}", mark.display()).unwrap();
    let line = lines.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("{error}: {}", agent.log()));
    agent.stop();
    serde_json::from_str(&line).unwrap()
}

fn attribute<'a>(event: &'a Value, key: &str) -> &'a str {
    event["attributes"][key].as_str().unwrap_or_else(|| panic!("no {key}: {event}"))
}

#[test]
fn an_agent_that_is_started_again_goes_on_with_the_same_names() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"exec /bin/sh -c 'while read file; do read x < "$file"; done'"#;
    let mut shell = Command::new("/bin/sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let (first, second) = (told(dir.path(), &mut stdin), told(dir.path(), &mut stdin));
    drop(stdin);
    shell.wait().unwrap();
    let id = attribute(&first, "proc.exec_id");
    assert_eq!(id, attribute(&second, "proc.exec_id"));
    assert_eq!(attribute(&first, "proc.parent_exec_id"), attribute(&second, "proc.parent_exec_id"));
    assert_eq!(id.split('-').nth(1).unwrap(), shell.id().to_string());
    // Anybody can tell of which node and boot it is.
    let script = "printf %s \"$0/$(cat /proc/sys/kernel/random/boot_id)\" | sha256sum | cut -c 1-16";
    let node = first["hostname"].as_str().unwrap();
    let host = Command::new("/bin/sh").args(["-c", script, node]).output().unwrap().stdout;
    assert_eq!(id.split('-').next().unwrap(), String::from_utf8(host).unwrap().trim());
}
