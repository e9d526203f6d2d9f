//! The program on the real kernel: events end to end, and no feedback. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(60);

/// A running agent whose standard output goes through `tee` into a file.
struct Piped {
    agent: Child,
    tee: Child,
    file: std::path::PathBuf,
    log: std::path::PathBuf,
}

impl Piped {
    fn start(dir: &Path, config: &str, rules: Option<&str>) -> Self {
        let (file, log) = (dir.join("events"), dir.join("log"));
        fs::write(
            dir.join("c.yaml"),
            format!("detection: {{rules: []}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n{config}"),
        )
        .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-agent"));
        command.arg("--config").arg(dir.join("c.yaml"));
        if let Some(rules) = rules {
            fs::write(dir.join("r.yaml"), rules).unwrap();
            command.arg("--rules").arg(dir.join("r.yaml"));
        }
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut agent = command.spawn().unwrap();
        let mut tee = Command::new("tee");
        tee.arg(&file).stdin(agent.stdout.take().unwrap()).stdout(Stdio::null());
        let tee = tee.spawn().unwrap();
        let piped = Self { agent, tee, file, log };
        piped.wait_for("Started.");
        piped
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn wait_for(&self, words: &str) {
        let started = Instant::now();
        while !self.log().contains(words) {
            assert!(started.elapsed() < DEADLINE, "{words:?} is not in: {}", self.log());
            std::thread::yield_now();
        }
    }

    fn events(&self) -> Vec<Value> {
        let lines = BufReader::new(File::open(&self.file).unwrap()).lines().map_while(Result::ok);
        // The last line may be half written.
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }

    /// Waits for an event that fits.
    fn until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            if let Some(event) = self.events().into_iter().find(&fits) {
                return event;
            }
        }
        panic!("no such event; the log: {}", self.log());
    }

    /// What `GET path` on the port named `what` in the log answers.
    fn get(&self, what: &str, path: &str) -> String {
        let log = self.log();
        let address = log.split(&format!("{what}=[")).nth(1).unwrap().split([',', ']']).next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) -> String {
        let pid = nix::unistd::Pid::from_raw(self.agent.id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert_eq!(self.agent.wait().unwrap().code(), Some(0), "{}", self.log());
        self.tee.wait().unwrap();
        self.log()
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
    assert!(agent.get("health", "/healthz").starts_with("HTTP/1.1 200"));
    assert!(agent.get("health", "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = agent.get("metrics", "/metrics");
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
    // Something to begin with.
    fs::write(dir.path().join("spark"), "x").unwrap();
    agent.until(|event| field(event, "filename").ends_with("/spark"));
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
    let (events, log) = (dir.path().join("events"), dir.path().join("log"));
    fs::write(dir.path().join("c.yaml"), "health: {port: 0}\nmetrics: {port: 0}").unwrap();
    let mut agent = Command::new(env!("CARGO_BIN_EXE_sentinel-agent"))
        .arg("--config")
        .arg(dir.path().join("c.yaml"))
        .stdout(File::create(&events).unwrap())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let excluded = |text: &str| {
        let line =
            text.lines().find(|line| line.starts_with("sentinel_events_excluded_total{kind=\"file_write\"}"));
        line.and_then(|line| line.split(' ').next_back()?.parse::<u64>().ok()).unwrap_or_default()
    };
    let metrics = || {
        let log = fs::read_to_string(&log).ok()?;
        let address = log.split("metrics=[").nth(1)?.split([',', ']']).next()?.to_owned();
        let mut stream = TcpStream::connect(address).ok()?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    while excluded(&metrics().unwrap_or_default()) < 3 {
        assert!(started.elapsed() < DEADLINE, "{:?}", metrics());
        fs::write(dir.path().join("spark"), "x").unwrap();
    }
    let pid = nix::unistd::Pid::from_raw(agent.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(agent.wait().unwrap().success());
    let own = events.canonicalize().unwrap();
    let text = fs::read_to_string(&events).unwrap();
    assert!(text.contains("/spark"));
    let about_itself = text.lines().filter(|line| line.contains(own.to_str().unwrap())).count();
    assert_eq!(about_itself, 0);
}
