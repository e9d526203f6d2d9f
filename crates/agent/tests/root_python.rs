//! The real agent, and the detector that the documentation shows to data scientists.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test program

#[path = "../../detector/tests/engines/python.rs"]
mod python;

mod harness;

use std::process::{Command, Stdio};

use harness::{Agent, DEADLINE};
use python::Python;
use serde_json::Value;

#[test]
fn what_the_example_in_python_finds_is_an_alert_of_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let (_python, port) = Python::start(dir.path());
    let config = format!(
        "detection: {{rules: []}}\nstream: {{mode: grpc}}\n\
         grpc: {{endpoint: '127.0.0.1:{port}', spool: {{path: {}/spool}}}}",
        dir.path().display()
    );
    let forward = "rules: [{name: shadow, event: file_read, match: {pathPrefixes: [/etc/shadow]}}]\n";
    let (agent, lines) = Agent::start(dir.path(), &config, forward);
    let read = Command::new("cat").arg("/etc/shadow").stdout(Stdio::null()).status().unwrap();
    assert!(read.success());
    // Somebody else may read it meanwhile.
    let alert = std::iter::from_fn(|| lines.recv_timeout(DEADLINE).ok())
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find(|alert| alert["event"]["Comm"] == "cat")
        .expect("an alert");
    assert_eq!((&alert["rule_id"], &alert["risk_score"]), (&"anomaly".into(), &90.into()), "{alert}");
    assert_eq!(alert["reason"], "cat touches /etc/shadow");
    assert_eq!(alert["event"]["Filename"], "/etc/shadow");
    agent.stop();
}
