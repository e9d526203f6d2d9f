//! Agents and detectors with a real `nats-server` between them, which is killed, as the detectors are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

mod common;
#[path = "nats/server.rs"]
mod server;

#[path = "../../agent/tests/common/mod.rs"]
mod source;

#[path = "faults/recorder.rs"]
mod recorder;

#[path = "faults/program.rs"]
mod program;

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, message::PublishMessage};
use common::{Running, event, start};
use program::Program;
use prost::Message as _;
use recorder::Recorder;
use sentinel_agent::{Agent, Config, ForwardRules, Job, Rules, Sink};
use sentinel_wire::v1::EventBatch;
use server::Server;
use source::{Fake, Script, read, until};

/// Events a second, and for how long.
const RATE: usize = 3000;
const SECONDS: u64 = 6;

#[test]
fn nothing_is_missing_when_nats_and_the_detectors_are_killed_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let recorder = Recorder::start();
    let mut detectors: Vec<Program> = (0..3)
        .map(|number| {
            let dir = dir.path().join(format!("detector{number}"));
            let bus = format!("nats: {{servers: ['{}']}}\ngrpc: {{port: 0}}", server.url());
            Program::start(&dir, recorder.port, &bus)
        })
        .collect();
    detectors.iter().for_each(|detector| detector.logged("Events come from NATS."));

    let text = format!(
        "detection: {{rules: []}}\nstream: {{mode: nats}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n\
         nats: {{servers: ['{}'], spool: {{path: {}}}}}\n",
        server.url(),
        dir.path().join("spool").display()
    );
    let config = Config::parse("test", &text).unwrap();
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let (send, remote) = mpsc::channel();
    let agent = thread::spawn(move || {
        let rules = Rules::Fixed(ForwardRules::every_kind());
        let job = Job { rules, sink: Sink::Streams, alerts: None, listen: false };
        let agent =
            Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source))).unwrap();
        send.send(agent.remote()).unwrap();
        agent.run()
    });
    let remote = remote.recv().unwrap();

    let (begun, mut produced, mut step) = (Instant::now(), 0, 0);
    while begun.elapsed() < Duration::from_secs(SECONDS) {
        let due = usize::try_from(begun.elapsed().as_millis()).unwrap() * RATE / 1000;
        let events = (produced..due).map(|number| read(&format!("/{number}"))).collect();
        script.batches.lock().unwrap().push_back(events);
        produced = due;
        // One dies every half second, and is back after another.
        if begun.elapsed() >= Duration::from_millis(500) * (step + 1) {
            match step {
                0 | 4 => server.kill(),
                1 | 5 => server.again(),
                2 | 6 | 8 => detectors[usize::try_from(step / 2 - 1).unwrap() % 3].kill(),
                3 | 7 | 9 => detectors[usize::try_from((step - 1) / 2 - 1).unwrap() % 3].again(),
                _ => {}
            }
            step += 1;
        }
        thread::sleep(Duration::from_millis(5));
    }
    until("every event has arrived", || recorder.account(produced).missing == 0);
    let account = recorder.account(produced);
    eprintln!("{produced} events: {account:?}");
    assert_eq!(account.lost, 0, "the spool had room: {account:?}");
    remote.stop();
    agent.join().unwrap().unwrap();
}

/// A detector on the bus that tells a recorder what it judges.
async fn member(server: &Server, recorder: &Recorder) -> Running {
    let more = "engines: [external]\nexternal: {timeoutMs: 20000, endpoint: 'http://127.0.0.1:";
    start(&format!("{more}{}'}}\nnats: {{servers: ['{}']}}", recorder.port, server.url())).await
}

