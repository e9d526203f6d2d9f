//! Detection by the program on the real kernel: a deed, a rule, an alert. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    time::Instant,
};

use harness::{Agent, DEADLINE};
use nix::sys::signal::Signal;
use serde_json::Value;

/// An agent that forwards nothing: what it writes are alerts.
struct Running {
    agent: Agent,
    lines: Receiver<String>,
}

impl Running {
    fn start(dir: &Path, detection: &str, forward: &str) -> Self {
        let (agent, lines) = Agent::start(dir, &format!("detection: {detection}"), forward);
        Self { agent, lines }
    }

    /// The next alert. On a machine under load the ring may have been full before the agent read it; then it says so.
    fn alert(&self) -> (String, Value) {
        self.next(|line| line["event_type"] != "loss")
    }

    /// The next line that fits.
    fn next(&self, fits: impl Fn(&Value) -> bool) -> (String, Value) {
        let started = Instant::now();
        loop {
            let left = DEADLINE.saturating_sub(started.elapsed());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("the log: {}", self.agent.log()));
            let value = serde_json::from_str(&line).unwrap();
            if fits(&value) {
                return (line, value);
            }
        }
    }
}

/// A rule for reads of `secret` below the directory.
fn rule(dir: &Path, words: &str) -> String {
    let secret = dir.join("secret").display().to_string();
    format!(
        "- list: readers\n  items: [cat, head]\n\
         - macro: opened_for_reading\n  condition: evt.type in (open, openat, openat2) and evt.is_open_read = true\n\
         - rule: Secret read\n  desc: d\n  \
           condition: opened_for_reading and fd.name = {secret} and proc.name in (readers)\n  \
           output: {words} file=%fd.name by=%proc.cmdline parent=%proc.pname port=%fd.sport\n  \
           priority: ERROR\n  tags: [t, a]\n  recommendation: look at the reader\n"
    )
}

/// A directory with a secret in it, by its real name.
fn secret() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    fs::write(path.join("secret"), "s").unwrap();
    (dir, path)
}

/// Reads the file as `cat` does; returns the pid of that.
fn cat(dir: &Path) -> u32 {
    let mut child = Command::new("cat").arg(dir.join("secret")).stdout(Stdio::null()).spawn().unwrap();
    assert!(child.wait().unwrap().success());
    child.id()
}

#[test]
fn a_read_raises_the_alert_of_its_rule_with_every_key_of_the_contract() {
    let (_dir, dir) = secret();
    fs::write(dir.join("r.yaml"), rule(&dir, "read")).unwrap();
    let detection = format!("{{rules: [{}]}}", dir.join("r.yaml").display());
    let agent = Running::start(&dir, &detection, "rules: []");
    // The wrong twin: another program reads the same.
    fs::read(dir.join("secret")).unwrap();
    let pid = cat(&dir);
    let (line, alert) = agent.alert();
    let keys: Vec<_> = alert.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "rule_id",
        "severity",
        "risk_score",
        "reason",
        "recommendation",
        "event",
        "container",
        "pod",
        "timestamp",
        "addr",
        "lineage",
        "rule",
        "tags",
        "output_fields",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected, "{line}");
    let secret = dir.join("secret").display().to_string();
    for (key, value) in [
        ("rule_id", "secret_read"),
        ("rule", "Secret read"),
        ("severity", "high"),
        ("recommendation", "look at the reader"),
        ("addr", ""),
    ] {
        assert_eq!(alert[key], value, "{line}");
    }
    assert_eq!(alert["risk_score"], 80);
    assert_eq!(alert["tags"], serde_json::json!(["a", "t"]));
    let reason = alert["reason"].as_str().unwrap();
    assert!(reason.starts_with(&format!("read file={secret} by=cat {secret} parent=")), "{line}");
    assert!(reason.ends_with("port=<NA>"), "{line}");
    let event = &alert["event"];
    assert_eq!(event["PID"], pid);
    assert_eq!(event["PPID"], std::process::id());
    assert_eq!((&event["UID"], &event["GID"]), (&0.into(), &0.into()));
    assert_eq!(event["Comm"], "cat");
    assert_eq!(event["Filename"], secret.as_str());
    assert_eq!(event["EventType"], "file_open");
    assert_eq!(alert["lineage"][0]["pid"], std::process::id());
    assert_eq!(alert["output_fields"]["fd.name"], secret.as_str());
    assert!(alert["output_fields"]["evt.time"].is_u64() && alert["output_fields"]["fd.sport"].is_null());
    agent.agent.stop();
}

