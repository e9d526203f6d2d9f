//! From a source to an output, with everything that can go wrong between.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, atomic::Ordering},
    thread,
};

use common::{Fake, Script, config, exec, read, until};
use sentinel_agent::{Agent, AgentError, ForwardRules, Job, Rules, Sink};
use sentinel_event::{Body, Event, Kind, Observation};

/// Runs an agent on a thread of its own, as its control may not move.
fn start(
    script: &Arc<Script>,
    rules: Rules,
    sink: Sink,
) -> (sentinel_agent::Remote, thread::JoinHandle<Result<(), AgentError>>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let script = Arc::clone(script);
    let thread = thread::spawn(move || {
        let job = Job { rules, sink, alerts: None, listen: false };
        let agent =
            Agent::start(&config(), job, Box::new(Fake(Arc::clone(&script))), Box::new(Fake(script)))?;
        sender.send(agent.remote()).unwrap();
        agent.run()
    });
    (receiver.recv().unwrap(), thread)
}

fn all() -> Rules {
    Rules::Fixed(ForwardRules::every_kind())
}

fn pipe() -> (BufReader<File>, Sink) {
    let (reader, writer) = std::io::pipe().unwrap();
    (BufReader::new(File::from(OwnedFd::from(reader))), Sink::Descriptor(File::from(OwnedFd::from(writer))))
}

fn lines(output: BufReader<File>) -> Vec<serde_json::Value> {
    output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn stopping_detaches_then_drains_then_delivers_everything() {
    let script = Arc::new(Script::default());
    script.batches.lock().unwrap().extend([vec![read("/1"), read("/2")], vec![read("/3")]]);
    *script.last.lock().unwrap() = vec![read("/last")];
    let (output, sink) = pipe();
    let (remote, agent) = start(&script, all(), sink);
    remote.stop();
    agent.join().unwrap().unwrap();
    let names: Vec<_> =
        lines(output).iter().map(|line| line["data"]["filename"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["/1", "/2", "/3", "/last"]);
    assert_eq!(*script.calls.lock().unwrap(), ["consumers true", "kinds ", "drain"]);
}

#[test]
fn a_closed_output_ends_the_agent_with_success() {
    let script = Arc::new(Script::default());
    let (mut output, sink) = pipe();
    let (_remote, agent) = start(&script, all(), sink);
    script.batches.lock().unwrap().push_back(vec![read("/1")]);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    drop(output);
    // Nothing is written any more: the end of the pipe is noticed all the same.
    // Waiting for an outlet that has gone would end in an error.
    agent.join().unwrap().unwrap();
}

#[test]
fn a_broken_source_ends_the_agent_after_what_it_had_delivered() {
    let script = Arc::new(Script::default());
    script.batches.lock().unwrap().push_back(vec![read("/1")]);
    let (output, sink) = pipe();
    let (_remote, agent) = start(&script, all(), sink);
    until("the batch is taken", || script.batches.lock().unwrap().is_empty());
    script.fail.store(true, Ordering::Relaxed);
    let error = agent.join().unwrap().unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit_code()), ("the capture ended: the ring broke", 1));
    assert_eq!(lines(output).len(), 1);
}

#[test]
fn an_observer_that_breaks_stops_the_agent() {
    let script = Arc::new(Script::default());
    script.batches.lock().unwrap().push_back(vec![exec()]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&seen);
    let observer = move |batch: &[Observation]| {
        to.lock().unwrap().extend(batch.iter().map(|observation| observation.event.kind()));
        if batch.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let (_remote, agent) = start(&script, all(), Sink::Observer(Box::new(observer)));
    agent.join().unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), [Kind::Exec]);
}

/// Sums of what an observer saw: events by kind, and losses reported by kind.
#[derive(Default)]
struct Seen {
    events: BTreeMap<Kind, u64>,
    lost: BTreeMap<Kind, u64>,
}

#[test]
fn what_overflows_is_reported_exactly() {
    const BATCHES: u64 = 1000;
    const BATCH: u64 = 50;
    let script = Arc::new(Script::default());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (to, closed) = (Arc::clone(&seen), Arc::clone(&gate));
    let observer = move |batch: &[Observation]| {
        let (open, opened) = &*closed;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        let mut seen = to.lock().unwrap();
        for observation in batch {
            match &observation.event.body {
                Body::Loss(loss) => *seen.lost.entry(loss.kind.unwrap()).or_default() += loss.count,
                body => *seen.events.entry(body.kind()).or_default() += 1,
            }
        }
        ControlFlow::Continue(())
    };
    let (remote, agent) = start(&script, all(), Sink::Observer(Box::new(observer)));
    for at in 0..BATCHES {
        let batch: Vec<Event> =
            (0..BATCH).map(|n| if (at + n) % 5 == 0 { exec() } else { read("/x") }).collect();
        script.batches.lock().unwrap().push_back(batch);
    }
    until("the source is empty", || script.batches.lock().unwrap().is_empty());
    let (open, opened) = &*gate;
    *open.lock().unwrap() = true;
    opened.notify_all();
    remote.stop();
    agent.join().unwrap().unwrap();

    let seen = seen.lock().unwrap();
    let produced =
        BTreeMap::from([(Kind::Exec, BATCHES * BATCH / 5), (Kind::FileRead, BATCHES * BATCH / 5 * 4)]);
    let mut told = seen.events.clone();
    for (kind, lost) in &seen.lost {
        *told.entry(*kind).or_default() += lost;
    }
    assert_eq!(told, produced);
    assert!(seen.lost.values().sum::<u64>() > BATCHES * BATCH / 2, "most of it cannot fit: {:?}", seen.lost);
}
