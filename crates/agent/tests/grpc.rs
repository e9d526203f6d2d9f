//! `stream.mode: grpc` against real servers: of our contract, of the old one, away, back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;
#[path = "common/detector.rs"]
mod detector;

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use common::{Fake, Script, read, until};
use detector::Detector;
use sentinel_agent::{Agent, AgentError, Config, ForwardRules, Job, Remote, Rules, Sink};

/// A running agent whose events go to this port.
struct Running {
    script: Arc<Script>,
    remote: Remote,
    thread: JoinHandle<Result<(), AgentError>>,
}

impl Running {
    fn start(port: u16, dir: &Path) -> Self {
        Self::with_rules(port, dir, "[]")
    }

    fn with_rules(port: u16, dir: &Path, rules: &str) -> Self {
        let text = format!(
            "detection: {{rules: {rules}, outputs: {{file: {{path: {}/alerts}}}}}}\nstream: {{mode: grpc, batchSize: 2}}\n\
             grpc: {{endpoint: '127.0.0.1:{port}', spool: {{path: {}/spool}}}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n",
            dir.display(),
            dir.display()
        );
        let config = Config::parse("test", &text).unwrap();
        let script = Arc::new(Script::default());
        let source = Arc::clone(&script);
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let rules = Rules::Fixed(ForwardRules::every_kind());
            let job = Job { rules, sink: Sink::Streams, alerts: None, listen: false };
            let agent =
                Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
            sender.send(agent.remote()).unwrap();
            agent.run()
        });
        Self { script, remote: receiver.recv().unwrap(), thread }
    }

    fn send(&self, paths: &[&str]) {
        self.script.batches.lock().unwrap().push_back(paths.iter().map(|path| read(path)).collect());
        until("the batch is taken", || self.script.batches.lock().unwrap().is_empty());
    }

    fn stop(self) {
        self.remote.stop();
        self.thread.join().unwrap().unwrap();
    }
}

#[test]
fn events_arrive_at_detectors_of_both_contracts() {
    for old in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let detector = Detector::start(0, old);
        let agent = Running::start(detector.port, dir.path());
        agent.send(&["/1", "/2", "/3"]);
        agent.send(&["/anomaly"]);
        until("all are there", || detector.names().len() == 4);
        assert_eq!(detector.names(), ["/1", "/2", "/3", "/anomaly"], "old: {old}");
        let alerts = dir.path().join("alerts");
        let read = || fs::read_to_string(&alerts).unwrap_or_default();
        until("the anomaly is an alert", || read().ends_with('\n'));
        agent.stop();
        let alert: serde_json::Value = serde_json::from_str(read().trim()).unwrap();
        assert_eq!((alert["rule_id"].as_str(), alert["reason"].as_str()), (Some("anomaly"), Some("told so")));
        assert_eq!(
            (alert["risk_score"].as_u64(), alert["event"]["Filename"].as_str()),
            (Some(75), Some("/anomaly"))
        );
    }
}

#[test]
fn what_a_detector_misses_comes_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let detector = Detector::start(0, false);
    let port = detector.port;
    let agent = Running::start(port, dir.path());
    agent.send(&["/1"]);
    until("the first is there", || detector.names() == ["/1"]);
    detector.stop();
    for path in ["/2", "/3", "/4"] {
        agent.send(&[path]);
    }
    let detector = Detector::start(port, false);
    until("the rest is there", || detector.names().len() >= 3);
    let names: std::collections::BTreeSet<_> = detector.names().into_iter().collect();
    assert!(["/2", "/3", "/4"].iter().all(|name| names.contains(*name)), "{names:?}");
    agent.stop();
}

#[test]
fn what_a_detector_misses_outlives_the_agent() {
    let dir = tempfile::tempdir().unwrap();
    let port = detector::free_port();
    let agent = Running::start(port, dir.path());
    agent.send(&["/1", "/2"]);
    agent.send(&["/3"]);
    agent.stop();
    let detector = Detector::start(port, false);
    let agent = Running::start(port, dir.path());
    agent.send(&["/4"]);
    until("all are there", || detector.names().len() == 4);
    assert_eq!(detector.names(), ["/1", "/2", "/3", "/4"]);
    agent.stop();
}

/// An answer is no duty in the old contract.
#[test]
fn what_waited_for_a_detector_that_answers_nothing_leaves_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let port = detector::free_port();
    let agent = Running::start(port, dir.path());
    agent.send(&["/mute", "/mute", "/mute"]);
    let kept = || fs::read_dir(dir.path().join("spool")).unwrap().count() - 1; // the lock
    until("they wait on the disk", || kept() == 1);
    let detector = Detector::start(port, true);
    until("they are there and nothing is kept", || detector.names().len() == 3 && kept() == 0);
    agent.stop();
}

#[test]
fn the_hub_is_told_of_alerts_and_of_the_node() {
    const RULE: &str =
        "- rule: Read\n  id: read\n  desc: d\n  condition: evt.type = read\n  output: o\n  priority: ERROR\n";
    for old in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let rules = dir.path().join("rules.yaml");
        std::fs::write(&rules, RULE).unwrap();
        // The hub is away at first: nothing is lost for that.
        let port = detector::free_port();
        let agent = Running::with_rules(port, dir.path(), &format!("[{}]", rules.display()));
        agent.send(&["/1"]);
        let detector = Detector::start(port, old);
        agent.send(&["/2"]);
        let alert = if old { "anomaly read 0.8" } else { "alert read 80" };
        let count = |line: &str| detector.told().iter().filter(|told| *told == line).count();
        until("both alerts are there", || count(alert) == 2);
        if !old {
            until("the node has reported", || count("status of rules 1") > 0);
        }
        agent.stop();
        assert_eq!(count(alert), 2, "no alert comes twice: {:?}", detector.told());
    }
}
