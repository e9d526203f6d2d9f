//! `stream.mode: file`: what leaves is in the log, through restarts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{fs::File, path::Path, sync::Arc, thread};

use common::{Fake, Script, read, until};
use sentinel_agent::{Agent, Config, ForwardRules, Job, Rules, Sink};
use sentinel_wire::evt1::{Item, Reader};

/// An agent with this section `stream`, until it has taken these batches and ended.
fn run(stream: &str, batches: &[&[&str]]) {
    let script = Arc::new(Script::default());
    let events = batches.iter().map(|batch| batch.iter().map(|path| read(path)).collect());
    script.batches.lock().unwrap().extend(events);
    let text = format!(
        "detection: {{rules: [], outputs: {{}}}}\nstream: {stream}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n"
    );
    let config = Config::parse("test", &text).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let source = Arc::clone(&script);
    let agent = thread::spawn(move || {
        let rules = Rules::Fixed(ForwardRules::every_kind());
        let job = Job { rules, sink: Sink::Streams, alerts: None, listen: false };
        let agent = Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
        sender.send(agent.remote()).unwrap();
        agent.run()
    });
    let remote = receiver.recv().unwrap();
    until("the batches are taken", || script.batches.lock().unwrap().is_empty());
    remote.stop();
    agent.join().unwrap().unwrap();
}

fn names(path: &Path) -> Vec<String> {
    let mut reader = Reader::new(File::open(path).unwrap()).unwrap();
    std::iter::from_fn(|| reader.next_event().unwrap())
        .map(|item| match item {
            Item::Record(event) => event.data["filename"].clone(),
            Item::Damage(damage) => format!("{damage}"),
        })
        .collect()
}

#[test]
fn a_restart_goes_on_where_the_log_ended() {
    for compress in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.bin");
        let stream = format!("{{mode: file, file: {{path: {}, compress: {compress}}}}}", path.display());
        run(&stream, &[&["/1", "/2"], &["/3"]]);
        assert_eq!(names(&path), ["/1", "/2", "/3"]);
        run(&stream, &[&["/4"]]);
        assert_eq!(names(&path), ["/1", "/2", "/3", "/4"]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

        // A crash in the middle of a write.
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        run(&stream, &[&["/5"]]);
        assert_eq!(names(&path), ["/5"]);
        let old = names(&dir.path().join("events.bin.1"));
        assert_eq!(old[..3], ["/1", "/2", "/3"]);
        // A member without its checksum holds all the same.
        assert!(old.last().unwrap().starts_with("torn: "), "{old:?}");
        // Written in one form, gone on in the other.
        let other = stream.replace(&format!("compress: {compress}"), &format!("compress: {}", !compress));
        run(&other, &[&["/6"]]);
        assert_eq!(
            (names(&path), names(&dir.path().join("events.bin.1"))),
            (vec!["/6".into()], vec!["/5".into()])
        );
    }
}

#[test]
fn a_log_rotates_between_records() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.bin");
    let stream = format!(
        "{{mode: file, batchSize: 1, file: {{path: {}, rotateMaxBytes: 4096, rotateMaxFiles: 3, syncSeconds: 0}}}}",
        path.display()
    );
    let all: Vec<String> = (0..50).map(|number| format!("/{number:0500}")).collect();
    let batch: Vec<&str> = all.iter().map(String::as_str).collect();
    run(&stream, &[&batch]);
    let mut found = Vec::new();
    for file in ["events.bin.2", "events.bin.1", "events.bin"] {
        let file = dir.path().join(file);
        assert!(std::fs::metadata(&file).unwrap().len() <= 4096);
        found.extend(names(&file));
    }
    assert!(found.len() > 3 && all.ends_with(&found), "the newest, in order: {}", found.len());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
}
