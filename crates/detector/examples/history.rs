//! How many alerts a second the whole way takes – over gRPC, to the disk, out on the feed – while others ask.
//!
//! `cargo run --release -p sentinel-detector --example history [SECONDS]`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a measurement

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_detector::{Config, Detector};
use sentinel_wire::v1::{
    Alert, AlertBatch, EventBatch, EventEnvelope, detector_service_client::DetectorServiceClient,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::transport::Endpoint;

const BATCH: u64 = 100;

fn alert(number: u64) -> Alert {
    let object = format!(
        "{{\"event\":{{\"PID\":{number},\"Comm\":\"nc\"}},\"pod\":{{\"name\":\"web-{}\",\"namespace\":\"shop\"}},\
         \"output_fields\":{{\"proc.cmdline\":\"{}\"}}}}",
        number % 50,
        "x".repeat(800)
    );
    Alert {
        alert_id: format!("{number:036}"),
        ts_unix_nano: 1_767_225_600_000_000_000 + number * 100_000,
        rule_id: format!("rule_{}", number % 40),
        priority: "Error".into(),
        sentinel_json: object,
        hostname: format!("node-{}", number % 20),
        ..Alert::default()
    }
}

fn event(number: u64) -> EventEnvelope {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let path = format!("/srv/data/{}", number % 5000);
    EventEnvelope {
        event_id: format!("{number:036}"),
        hostname: "node-1".into(),
        event_type: "file_read".into(),
        data: map(&[
            ("filename", &path),
            ("bytes", "4096"),
            ("comm", "nginx"),
            ("pid", "700"),
            ("tid", "700"),
        ]),
        attributes: map(&[
            ("evt.type", "read"),
            ("proc.name", "nginx"),
            ("proc.exepath", "/usr/sbin/nginx"),
            ("proc.cmdline", "nginx: worker process"),
            ("proc.ppid", "1"),
            ("proc.pname", "systemd"),
            ("sentinel.rules", "1"),
        ]),
        ts_unix_nano: 1_767_225_600_000_000_000 + number * 5_000,
        ..EventEnvelope::default()
    }
}

async fn ask(address: std::net::SocketAddr, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "grpc: {{port: 0}}\nhttp: {{port: 0}}\noutputs: {{}}\nhistory: {{path: {}/h.db}}",
        directory.path().display()
    );
    let detector = Detector::start(&Config::parse("bench", &text).unwrap()).await.unwrap();
    let (grpc, http) = (detector.grpc()[0], detector.http()[0]);
    tokio::spawn(detector.run());
    let channel = Endpoint::from_shared(format!("http://{grpc}")).unwrap().connect().await.unwrap();
    let until = Instant::now() + Duration::from_secs(seconds);

    let (pushed, asked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for sender in 0..4u64 {
        let (mut client, pushed) = (DetectorServiceClient::new(channel.clone()), Arc::clone(&pushed));
        tasks.spawn(async move {
            let mut number = sender << 32;
            while Instant::now() < until {
                let alerts = (number..number + BATCH).map(alert).collect();
                client.push_alerts(AlertBatch { alerts }).await.unwrap();
                number += BATCH;
                pushed.fetch_add(BATCH, Ordering::Relaxed);
            }
        });
    }
    let counter = Arc::clone(&asked);
    tasks.spawn(async move {
        while Instant::now() < until {
            ask(http, "/api/alerts?severity=high&limit=100").await;
            ask(http, "/api/stats?from=1767225600000&to=1767225900000").await;
            counter.fetch_add(2, Ordering::Relaxed);
        }
    });
    while tasks.join_next().await.is_some() {}
    let rate = pushed.load(Ordering::Relaxed) / seconds;
    println!(
        "{rate} alerts/s acknowledged, with {} questions/s beside",
        asked.load(Ordering::Relaxed) / seconds
    );

    let begun = Instant::now();
    let (batches, receiver) = tokio::sync::mpsc::channel(64);
    let made: Vec<EventEnvelope> = (0..5120).map(event).collect();
    let until = begun + Duration::from_secs(seconds);
    tokio::spawn(async move {
        for sequence in 0.. {
            let begin = usize::try_from(sequence).unwrap() * 256 % made.len();
            let events = made[begin..begin + 256].to_vec();
            if Instant::now() > until || batches.send(EventBatch { sequence, events }).await.is_err() {
                return;
            }
        }
    });
    let mut acks = DetectorServiceClient::new(channel)
        .push_events(ReceiverStream::new(receiver))
        .await
        .unwrap()
        .into_inner();
    let mut events = 0u64;
    while let Some(ack) = acks.next().await {
        ack.unwrap();
        events += 256;
    }
    println!("{:.0} events/s acknowledged in batches of 256", events as f64 / begun.elapsed().as_secs_f64());
}