async fn publish(to: &jetstream::Context, subject: &str, id: &str, payload: Vec<u8>) -> bool {
    let message = PublishMessage::build().message_id(id).payload(payload.into());
    to.send_publish(format!("sentinel.events.{subject}"), message).await.unwrap().await.unwrap().duplicate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_has_one_detector_and_another_when_that_one_ends() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let recorders = [Recorder::start(), Recorder::start(), Recorder::start()];
    let mut detectors = Vec::new();
    for recorder in &recorders {
        detectors.push(member(&server, recorder).await);
    }
    settled(&detectors).await;
    let client = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let send = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let name = format!("/{number}");
            let events = vec![event(&format!("e{number}"), "file_read", "n", &[("filename", &name)])];
            let batch = EventBatch { sequence: 0, events }.encode_to_vec();
            publish(&client, &(number % 32).to_string(), &format!("e{number}"), batch).await;
        }
    };
    send(0..320).await;
    let whole = |count: usize| {
        move |recorders: &[Recorder; 3]| recorders.iter().map(Recorder::count).sum::<usize>() == count
    };
    until("all are judged", || whole(320)(&recorders));
    let of: Vec<_> =
        (0..32).map(|subject| recorders.iter().position(|one| one.knows(subject)).unwrap()).collect();
    for number in 0..320 {
        let knows: Vec<_> = (0..3).filter(|one| recorders[*one].knows(number)).collect();
        assert_eq!(knows, [of[number % 32]], "{number}");
    }
    assert!((0..3).all(|one| of.contains(&one)), "each has something to do: {of:?}");

    detectors.remove(0).stop().await;
    settled(&detectors).await;
    send(320..640).await;
    until("the others have taken over", || whole(640)(&recorders));
    assert!((320..640).all(|number| !recorders[0].knows(number)));
}

/// Waits until all subjects have an owner, each detector some, and it has been so for longer than a request lasts.
async fn settled(detectors: &[Running]) {
    let wait = async {
        let (mut before, mut since) = (Vec::new(), Instant::now());
        loop {
            let mut owned = Vec::new();
            for detector in detectors {
                owned.push(detector.metric("sentinel_detector_nats_subjects").await);
            }
            let shared = owned.iter().sum::<u64>() == 32 && owned.iter().all(|count| *count > 0);
            if owned != before || !shared {
                (before, since) = (owned, Instant::now());
            }
            if since.elapsed() > Duration::from_secs(3) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Who has just ended keeps its subjects until its lease is over; that may happen twice.
    tokio::time::timeout(3 * common::PATIENCE, wait).await.expect("the group settles");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_costs_itself_and_what_comes_twice_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let recorder = Recorder::start();
    let detector = member(&server, &recorder).await;
    settled(std::slice::from_ref(&detector)).await;
    let client = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let events = vec![event("e1", "file_read", "n", &[("filename", "/1")])];
    let batch = EventBatch { sequence: 0, events }.encode_to_vec();
    assert!(!publish(&client, "7", "x", b"\xff\xff\xff".to_vec()).await);
    assert!(!publish(&client, "7", "e1", batch.clone()).await);
    assert!(publish(&client, "7", "e1", batch).await, "the server knows it");
    detector.metric_reaches("sentinel_detector_nats_messages_total", 1).await;
    assert_eq!(detector.metric("sentinel_detector_nats_malformed_total").await, 1);
    let stream = client.get_stream("sentinel").await.unwrap();
    let empty = async {
        while stream.get_info().await.unwrap().state.messages > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(common::PATIENCE, empty).await.expect("what was judged leaves the stream");
    assert_eq!(recorder.count(), 1);
    // It ends in order, with the server or without.
    drop(server);
    detector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_too_little_room_is_named_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let program = {
        let bus = format!(
            "nats: {{servers: ['{}'], maxBytes: {}}}\ngrpc: {{port: 0}}",
            server.url(),
            2 * server::ROOM
        );
        let dir = dir.path().join("detector");
        tokio::task::spawn_blocking(move || Program::start(&dir, 1, &bus)).await.unwrap()
    };
    let said = "less room than nats.maxBytes (4294967296): make that smaller";
    tokio::task::spawn_blocking(move || program.logged(said)).await.unwrap();
}
