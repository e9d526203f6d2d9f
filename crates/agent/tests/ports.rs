//! Health and metrics, as strangers see them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    collections::BTreeMap,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    ops::ControlFlow,
    sync::{Arc, mpsc},
    thread,
};

use common::{Fake, Script, config, exec, get, read, talk, until};
use sentinel_agent::{Agent, AgentError, Config, ForwardRules, Job, Remote, Rules, Sink};
use sentinel_event::Observation;

struct Running {
    script: Arc<Script>,
    remote: Remote,
    health: Vec<SocketAddr>,
    metrics: Vec<SocketAddr>,
    thread: thread::JoinHandle<Result<(), AgentError>>,
}

fn job() -> Job {
    let observer = |_: &[Observation]| ControlFlow::Continue(());
    Job {
        rules: Rules::Fixed(ForwardRules::default()),
        sink: Sink::Observer(Box::new(observer)),
        alerts: None,
        listen: true,
    }
}

fn start() -> Running {
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let agent =
            Agent::start(&config(), job(), Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
        sender.send((agent.remote(), agent.health().to_vec(), agent.metrics().to_vec())).unwrap();
        agent.run()
    });
    let (remote, health, metrics) = receiver.recv().unwrap();
    Running { script, remote, health, metrics, thread }
}

impl Running {
    fn stop(self) {
        self.remote.stop();
        self.thread.join().unwrap().unwrap();
    }
}

/// Checks the text format; values by name and labels.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let (mut types, mut values) = (BTreeMap::new(), BTreeMap::new());
    let mut helped = None;
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = Some(help.split_once(' ').unwrap().0.to_owned());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(helped.as_deref(), Some(name), "HELP comes before TYPE");
            assert!(["counter", "gauge", "histogram"].contains(&kind));
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is declared once");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
            let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let family = histogram.filter(|family| types.contains_key(*family)).unwrap_or(name);
            let kind = types.get(family).unwrap_or_else(|| panic!("{name} has no type"));
            assert_eq!(kind == "counter", family.ends_with("_total"), "{name}");
            assert_eq!(kind == "histogram", family != name, "{name}");
            assert_eq!(helped.as_deref(), Some(family), "families are not mixed");
            assert!(values.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} twice");
        }
    }
    assert!(text.ends_with('\n'));
    values
}

#[test]
fn health_and_readiness_answer_on_both_loopbacks() {
    let agent = start();
    assert!(agent.health.iter().any(SocketAddr::is_ipv4));
    for address in &agent.health {
        assert_eq!(get(*address, "/healthz"), ("HTTP/1.1 200 OK".into(), "ok\n".into()));
        let (status, body) = get(*address, "/readyz");
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(body.starts_with("ok\ndegraded: why \"not\": 1 (h)\n"), "{body}");
        assert_eq!(get(*address, "/").0, "HTTP/1.1 404 Not Found");
    }
    agent.script.slow.store(true, std::sync::atomic::Ordering::Relaxed);
    let (status, body) = get(agent.health[0], "/readyz");
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(body, "not ready: needed and not attached: h\n");
    let post = talk(agent.health[0], b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405"), "{post}");
    agent.stop();
}

#[test]
fn metrics_account_for_every_event() {
    let agent = start();
    agent.script.batches.lock().unwrap().push_back(vec![read("/x"), exec(), read("/y"), exec(), exec()]);
    let metrics = || {
        let (status, body) = get(agent.metrics[0], "/metrics");
        assert_eq!(status, "HTTP/1.1 200 OK");
        parse(&body)
    };
    until("events are delivered", || {
        metrics()["sentinel_events_delivered_total{outlet=\"stdout\",kind=\"file_read\"}"] == 2.0
    });
    let seen = metrics();
    for (series, value) in [
        ("sentinel_events_decoded_total{kind=\"exec\"}", 3.0),
        ("sentinel_events_filtered_total{kind=\"exec\"}", 3.0),
        ("sentinel_events_decoded_total{kind=\"file_read\"}", 2.0),
        ("sentinel_events_forwarded_total{kind=\"file_read\"}", 2.0),
        ("sentinel_events_folded_total{kind=\"file_read\"}", 0.0),
        ("sentinel_events_produced_total{kind=\"exec\"}", 7.0),
        ("sentinel_events_excluded_total{kind=\"exec\"}", 1.0),
        ("sentinel_events_lost_total{stage=\"ring\",cause=\"full\",kind=\"exec\"}", 2.0),
        ("sentinel_events_lost_total{stage=\"hook\",cause=\"skipped\",kind=\"exec\"}", 2.0),
        ("sentinel_events_lost_total{stage=\"hook\",cause=\"skipped\",kind=\"\"}", 1.0),
        ("sentinel_events_lost_total{stage=\"decode\",cause=\"malformed\",kind=\"\"}", 3.0),
        ("sentinel_events_lost_total{stage=\"queue\",cause=\"full\",kind=\"exec\"}", 0.0),
        ("sentinel_ring_used_bytes", 64.0),
        ("sentinel_ring_size_bytes", 4096.0),
        ("sentinel_rule_generation", 1.0),
        // The first read of a file has a moment, as a start has; later ones are sums.
        ("sentinel_event_age_seconds_count", 5.0),
        ("sentinel_event_age_seconds_bucket{le=\"+Inf\"}", 5.0),
    ] {
        assert_eq!(seen.get(series), Some(&value), "{series}");
    }
    // The test's own output may be a pipe with readers.
    assert!(seen["sentinel_output_consumers"] >= 1.0);
    assert!(seen["sentinel_resident_memory_peak_bytes"] >= seen["process_resident_memory_bytes"]);
    agent.stop();
}

#[test]
fn bad_requests_cost_themselves() {
    let agent = start();
    // Slow ones, more than are served at once, that never finish.
    let slow: Vec<_> = (0..80)
        .map(|_| {
            let mut stream = TcpStream::connect(agent.health[0]).unwrap();
            stream.write_all(b"GET /healthz HT").unwrap();
            stream
        })
        .collect();
    for bad in [
        &b"\0\xff\xfe\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        &[b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 1 << 20]].concat(),
    ] {
        let answer = talk(agent.metrics[0], bad);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    assert_eq!(get(agent.health[0], "/healthz").1, "ok\n", "after the slow ones have timed out");
    drop(slow);
    agent.stop();
}

#[test]
fn a_port_in_use_is_named_with_its_key() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (key, text) in [
        ("health", format!("health: {{port: {}}}\nmetrics: {{port: 0}}", address.port())),
        ("metrics", format!("health: {{port: 0}}\nmetrics: {{port: {}}}", address.port())),
    ] {
        let config = Config::parse("c", &text).unwrap();
        let script = Arc::new(Script::default());
        let result =
            Agent::start(&config, job(), Box::new(Fake(Arc::clone(&script))), Box::new(Fake(script)));
        let error = result.err().unwrap();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        for part in [key.to_owned(), address.to_string(), format!("set another {key}.port")] {
            assert!(message.contains(&part), "{message}");
        }
    }
}
