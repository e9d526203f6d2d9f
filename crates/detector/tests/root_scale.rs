//! Three detectors behind one name, killed in turn: the agent goes on with the next. Needs root: the name is in a
//! `/etc/hosts` that only this agent sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // a test program

#[path = "../../agent/tests/common/mod.rs"]
mod source;

#[path = "faults/program.rs"]
mod program;
#[path = "faults/recorder.rs"]
mod recorder;

use std::{
    fs,
    net::TcpListener,
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use program::Program;
use recorder::Recorder;
use sentinel_agent::{Agent, Config, ForwardRules, Job, Rules, Sink};
use source::{Fake, Script, read, until};

const NAME: &str = "detectors.test";
const ADDRESSES: [&str; 3] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const RATE: usize = 2000;

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

#[test]
fn the_agent_goes_on_with_the_next_detector_of_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind((ADDRESSES[0], 0)).unwrap().local_addr().unwrap().port();
    let recorder = Recorder::start();
    let mut detectors: Vec<Program> = ADDRESSES
        .iter()
        .map(|address| {
            let more = format!("grpc: {{address: {address}, port: {port}}}");
            Program::start(&dir.path().join(address), recorder.port, &more)
        })
        .collect();
    detectors.iter().for_each(|detector| detector.logged("Listening."));

    let hosts = dir.path().join("hosts");
    fs::write(&hosts, ADDRESSES.map(|address| format!("{address} {NAME}\n")).concat()).unwrap();
    let text = format!(
        "detection: {{rules: []}}\nstream: {{mode: grpc}}\nhealth: {{port: 0}}\nmetrics: {{port: 0}}\n\
         grpc: {{endpoint: '{NAME}:{port}', spool: {{path: {}}}}}\n",
        dir.path().join("spool").display()
    );
    let config = Config::parse("test", &text).unwrap();
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let (send, remote) = mpsc::channel();
    let agent = thread::spawn(move || {
        // The threads that the agent starts from here see this file, too.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        run("mount", &["--make-rprivate", "/"]);
        run("mount", &["--bind", &hosts.display().to_string(), "/etc/hosts"]);
        let rules = Rules::Fixed(ForwardRules::every_kind());
        let job = Job { rules, sink: Sink::Streams, alerts: None, listen: false };
        let agent =
            Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source))).unwrap();
        send.send(agent.remote()).unwrap();
        agent.run()
    });
    let remote = remote.recv().unwrap();

    let (begun, mut produced, mut killed) = (Instant::now(), 0, 0);
    // One after the other dies; before the next one does, it is back.
    while begun.elapsed() < Duration::from_secs(4) {
        let due = usize::try_from(begun.elapsed().as_millis()).unwrap() * RATE / 1000;
        let events = (produced..due).map(|number| read(&format!("/{number}"))).collect();
        script.batches.lock().unwrap().push_back(events);
        produced = due;
        if killed < 3 && begun.elapsed() >= Duration::from_secs(killed + 1) {
            let which = usize::try_from(killed).unwrap();
            detectors[which].kill();
            if let Some(before) = which.checked_sub(1) {
                detectors[before].again();
            }
            killed += 1;
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
