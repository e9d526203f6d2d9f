//! The log of events when everything breaks: a full disk, a killed agent. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use common::{Fake, Script, get, read, until};
use sentinel_agent::{Agent, Config, ForwardRules, Job, Rules, Sink};
use sentinel_wire::{
    evt1::{DamageKind, Item, Reader},
    v1::EventEnvelope,
};

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&path);
        assert!(mount.status().unwrap().success());
        Self(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

/// The events of a log, and whether it ends inside one. It holds nothing else.
fn events(path: &Path) -> (Vec<EventEnvelope>, bool) {
    let mut reader = Reader::new(File::open(path).unwrap()).unwrap();
    let (mut events, mut torn) = (Vec::new(), false);
    while let Some(item) = reader.next_event().unwrap() {
        assert!(!torn, "something is behind the torn end");
        match item {
            Item::Record(event) => events.push(event),
            Item::Damage(damage) => {
                assert_eq!(damage.kind, DamageKind::Torn, "{damage}");
                torn = true;
            }
        }
    }
    (events, torn)
}

/// The value of this line of a page of metrics.
fn value(metrics: &str, line: &str) -> u64 {
    let found = metrics.lines().find_map(|text| text.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("{line} is not in {metrics}"))
}

#[test]
fn a_full_disk_pauses_the_log_and_what_it_costs_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::mount(dir.path().join("disk"));
    let (log, ballast) = (disk.0.join("events.bin"), disk.0.join("ballast"));
    fs::write(&ballast, vec![0; 512 << 10]).unwrap();
    let text = format!(
        "detection: {{rules: []}}\nstream: {{mode: file, queueLength: 8, file: {{path: {}}}}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n",
        log.display()
    );
    let config = Config::parse("test", &text).unwrap();
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let (sender, receiver) = mpsc::channel();
    let agent = thread::spawn(move || {
        let job = Job {
            rules: Rules::Fixed(ForwardRules::every_kind()),
            sink: Sink::Streams,
            alerts: None,
            listen: true,
        };
        let agent = Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
        sender.send((agent.remote(), agent.metrics()[0])).unwrap();
        agent.run()
    });
    let (remote, port) = receiver.recv().unwrap();
    let metric = |line: &str| value(&get(port, "/metrics").1, line);
    let up = || metric("sentinel_output_up{outlet=\"file\"}");
    let mut produced = 0;
    let mut produce = |count: usize| {
        let batch = (produced..produced + count).map(|number| read(&format!("/{number}"))).collect();
        produced += count;
        script.batches.lock().unwrap().push_back(batch);
        until("the batch is taken", || script.batches.lock().unwrap().is_empty());
        produced
    };
    until("the disk is full", || {
        produce(100);
        up() == 0
    });
    until("the queue is full", || {
        produce(100);
        metric("sentinel_events_lost_total{stage=\"file\",cause=\"full\",kind=\"file_read\"}") > 0
    });
    fs::remove_file(&ballast).unwrap();
    until("the log goes on", || up() == 1);
    let produced = produce(1);
    remote.stop();
    agent.join().unwrap().unwrap();

    let (events, torn) = events(&log);
    assert!(!torn, "what did not fit left no half record");
    let names: BTreeSet<_> = events.iter().filter_map(|event| event.data.get("filename")).collect();
    let lost = events.iter().filter(|event| event.event_type == "loss");
    let lost: usize = lost.map(|event| event.data["count"].parse::<usize>().unwrap()).sum();
    assert_eq!(names.len() + lost, produced, "{} in the log, {lost} lost", names.len());
    assert!(names.contains(&format!("/{}", produced - 1)), "the last one is after the pause");
}

/// The agent's program, which logs what happens to files in `dir/watched`.
fn start(dir: &Path, compress: bool) -> (Child, std::net::SocketAddr) {
    let (config, rules, log) = (dir.join("c.yaml"), dir.join("r.yaml"), dir.join("agent.log"));
    let watched = dir.join("watched").canonicalize().unwrap();
    let text = format!(
        "detection: {{rules: []}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\nstream: {{mode: file, file: {{path: {}, compress: {compress}}}}}\n",
        dir.join("events.bin").display()
    );
    fs::write(&config, text).unwrap();
    let rule = format!("{{name: w, event: file_write, match: {{pathPrefixes: ['{}/']}}}}", watched.display());
    fs::write(&rules, format!("rules: [{rule}]\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-agent"));
    command.env_remove("JOURNAL_STREAM").arg("--config").arg(config).arg("--rules").arg(rules);
    let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
    let text = || fs::read_to_string(&log).unwrap();
    until("the agent has started", || text().contains("Started."));
    let port = text().split("metrics=[").nth(1).unwrap().split([',', ']']).next().unwrap().parse().unwrap();
    (child, port)
}

#[test]
fn kill_9_leaves_every_record_that_was_written() {
    for compress in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("watched")).unwrap();
        let log = dir.path().join("events.bin");
        let line = "sentinel_events_delivered_total{outlet=\"file\",kind=\"file_write\"}";
        let mut before = 0;
        // A second start goes on where the first was killed.
        for round in 0..if compress { 2 } else { 1 } {
            let (mut agent, port) = start(dir.path(), compress);
            let begun = Instant::now();
            let mut delivered = 0;
            for number in 0.. {
                fs::write(dir.path().join(format!("watched/{round}-{number}")), "x").unwrap();
                if number % 64 == 0 {
                    delivered = value(&get(port, "/metrics").1, line);
                }
                // In the middle of the traffic.
                if delivered > 200 {
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(60), "{delivered} delivered");
            }
            agent.kill().unwrap();
            agent.wait().unwrap();
            // A torn end is put aside by the next start; then this log is the newest one only.
            let (found, torn) = events(&log);
            let found = found.iter().filter(|event| event.event_type == "file_write").count();
            let delivered = usize::try_from(delivered).unwrap();
            assert!(found >= before + delivered, "{found} of {before} and {delivered}");
            before = if torn { 0 } else { found };
        }
    }
}
