//! Reloading the rules while events flow.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    os::fd::OwnedFd,
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
};

use common::{Fake, Script, config, get, read, until};
use sentinel_agent::{Agent, Config, ForwardRules, Job, Rules, Sink};
use sentinel_event::{FileInterest, FileOpen, Kind, Observation};

#[test]
fn new_rules_are_in_force_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rules.yaml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("rules: [{name: a, event: file_read, match: {pathPrefixes: [/a]}}]");
    let script = Arc::new(Script::default());
    let (reader, writer) = std::io::pipe().unwrap();
    let mut output = BufReader::new(reader);
    let sink = Sink::Descriptor(File::from(OwnedFd::from(writer)));
    let (sender, receiver) = mpsc::channel();
    let (source, file) = (Arc::clone(&script), path.clone());
    let agent = thread::spawn(move || {
        let job = Job { rules: Rules::File { path: file, required: true }, sink, alerts: None, listen: true };
        let agent =
            Agent::start(&config(), job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
        sender.send((agent.remote(), agent.metrics()[0])).unwrap();
        agent.run()
    });
    let (remote, metrics) = receiver.recv().unwrap();
    let reloads = |result: &str, count: u32| {
        let line = format!("sentinel_rule_reloads_total{{result=\"{result}\"}} {count}\n");
        until(&line, || get(metrics, "/metrics").1.contains(&line));
    };
    let mut next = |paths: &[&str]| {
        script.batches.lock().unwrap().push_back(paths.iter().map(|path| read(path)).collect());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        line["data"]["filename"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(&["/b", "/a"]), "/a");

    write("rules: [{name: a, event: exec}, {name: b, event: file_read, match: {pathPrefixes: [/b]}}]");
    remote.reload();
    reloads("ok", 1);
    assert_eq!(script.calls.lock().unwrap()[1], "kinds exec,fork,exit,file_read,loss");
    assert_eq!(next(&["/a", "/b"]), "/b");

    for (count, bad) in (1..).zip(["rules: [{name: a, event: nothing}]", "rules: ["]) {
        write(bad);
        remote.reload();
        reloads("refused", count);
        assert_eq!(next(&["/a", "/b"]), "/b", "the old rules stay");
    }

    write("rules: [{name: a, event: file_read}]");
    script.refuse.store(true, Ordering::Relaxed);
    remote.reload();
    reloads("refused", 3);
    assert_eq!(
        script.calls.lock().unwrap()[3],
        "kinds exec,fork,exit,file_read,loss",
        "back to the old kinds"
    );
    assert_eq!(next(&["/a", "/b"]), "/b", "the old rules stay");

    remote.stop();
    agent.join().unwrap().unwrap();
}

#[test]
fn opens_that_no_rule_can_match_may_stay_in_the_kernel() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("r.yaml");
    let write = |prefix: &str| {
        let condition = format!("evt.type=openat and evt.is_open_read=true and fd.name startswith {prefix}");
        let rule = "{rule: r, desc: d, output: o, priority: ERROR, condition: ";
        std::fs::write(&path, format!("- {rule}{condition}}}\n")).unwrap();
    };
    let start = |forward: &[Kind]| {
        let script = Arc::new(Script::default());
        let source = Arc::clone(&script);
        let kinds = forward.iter().copied().collect();
        let detection = format!(
            "health: {{port: 0}}\nmetrics: {{port: 0}}\ndetection: {{watch: false, rules: [{}]}}",
            path.display()
        );
        let config = Config::parse("test", &detection).unwrap();
        let (sender, receiver) = mpsc::channel();
        let agent = thread::spawn(move || {
            let rules = Rules::Fixed(ForwardRules::of_kinds(kinds));
            let sink = Sink::Observer(Box::new(|_: &[Observation]| ControlFlow::Continue(())));
            let job = Job { rules, sink, alerts: None, listen: false };
            let (control, capture) = (Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)));
            let agent = Agent::start(&config, job, control, capture)?;
            sender.send(agent.remote()).unwrap();
            agent.run()
        });
        (script, receiver.recv().unwrap(), agent)
    };
    let open = |path: &str| FileOpen { path: path.into(), ..FileOpen::default() };
    write("/etc/");
    let (script, remote, agent) = start(&[Kind::Listen]);
    let asked = || script.files.lock().unwrap().last().cloned().unwrap_or_else(FileInterest::all);
    until("what matters is told", || !asked().holds(&open("/srv/x"), 3));
    assert!(asked().holds(&open("/etc/x"), 3));

    write("/srv/");
    remote.reload();
    until("new rules have what is theirs", || asked().holds(&open("/srv/x"), 3));
    until("and the old ones nothing", || !asked().holds(&open("/etc/x"), 3));
    remote.stop();
    agent.join().unwrap().unwrap();

    let (script, remote, agent) = start(&[Kind::FileOpen]);
    until("it is told", || !script.files.lock().unwrap().is_empty());
    assert_eq!(*script.files.lock().unwrap(), [FileInterest::all()], "who forwards opens gets all");
    remote.stop();
    agent.join().unwrap().unwrap();
}
