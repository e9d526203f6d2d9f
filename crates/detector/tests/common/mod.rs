//! A detector on the loopback, its gRPC client, and HTTP spoken by hand.

#![allow(dead_code)] // each test program uses some of it

use std::{net::SocketAddr, time::Duration};

use sentinel_detector::{Config, Detector, DetectorError, Remote};
use sentinel_wire::v1::{Alert, AlertBatch, EventEnvelope, detector_service_client::DetectorServiceClient};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tonic::transport::{Channel, Endpoint};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Running {
    pub(crate) directory: TempDir,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) remote: Remote,
    task: JoinHandle<Result<(), DetectorError>>,
}

/// Starts with this configuration; `DIR` in it is a fresh directory.
pub(crate) async fn start(yaml: &str) -> Running {
    start_in(TempDir::new().unwrap(), yaml).await
}

pub(crate) async fn start_in(directory: TempDir, yaml: &str) -> Running {
    let base = "grpc: {port: 0}\nhttp: {port: 0}\nhistory: {path: DIR/history.db}\noutputs: {}\n\
        baseline: {path: DIR/baseline.bin}\n";
    let mut whole: serde_yaml::Mapping = serde_yaml::from_str(base).unwrap();
    let more: Option<serde_yaml::Mapping> = serde_yaml::from_str(yaml).unwrap();
    for (key, value) in more.unwrap_or_default() {
        match (whole.get_mut(&key), value) {
            (Some(serde_yaml::Value::Mapping(section)), serde_yaml::Value::Mapping(more)) => {
                section.extend(more)
            }
            (_, value) => drop(whole.insert(key, value)),
        }
    }
    let text = serde_yaml::to_string(&whole).unwrap().replace("DIR", directory.path().to_str().unwrap());
    let detector = Detector::start(&Config::parse("test.yaml", &text).unwrap()).await.unwrap();
    let (grpc, http, remote) = (detector.grpc()[0], detector.http()[0], detector.remote());
    Running { directory, grpc, http, remote, task: tokio::spawn(detector.run()) }
}

impl Running {
    /// Stops it; what is left is the directory.
    pub(crate) async fn stop(self) -> TempDir {
        self.remote.stop();
        timeout(PATIENCE, self.task).await.expect("it stops").unwrap().unwrap();
        self.directory
    }

    pub(crate) async fn client(&self) -> DetectorServiceClient<Channel> {
        client(self.grpc).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = get(self.http, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The value of a metric.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let page = get(self.http, "/metrics", &[]).await.body;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
        line.parse().unwrap()
    }

    /// Waits until the metric is at least so much.
    pub(crate) async fn metric_reaches(&self, name: &str, least: u64) {
        let wait = async {
            while self.metric(name).await < least {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{name} does not reach {least}"));
    }
}

pub(crate) async fn client(address: SocketAddr) -> DetectorServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    DetectorServiceClient::new(endpoint.connect().await.unwrap())
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(address, "GET", path, headers).await
}

pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A reader of the feed.
pub(crate) struct Feed(BufReader<TcpStream>);

impl Feed {
    /// Opens the feed and waits until it has begun.
    pub(crate) async fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: d\r\n{headers}\r\n").as_bytes())
            .await
            .unwrap();
        let mut feed = Self(BufReader::new(stream));
        while feed.line().await.expect("it begins") != "retry: 2000" {}
        feed
    }

    /// The next line; none at the end.
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        timeout(PATIENCE, self.0.read_until(b'\n', &mut line)).await.expect("in time").ok()?;
        if line.is_empty() {
            return None;
        }
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }

    /// Id and alert of the next message; none at the end.
    pub(crate) async fn next(&mut self) -> Option<(u64, Value)> {
        // Comments keep coming when alerts do not.
        timeout(PATIENCE, self.message()).await.expect("an alert comes in time")
    }

    async fn message(&mut self) -> Option<(u64, Value)> {
        let mut id = None;
        loop {
            let line = self.line().await?;
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.parse().unwrap());
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return Some((id.unwrap(), serde_json::from_str(text).unwrap()));
            }
        }
    }
}

/// An alert as a node pushes it.
pub(crate) fn alert(id: &str, rule_id: &str, severity: &str, node: &str, ms: u64) -> Alert {
    let object = json!({
        "rule_id": rule_id, "severity": severity, "risk_score": 80, "reason": format!("reason of {id}"),
        "recommendation": "", "event": {"PID": 7, "PPID": 6, "Comm": "nc", "EventType": "connect"},
        "container": {"id": "", "name": "", "runtime": "", "image": ""},
        "pod": {"name": "web-1", "namespace": "shop", "node": node},
        "timestamp": "2026-01-01T00:00:00.000000000Z", "addr": "",
        "lineage": [{"pid": 6, "name": "bash", "exe": "/usr/bin/bash"}, {"pid": 1, "name": "init", "exe": "/sbin/init"}],
        "rule": "Rule", "tags": [], "output_fields": {},
    });
    Alert {
        alert_id: id.into(),
        ts_unix_nano: ms * 1_000_000,
        rule_id: rule_id.into(),
        rule: "Rule".into(),
        priority: "Error".into(),
        severity: severity.into(),
        risk_score: 80,
        reason: format!("reason of {id}").into(),
        sentinel_json: object.to_string(),
        falco_json: "{}".into(),
        text: "text".into(),
        hostname: node.into(),
    }
}

pub(crate) async fn push(client: &mut DetectorServiceClient<Channel>, alerts: Vec<Alert>) {
    client.push_alerts(AlertBatch { alerts }).await.unwrap();
}

/// An event of a node.
pub(crate) fn event(id: &str, event_type: &str, node: &str, data: &[(&str, &str)]) -> EventEnvelope {
    EventEnvelope {
        event_id: id.into(),
        hostname: node.into(),
        event_type: event_type.into(),
        data: data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ts_unix_nano: 1_767_225_600_000_000_000,
        ..EventEnvelope::default()
    }
}
