//! `sentinel tail`, as people call it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use sentinel_detector::{Config, Detector};
use sentinel_wire::{
    evt1::write_record,
    v1::{Alert, AlertBatch, EventEnvelope, detector_service_client::DetectorServiceClient},
    write_object,
};
use serde_json::{Value, json};

fn object(name: &str) -> Vec<u8> {
    let data = [("filename", name), ("comm", "cat"), ("pid", "7")];
    let event = EventEnvelope {
        event_id: name.into(),
        event_type: "file_read".into(),
        ts_unix_nano: 1_767_225_600_000_000_000,
        data: data.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..EventEnvelope::default()
    };
    let mut out = Vec::new();
    write_object(&event, &mut out);
    out
}

fn records(names: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        write_record(&mut out, |out| out.extend(object(name))).unwrap();
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn command(source: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    command.args(["tail", source]).args(options).env_remove("SENTINEL_HTTP_TOKEN");
    command
}

/// How a log is packed.
type Pack = fn(&[u8]) -> Vec<u8>;

/// A tail that goes on, and its lines.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(source: &str, options: &[&str]) -> Self {
        let mut command = command(source, options);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    /// The value of this key in the next line.
    fn next(&self, key: &str) -> String {
        let object: Value = serde_json::from_str(&self.line()).unwrap();
        object[key].as_str().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn output(source: &str, options: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = command(source, options);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_log_is_followed_through_its_rotations() {
    for pack in [<[u8]>::to_vec as Pack, gzip] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.bin");
        fs::write(&path, pack(&records(&["/1", "/2", "/3"]))).unwrap();
        let tail = Running::start(&path.display().to_string(), &["-n", "2"]);
        assert_eq!([tail.next("event_id"), tail.next("event_id")], ["/2", "/3"]);
        append(&path, &pack(&records(&["/4"])));
        assert_eq!(tail.next("event_id"), "/4");
        append(&path, &pack(&records(&["/5"])));
        fs::rename(&path, dir.path().join("events.bin.1")).unwrap();
        append(&path, &pack(&records(&["/6"])));
        assert_eq!([tail.next("event_id"), tail.next("event_id")], ["/5", "/6"]);
        append(&path, &pack(&records(&["/7"])));
        assert_eq!(tail.next("event_id"), "/7");
    }
}

#[test]
fn a_condition_chooses_and_losses_are_told() {
    let mut lines = Vec::new();
    for name in ["/etc/a", "/tmp/b", "/etc/c"] {
        lines.extend([object(name), b"\n".to_vec()].concat());
    }
    lines.extend(b"{\"event_type\":\"loss\",\"event_id\":\"lost\"}\n{\"else\":1}\n{\"rule_id\":\"r\",\"event\":{\"EventType\":\"file_read\",\"Filename\":\"/etc/d\"}}\n");
    let (code, out, _) = output("-", &["--filter", "fd.name startswith /etc"], &lines);
    assert_eq!(code, Some(0));
    let ids: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = ids.iter().map(|object| object["event_id"].as_str()).collect();
    assert_eq!(ids, [Some("/etc/a"), Some("/etc/c"), Some("lost"), None]);
}

#[test]
fn people_see_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.bin");
    fs::write(&path, records(&["/etc/shadow", "/tmp/\u{1b}[2J"])).unwrap();
    let options = ["--no-follow", "--format", "text"];
    let (code, out, _) = output(&path.display().to_string(), &options, b"");
    assert_eq!(code, Some(0));
    let lines: Vec<_> = out.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("cat[7]") && lines[0].contains("/etc/shadow"), "{out}");
    assert!(lines[1].contains("\\x1b[2J"), "{out}");
}

#[test]
fn what_is_wrong_is_told_with_the_remedy() {
    for (source, options, code, said) in [
        ("/does/not/exist", &[][..], 1, "stream: {mode: file}"),
        ("http://127.0.0.1:1", &[], 1, "is sentinel-detector running there?"),
        ("https://localhost:1", &[], 1, "http only"),
        ("-", &["--filter", "nonsense"], 2, "nonsense"),
    ] {
        let (status, _, told) = output(source, options, b"");
        assert!(status == Some(code) && told.contains(said), "{source}: {status:?}: {told}");
    }
}

fn alert(id: &str, rule_id: &str, comm: &str) -> Alert {
    let object = json!({
        "rule_id": rule_id, "severity": "high", "reason": format!("reason of {id}"),
        "event": {"PID": 7, "Comm": comm, "EventType": "exec"},
    });
    Alert {
        alert_id: id.into(),
        rule_id: rule_id.into(),
        severity: "high".into(),
        reason: format!("reason of {id}").into(),
        sentinel_json: object.to_string(),
        hostname: "n1".into(),
        ..Alert::default()
    }
}

/// A detector in this process, and how alerts are pushed to it.
async fn detector(directory: &Path) -> (SocketAddr, DetectorServiceClient<tonic::transport::Channel>) {
    let text = format!(
        "grpc: {{port: 0}}\nhttp: {{port: 0}}\nengines: []\nhistory: {{path: {0}/h.db}}\noutputs: {{file: {{path: {0}/alerts}}}}\n",
        directory.display()
    );
    let detector = Detector::start(&Config::parse("test", &text).unwrap()).await.unwrap();
    let (http, grpc) = (detector.http()[0], detector.grpc()[0]);
    tokio::spawn(detector.run());
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{grpc}")).unwrap();
    (http, DetectorServiceClient::new(endpoint.connect().await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detectors_alerts_are_shown_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let (http, mut client) = detector(dir.path()).await;
    let source = format!("http://{http}");
    let alerts = vec![alert("a", "r1", "cat"), alert("b", "r2", "nc"), alert("c", "r3", "nc")];
    client.push_alerts(AlertBatch { alerts }).await.unwrap();

    let tail = Running::start(&source, &["-n", "2", "--filter", "proc.name = nc"]);
    assert_eq!([tail.next("alert_id"), tail.next("alert_id")], ["b", "c"]);
    let alerts = vec![alert("d", "r", "cat"), alert("e", "r", "nc")];
    client.push_alerts(AlertBatch { alerts }).await.unwrap();
    assert_eq!(tail.next("alert_id"), "e");

    let source = source.clone();
    let shown =
        tokio::task::spawn_blocking(move || output(&source, &["--no-follow", "--format", "text"], b""));
    let (code, out, told) = shown.await.unwrap();
    assert_eq!((code, out.lines().count()), (Some(0), 10), "{told}");
    assert!(out.contains("! HIGH") && out.contains("r1 on n1") && out.contains("reason of e"), "{out}");
}