#[test]
fn falcos_format_has_falcos_keys_in_falcos_order() {
    let (_dir, dir) = secret();
    fs::write(dir.join("r.yaml"), rule(&dir, "read")).unwrap();
    let detection =
        format!("{{rules: [{}], outputs: {{stdout: {{format: falco}}}}}}", dir.join("r.yaml").display());
    let agent = Running::start(&dir, &detection, "rules: []");
    cat(&dir);
    let (line, alert) = agent.alert();
    let names =
        ["hostname", "message", "output", "output_fields", "priority", "rule", "source", "tags", "time"];
    let mut places =
        names.map(|name| line.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}: {line}")));
    assert!(places.is_sorted(), "{line}");
    places.sort_unstable();
    assert_eq!(alert.as_object().unwrap().len(), names.len(), "{line}");
    assert!(!line.contains(": ") || line.contains(": Error read"), "no blanks between tokens: {line}");
    let message = alert["message"].as_str().unwrap();
    let output = alert["output"].as_str().unwrap();
    let (time, rest) = output.split_at("00:00:00.000000000".len());
    assert_eq!(rest, format!(": Error {message}"), "{line}");
    assert!(time.bytes().filter(u8::is_ascii_digit).count() == 15, "{line}");
    assert_eq!((&alert["priority"], &alert["rule"]), (&"Error".into(), &"Secret read".into()));
    assert_eq!((&alert["source"], &alert["tags"]), (&"syscall".into(), &serde_json::json!(["a", "t"])));
    let time = alert["time"].as_str().unwrap();
    assert!(time.len() == "2026-01-01T00:00:00.000000000Z".len() && time.ends_with('Z'), "{line}");
    agent.agent.stop();
}

#[test]
fn a_broken_file_after_sighup_keeps_the_rules_and_a_right_one_replaces_them() {
    let (_dir, dir) = secret();
    let rules = dir.join("r.yaml");
    fs::write(&rules, rule(&dir, "first")).unwrap();
    // Not watched: the signal alone does it.
    let agent = Running::start(&dir, &format!("{{watch: false, rules: [{}]}}", rules.display()), "rules: []");
    let says = |words: &str| {
        cat(&dir);
        let (line, alert) = agent.alert();
        assert!(alert["reason"].as_str().unwrap().starts_with(words), "{line}");
    };
    says("first");
    fs::write(&rules, rule(&dir, "second").replace("fd.name", "fd.nmae")).unwrap();
    agent.agent.signal(Signal::SIGHUP);
    agent.agent.logged("New rules refused; the old ones stay.");
    let place = format!("{}:7:", rules.display());
    assert!(
        agent.agent.log().contains(&place) && agent.agent.log().contains("fd.name"),
        "{}",
        agent.agent.log()
    );
    says("first");
    fs::write(&rules, rule(&dir, "third")).unwrap();
    agent.agent.signal(Signal::SIGHUP);
    agent.agent.logged("New rules are in force.");
    says("third");
    agent.agent.stop();
}

#[test]
fn the_shipped_rules_load_and_what_they_need_is_attached() {
    let (_dir, dir) = secret();
    let agent = Running::start(&dir, "{rules: [builtin]}", "rules: [{name: l, event: listen}]");
    // An event beside them: the flow lives.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, event) = agent.next(|line| line["event_type"] == "listen");
    assert!(event["rule_id"].is_null());
    drop(listener);
    agent.agent.stop();
}

#[test]
fn what_is_held_back_is_counted_by_rule_and_told_with_its_first_and_last() {
    let (_dir, dir) = secret();
    fs::write(dir.join("r.yaml"), rule(&dir, "read")).unwrap();
    let detection = format!("{{rules: [{}], dedup: {{windowSeconds: 3600}}}}", dir.join("r.yaml").display());
    let Running { agent, lines } = Running::start(&dir, &detection, "rules: []");
    for _ in 0..3 {
        cat(&dir);
    }
    let metric = "sentinel_rule_alerts_suppressed_total{rule=\"Secret read\",by=\"dedup\"} ";
    let held = || {
        let page = agent.get("metrics", "/metrics");
        let count: u64 = page.lines().find_map(|line| line.strip_prefix(metric))?.parse().ok()?;
        (count == 2).then_some(())
    };
    harness::poll(held, || agent.get("metrics", "/metrics"));
    agent.stop();
    let alerts = lines.iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let [one, summary] = &alerts.filter(|line| line["rule"] == "Secret read").collect::<Vec<_>>()[..] else {
        panic!("not one alert and its summary")
    };
    assert!(one["suppressed"].is_null(), "{one}");
    let told = &summary["suppressed"];
    assert_eq!(told["count"], 2, "{summary}");
    // The first that was held back is the second of three.
    let time = |value: &Value| value.as_str().unwrap().to_owned();
    let (shown, first, last) = (time(&one["timestamp"]), time(&told["first"]), time(&told["last"]));
    assert!(shown < first && first < last, "{one} {summary}");
}
