//! The program on the real kernel: events end to end, and no feedback. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use harness::{Agent, poll};
use serde_json::Value;

const EXCLUDED: &str = "sentinel_events_excluded_total{kind=\"file_write\"}";

/// An agent whose standard output goes through `tee` into a file.
struct Piped {
    agent: Agent,
    tee: Child,
    file: PathBuf,
}

impl Piped {
    fn start(dir: &Path, config: &str, rules: Option<&str>) -> Self {
        let file = dir.join("events");
        let mut agent =
            Agent::spawn(dir, &format!("detection: {{rules: []}}\n{config}"), rules, Stdio::piped());
        let mut tee = Command::new("tee");
        tee.arg(&file).stdin(agent.output()).stdout(Stdio::null());
        let tee = tee.spawn().unwrap();
        agent.logged("Started.");
        Self { agent, tee, file }
    }

    fn events(&self) -> Vec<Value> {
        let lines = BufReader::new(File::open(&self.file).unwrap()).lines().map_while(Result::ok);
        // The last line may be half written.
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }

    /// Waits for an event that fits.
    fn until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let event = || self.events().into_iter().find(&fits);
        poll(event, || format!("no such event; the log: {}", self.agent.log()))
    }

    /// Ends both and returns the agent's log.
    fn stop(mut self) -> String {
        let log = self.agent.stop();
        assert!(self.tee.wait().unwrap().success());
        log
    }
}

fn field<'a>(event: &'a Value, name: &str) -> &'a str {
    event["data"][name].as_str().unwrap_or_default()
}

#[test]
fn reads_and_writes_arrive_with_the_names_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let agent = Piped::start(dir.path(), "", None);
    let path = dir.path().canonicalize().unwrap().join("a \"quoted\"\nname");
    fs::write(&path, "12345").unwrap();
    fs::read(&path).unwrap();
    let name = path.to_str().unwrap();
    for (kind, call) in [("file_write", "write"), ("file_read", "read")] {
        let event = agent.until(|event| event["event_type"] == kind && field(event, "filename") == name);
        assert_eq!(field(&event, "bytes"), "5", "{event}");
        assert_eq!(field(&event, "pid"), std::process::id().to_string());
        assert_eq!(event["attributes"]["evt.type"], call);
        assert!(event["ts_unix_nano"].is_u64() && event["event_id"].as_str().unwrap().len() == 36);
    }
    assert!(agent.agent.get("health", "/healthz").starts_with("HTTP/1.1 200"));
    assert!(agent.agent.get("health", "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = agent.agent.get("metrics", "/metrics");
    assert!(metrics.contains("sentinel_events_produced_total{kind=\"file_write\"}"), "{metrics}");
    assert!(agent.events().iter().all(|event| {
        ["file_read", "file_write", "loss"].contains(&event["event_type"].as_str().unwrap())
    }));
    assert!(agent.stop().contains("Stopped."));
}

/// `sentinel-agent | tee FILE`: what tee does to FILE is an event, which tee writes, which is an event …
/// Neither the kernel's sums nor, without them, ours let this chain speak more than a few times a second.
fn feeds_on_itself(config: &str) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let every = "rules: [{name: r, event: file_read}, {name: w, event: file_write}]";
    let agent = Piped::start(dir.path(), config, Some(every));
    // Something to begin with: again and again, as a start on a busy machine may lose the first.
    let spark = || {
        fs::write(dir.path().join("spark"), "x").unwrap();
        agent.events().into_iter().find(|event| field(event, "filename").ends_with("/spark"))
    };
    poll(spark, || format!("no such event; the log: {}", agent.agent.log()));
    let chain = [agent.agent.id().to_string(), agent.tee.id().to_string()];
    let ours = |agent: &Piped| {
        agent.events().iter().filter(|event| chain.iter().any(|pid| field(event, "pid") == pid)).count()
    };
    let (before, started) = (ours(&agent), Instant::now());
    // A rate takes time: ten seconds of the machine's ordinary life.
    while started.elapsed() < Duration::from_secs(10) {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let rate = (ours(&agent) - before) as f64 / started.elapsed().as_secs_f64();
    agent.stop();
    rate
}

#[test]
fn output_through_tee_does_not_feed_on_itself() {
    let rate = feeds_on_itself("");
    assert!(rate <= 10.0, "{rate} events/s");
}

#[test]
fn output_through_tee_does_not_feed_on_itself_without_aggregation() {
    let rate = feeds_on_itself("capture: {aggregate: false}");
    assert!(rate <= 10.0, "{rate} events/s");
}

/// Standard output is a file: our own writes to it are left out, and counted.
#[test]
fn output_into_a_file_is_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let agent = Agent::spawn(dir.path(), "", None, File::create(&events).unwrap());
    agent.logged("Started.");
    let excluded = || {
        fs::write(dir.path().join("spark"), "x").unwrap();
        let metrics = agent.get("metrics", "/metrics");
        let line = metrics.lines().find(|line| line.starts_with(EXCLUDED))?;
        let count = line.split(' ').next_back()?.parse::<u64>().ok()?;
        (count >= 3).then_some(())
    };
    poll(excluded, || agent.get("metrics", "/metrics"));
    agent.stop();
    let own = events.canonicalize().unwrap();
    let text = fs::read_to_string(&events).unwrap();
    assert!(text.contains("/spark"));
    let about_itself = text.lines().filter(|line| line.contains(own.to_str().unwrap())).count();
    assert_eq!(about_itself, 0);
}
