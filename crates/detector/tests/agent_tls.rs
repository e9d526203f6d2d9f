//! The agent and the detector, encrypted: who does not trust whom, and that a corrected file is enough.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;
#[path = "../../agent/tests/common/mod.rs"]
mod source;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use sentinel_agent::{Agent, AgentError, Config, ForwardRules, Job, Remote, Rules, Sink};
use source::{Fake, Script, get, read, until};
use tempfile::TempDir;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name and its key; good until now, or for long.
    fn issue(&self, name: &str, expired: bool) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

fn write(dir: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        fs::write(dir.join(name), text).unwrap();
    }
}

/// A detector that shows this certificate, and serves whom `ours` has issued one for.
async fn detector(ours: &Authority, (cert, key): (String, String)) -> common::Running {
    let directory = TempDir::new().unwrap();
    write(directory.path(), &[("cert.pem", cert), ("key.pem", key), ("ca.pem", ours.0.pem())]);
    let tls = "{cert: DIR/cert.pem, key: DIR/key.pem, clientCa: DIR/ca.pem}";
    common::start_in(directory, &format!("grpc: {{tls: {tls}}}\nengines: []")).await
}

/// An agent that has an event to tell, with the files of `dir`.
struct Node {
    remote: Remote,
    metrics: SocketAddr,
    thread: JoinHandle<Result<(), AgentError>>,
    dir: TempDir,
}

impl Node {
    fn start(port: u16, files: &[(&str, String)]) -> Self {
        let dir = TempDir::new().unwrap();
        write(dir.path(), files);
        let text = "detection: {rules: []}\nstream: {mode: grpc}\nhealth: {port: 0}\nmetrics: {port: 0}\n\
             grpc: {endpoint: 'localhost:PORT', tls: {enabled: true, ca: DIR/ca.pem, cert: DIR/cert.pem, key: DIR/key.pem}, \
             spool: {path: DIR/spool}}\n";
        let text = text.replace("PORT", &port.to_string()).replace("DIR", dir.path().to_str().unwrap());
        let config = Config::parse("test", &text).unwrap();
        let script = Arc::new(Script::default());
        script.batches.lock().unwrap().push_back(vec![read("/secret")]);
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            let rules = Rules::Fixed(ForwardRules::every_kind());
            let job = Job { rules, sink: Sink::Streams, alerts: None, listen: true };
            let agent =
                Agent::start(&config, job, Box::new(Fake(Arc::clone(&script))), Box::new(Fake(script)))?;
            sender.send((agent.remote(), agent.metrics()[0])).unwrap();
            agent.run()
        });
        let (remote, metrics) = receiver.recv().unwrap();
        Self { remote, metrics, thread, dir }
    }

    /// Waits until it has tried in vain, twice.
    fn is_refused(&self) {
        let value = |line: &str| {
            let page = get(self.metrics, "/metrics").1;
            page.lines().find_map(|text| text.strip_prefix(line)?.trim().parse::<u64>().ok()).unwrap()
        };
        until("it tries in vain", || {
            value("sentinel_output_up{outlet=\"grpc\"}") == 0
                && value("sentinel_output_retries_total{outlet=\"grpc\"}") >= 2
        });
        assert_eq!(value("sentinel_events_delivered_total{outlet=\"grpc\",kind=\"file_read\"}"), 0);
    }

    fn stop(self) {
        self.remote.stop();
        self.thread.join().unwrap().unwrap();
    }
}

/// The files of an agent.
fn files(ca: &Authority, (cert, key): (String, String)) -> [(&'static str, String); 3] {
    [("ca.pem", ca.0.pem()), ("cert.pem", cert), ("key.pem", key)]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_wrong_file_delivers_once_it_is_corrected() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let detector = detector(&ours, ours.issue("localhost", false)).await;
    let good = || files(&ours, ours.issue("node", false));
    let nodes = [
        // It does not trust the detector.
        files(&theirs, ours.issue("node", false)),
        // The detector does not trust it.
        files(&ours, theirs.issue("node", false)),
        files(&ours, ours.issue("node", true)),
    ]
    .map(|files| Node::start(detector.grpc.port(), &files));
    nodes.iter().for_each(Node::is_refused);
    assert_eq!(detector.metric("sentinel_detector_events_total").await, 0);
    // Those who are in order are served meanwhile.
    let right = Node::start(detector.grpc.port(), &good());
    detector.metric_reaches("sentinel_detector_events_total", 1).await;
    for node in &nodes {
        write(node.dir.path(), &good());
    }
    detector.metric_reaches("sentinel_detector_events_total", 4).await;
    nodes.into_iter().chain([right]).for_each(Node::stop);
    detector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detector_with_a_wrong_certificate_is_told_nothing() {
    let ours = Authority::new();
    for certificate in [ours.issue("localhost", true), ours.issue("elsewhere", false)] {
        let detector = detector(&ours, certificate).await;
        let node = Node::start(detector.grpc.port(), &files(&ours, ours.issue("node", false)));
        node.is_refused();
        assert_eq!(detector.metric("sentinel_detector_events_total").await, 0);
        node.stop();
        detector.stop().await;
    }
}
