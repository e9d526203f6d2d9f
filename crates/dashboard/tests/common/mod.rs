//! A small detector over real sockets, and a client.
#![allow(dead_code)] // each test program uses its part

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use sentinel_dashboard::{Config, Detector, Server};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a condition, with a deadline.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[derive(Default)]
struct State {
    alerts: Vec<Value>,
    streams: Vec<TcpStream>,
    /// Paths that were asked for, with query, and the headers that came with them.
    asked: Vec<(String, HashMap<String, String>)>,
    answers: HashMap<String, Value>,
    stopped: bool,
}

/// The alerts API of a detector.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

pub(crate) fn alert(seq: u64, alert_id: &str, second: u64) -> Value {
    json!({
        "seq": seq, "alert_id": alert_id, "node": "n", "rule_id": "r", "severity": "high",
        "timestamp": format!("2026-01-01T00:00:{second:02}Z"),
    })
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(State::default())));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().unwrap().stopped {
                    return;
                }
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds an alert and sends it to whoever listens.
    pub(crate) fn push(&self, alert: Value) {
        let mut state = self.state.lock().unwrap();
        let message = message(&alert);
        state.alerts.push(alert);
        state.streams.retain_mut(|stream| stream.write_all(message.as_bytes()).is_ok());
    }

    /// The sequence of the newest alert.
    pub(crate) fn last(&self) -> u64 {
        self.state.lock().unwrap().alerts.last().map_or(0, |alert| alert["seq"].as_u64().unwrap())
    }

    /// What is answered at a path.
    pub(crate) fn answer(&self, path: &str, body: Value) {
        self.state.lock().unwrap().answers.insert(path.into(), body);
    }

    pub(crate) fn listeners(&self) -> usize {
        self.state.lock().unwrap().streams.len()
    }

    pub(crate) fn asked(&self) -> Vec<(String, HashMap<String, String>)> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Breaks off every stream.
    pub(crate) fn cut(&self) {
        for stream in self.state.lock().unwrap().streams.drain(..) {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        }
    }

    /// Answers nobody any more.
    pub(crate) fn stop(&self) {
        self.state.lock().unwrap().stopped = true;
        self.cut();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
        until("the port is closed", || TcpStream::connect(self.address).is_err());
    }
}

fn message(alert: &Value) -> String {
    format!("id: {}\ndata: {alert}\n\n", alert["seq"])
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut state = state.lock().unwrap();
    state.asked.push((target.clone(), headers.clone()));
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query: HashMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let mut stream = stream;
    if path == "/events" {
        stream
            .write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: hi\n\n",
            )
            .unwrap();
        if let Some(since) = headers.get("last-event-id") {
            let since: u64 = since.parse().unwrap();
            for alert in state.alerts.iter().filter(|alert| alert["seq"].as_u64().unwrap() > since) {
                stream.write_all(message(alert).as_bytes()).unwrap();
            }
        }
        state.streams.push(stream);
        return;
    }
    let body = match (path, state.answers.get(path)) {
        (_, Some(body)) => Some(body.to_string()),
        ("/healthz", _) => Some("ok\n".into()),
        ("/api/alerts", _) => {
            let limit: usize = query["limit"].parse().unwrap();
            let before: u64 = query.get("before").map_or(u64::MAX, |text| text.parse().unwrap());
            let older = state.alerts.iter().rev().filter(|alert| alert["seq"].as_u64().unwrap() < before);
            let page: Vec<_> = older.take(limit).collect();
            let next = page.last().filter(|_| page.len() == limit).map(|alert| &alert["seq"]);
            Some(json!({ "alerts": page, "next": next }).to_string())
        }
        _ => None,
    };
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

pub(crate) fn config(detectors: &[&Upstream]) -> Config {
    let mut config = Config::default();
    config.http.port = 0;
    let one = |(at, upstream): (usize, &&Upstream)| Detector {
        name: ["a", "b", "c"][at].into(),
        url: upstream.url(),
        token_file: None,
    };
    config.detectors = detectors.iter().enumerate().map(one).collect();
    config
}

pub(crate) fn start(detectors: &[&Upstream]) -> Server {
    Server::start(&config(detectors)).unwrap()
}

/// An answer: status, headers and body as they came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Sends a request as it is given (without the last empty line) and reads until the end.
pub(crate) fn talk(server: &Server, request: &str) -> Answer {
    let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("{request}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunk(&body);
    }
    Answer { status, head, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
    panic!("the body was broken off after {} bytes", body.len());
}

pub(crate) fn get(server: &Server, path: &str) -> Answer {
    talk(server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"))
}

/// A reader of the merged stream.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    pub(crate) fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        // HTTP/1.0 has no chunks: the body is what it is.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n{last}\r\n").as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains(" 200 "), "{line}");
        Self(reader)
    }

    /// The next message: kind, id, data. Comments are skipped.
    pub(crate) fn next(&mut self) -> (String, String, Value) {
        let (mut event, mut id, mut data) = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            let line = line.trim_end();
            match line.split_once(": ") {
                Some(("event", value)) => event = value.into(),
                Some(("id", value)) => id = value.into(),
                Some(("data", value)) => data = value.into(),
                _ if line.is_empty() && !data.is_empty() => {
                    return (event, id, serde_json::from_str(&data).unwrap());
                }
                _ => {}
            }
        }
    }

    /// The next alert: its id in the stream and the alert.
    pub(crate) fn alert(&mut self) -> (String, Value) {
        loop {
            let (event, id, data) = self.next();
            if event.is_empty() {
                return (id, data);
            }
        }
    }

    /// The next message that says who is reachable: the names of those who are.
    pub(crate) fn reachable(&mut self) -> Vec<String> {
        loop {
            let (event, _, data) = self.next();
            if event == "detectors" {
                let all = data["detectors"].as_array().unwrap().iter();
                let there = all.filter(|one| one["reachable"] == true);
                return there.map(|one| one["name"].as_str().unwrap().to_owned()).collect();
            }
        }
    }
}
