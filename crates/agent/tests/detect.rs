//! Detection on the node: from a rule file to an alert on the output.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

mod common;

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
};

use common::{Fake, Script, get, open, read, until};
use sentinel_agent::{Agent, AgentError, Config, ForwardRules, Job, Remote, Rules, Sink};
use sentinel_event::{Alert, Event, Kind, KindSet};
use serde_json::Value;

/// Two rules for opens, of which the second is the more general.
const OPENS: &str = "
- rule: Shadow opened
  id: shadow
  desc: d
  condition: evt.type in (open, openat) and fd.name = /etc/shadow
  output: shadow by %proc.name
  priority: ERROR
  recommendation: look
  tags: [a, b]
- rule: Anything opened
  desc: d
  condition: evt.type in (open, openat)
  output: open of %fd.name
  priority: INFO
";

struct Running {
    script: Arc<Script>,
    remote: Remote,
    metrics: SocketAddr,
    output: BufReader<File>,
    thread: thread::JoinHandle<Result<(), AgentError>>,
}

fn config(detection: &str) -> Config {
    Config::parse("c", &format!("health: {{port: 0}}\nmetrics: {{port: 0}}\ndetection: {detection}\n"))
        .unwrap()
}

/// Starts an agent that forwards the kinds of `forward` and judges by the rules of `detection`.
fn start(detection: &str, forward: &[Kind]) -> Running {
    let (config, forward) = (config(detection), forward.iter().copied().collect::<KindSet>());
    let (reader, writer) = std::io::pipe().unwrap();
    // Alerts go where the events go, a line each.
    let mut both = File::from(OwnedFd::from(writer));
    let sink = Sink::Descriptor(both.try_clone().unwrap());
    let alerts = move |alert: &Alert| {
        let line = [alert.sentinel_json.as_slice(), b"\n"].concat();
        both.write_all(&line).unwrap();
    };
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let rules = Rules::Fixed(ForwardRules::of_kinds(forward));
        let job = Job { rules, sink, alerts: Some(Box::new(alerts)), listen: true };
        let agent = Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source)))?;
        sender.send((agent.remote(), agent.metrics()[0])).unwrap();
        agent.run()
    });
    let (remote, metrics) = receiver.recv().unwrap();
    let output = BufReader::new(File::from(OwnedFd::from(reader)));
    Running { script, remote, metrics, output, thread }
}

impl Running {
    fn events(&self, events: Vec<Event>) {
        self.script.batches.lock().unwrap().push_back(events);
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"))
    }

    /// The next alert: rule and reason.
    fn alert(&mut self) -> (String, String) {
        let alert = self.next();
        let text = |name: &str| alert[name].as_str().unwrap_or_default().to_owned();
        (text("rule"), text("reason"))
    }

    fn metric(&self, name: &str) -> String {
        let page = get(self.metrics, "/metrics").1;
        page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    }

    fn stop(self) -> Vec<Value> {
        self.remote.stop();
        self.thread.join().unwrap().unwrap();
        self.output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }
}

/// Puts the file there whole: an agent that watches it may read it at any time.
fn file(dir: &Path, name: &str, text: &str) -> String {
    let (path, new) = (dir.join(name), dir.join("new"));
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn pair(rule: &str, reason: &str) -> (String, String) {
    (rule.to_owned(), reason.to_owned())
}

#[test]
fn a_match_is_an_alert_with_the_names_of_the_contract_beside_the_events() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let agent = start(&format!("{{rules: [{rules}]}}"), &[Kind::FileRead]);
    agent.events(vec![read("/a"), open("/etc/shadow"), read("/b")]);
    until("it is judged", || agent.metric("sentinel_alerts_delivered_total{output=\"view\"}") == "1");
    let (alerts, events): (Vec<_>, Vec<_>) =
        agent.stop().into_iter().partition(|line| line["rule_id"].is_string());
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["event_type"] == "file_read"));
    assert!(events.iter().all(|event| event["attributes"]["sentinel.rules"] == "1"), "{events:?}");
    let [alert] = alerts.as_slice() else { panic!("one alert: {alerts:?}") };
    for (key, value) in [
        ("rule_id", "shadow"),
        ("rule", "Shadow opened"),
        ("severity", "high"),
        ("reason", "shadow by t"),
        ("recommendation", "look"),
        ("timestamp", "2023-11-14T22:13:20.000000000Z"),
    ] {
        assert_eq!(alert[key], value, "{alert}");
    }
    assert_eq!(alert["risk_score"], 80);
    assert_eq!(alert["tags"], serde_json::json!(["a", "b"]));
    assert_eq!(alert["event"]["Filename"], "/etc/shadow");
    assert_eq!(alert["event"]["EventType"], "file_open");
    assert_eq!(alert["event"]["PID"], 4_000_000_000_u32);
    assert!(alert["event_type"].is_null(), "that is how an event is known");
}

#[test]
fn what_is_judged_is_captured_and_not_forwarded() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let agent = start(&format!("{{rules: [{rules}]}}"), &[Kind::Listen]);
    agent.remote.reload();
    let captured = "kinds exec,fork,exit,file_open,listen,loss".to_owned();
    until("the kinds are set", || agent.script.calls.lock().unwrap().contains(&captured));
    assert!(agent.stop().is_empty());
}

#[test]
fn the_configuration_chooses_among_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let (shadow, anything) =
        (pair("Shadow opened", "shadow by t"), pair("Anything opened", "open of /etc/shadow"));
    for (more, expected) in [
        ("", vec![&shadow]),
        ("matching: all", vec![&shadow, &anything]),
        ("matching: all, minimumPriority: warning", vec![&shadow]),
        ("select: [{disable: {tag: b}}]", vec![&anything]),
        ("matching: all, select: [{disable: {rule: '*'}}, {enable: {rule: 'Any*'}}]", vec![&anything]),
        ("matching: all, select: [{enable: {rule: 'Any*'}}, {disable: {rule: '*'}}]", vec![]),
    ] {
        let agent = start(&format!("{{rules: [{rules}], {more}}}"), &[]);
        agent.events(vec![open("/etc/shadow")]);
        until("it is decoded", || agent.metric("sentinel_events_decoded_total{kind=\"file_open\"}") == "1");
        let found: Vec<_> =
            agent.stop().iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, expected.iter().map(|(rule, _)| rule.as_str()).collect::<Vec<_>>(), "{more}");
    }
}

#[test]
fn outputs_are_appended_to_where_the_configuration_says() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let append =
        "appendOutput: [{match: {tags: [a]}, extraOutput: 'pid=%proc.pid \"x\"'}, {extraOutput: end}]";
    let mut agent = start(&format!("{{rules: [{rules}], {append}}}"), &[]);
    agent.events(vec![open("/etc/shadow"), open("/b")]);
    assert_eq!(agent.alert(), pair("Shadow opened", "shadow by t pid=4000000000 \"x\" end"));
    assert_eq!(agent.alert(), pair("Anything opened", "open of /b end"));
    agent.stop();
}

#[test]
fn fields_are_added_with_their_types_and_constants_too() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let append = "appendOutput: [{match: {rule: 'Shadow*', source: syscall}, extraFields: [proc.pid, {who: 'p=%proc.pid'}]}, \
                  {match: {rule: Anything opened}, suggestedOutput: true}], staticFields: {cluster: east}";
    let agent = start(&format!("{{rules: [{rules}], {append}}}"), &[]);
    agent.events(vec![open("/etc/shadow"), open("/b")]);
    until("they are decoded", || agent.metric("sentinel_events_decoded_total{kind=\"file_open\"}") == "2");
    let alerts = agent.stop();
    let [shadow, other] = &alerts[..] else { panic!("{alerts:?}") };
    let fields = &shadow["output_fields"];
    assert_eq!(fields["proc.pid"], 4_000_000_000_u64);
    assert_eq!(fields["who"], "p=4000000000");
    assert_eq!(shadow["reason"], "shadow by t");
    for alert in [shadow, other] {
        assert_eq!(alert["output_fields"]["static.cluster"], "east");
    }
    let reason = other["reason"].as_str().unwrap();
    assert!(reason.starts_with("open of /b container_id=host container_name="), "{reason}");
}

#[test]
fn a_directory_and_later_files_are_one_set() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("d")).unwrap();
    file(&dir.path().join("d"), "1.yaml", OPENS);
    let off = "- rule: Shadow opened\n  enabled: false\n  override: {enabled: replace}\n";
    file(&dir.path().join("d"), "2.yaml", off);
    let mut agent = start(&format!("{{rules: [builtin, {}]}}", dir.path().join("d").display()), &[]);
    agent.events(vec![open("/c")]);
    assert_eq!(agent.alert(), pair("Anything opened", "open of /c"));
    agent.stop();
}

#[test]
fn broken_rules_are_refused_at_the_start_with_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "broken.yaml", &OPENS.replace("fd.name = ", "fd.nmae = "));
    let job =
        Job { rules: Rules::Fixed(ForwardRules::default()), sink: Sink::Stdout, alerts: None, listen: false };
    let script = Arc::new(Script::default());
    let config = config(&format!("{{rules: [{rules}]}}"));
    let error = Agent::start(&config, job, Box::new(Fake(Arc::clone(&script))), Box::new(Fake(script)));
    let error = error.err().unwrap();
    assert_eq!(error.exit_code(), 2);
    for part in ["broken.yaml:5:45: LOAD_ERR_COMPILE_CONDITION", "fd.name", "^", "sentinel rules check"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_reload_swaps_whole_sets_and_keeps_counts() {
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let mut agent = start(&format!("{{rules: [{rules}]}}"), &[]);
    let sum = |text: &str| {
        use sha2::Digest as _;
        sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let in_force = |agent: &Running, text: &str, generation: &str| {
        let info = format!("sentinel_detection_rules_info{{hash=\"{}\"}}", sum(text));
        assert_eq!(agent.metric(&info), "1");
        assert_eq!(agent.metric("sentinel_rule_generation"), generation);
    };
    in_force(&agent, OPENS, "1");
    agent.events(vec![open("/etc/shadow")]);
    assert_eq!(agent.alert().1, "shadow by t");

    for (count, broken) in
        (1..).zip(["- rule: [", "- rule: x\n  desc: d\n", &OPENS.replace("openat", "nope")])
    {
        file(dir.path(), "r.yaml", broken);
        agent.remote.reload();
        let refused = format!("{count}");
        until("it is refused", || agent.metric("sentinel_rule_reloads_total{result=\"refused\"}") == refused);
        in_force(&agent, OPENS, "1");
        agent.events(vec![open("/etc/shadow")]);
        assert_eq!(agent.alert().1, "shadow by t", "the old rules stay");
    }

    let new = OPENS.replace("shadow by", "new words by");
    file(dir.path(), "r.yaml", &new);
    agent.remote.reload();
    until("it is taken", || agent.metric("sentinel_rule_reloads_total{result=\"ok\"}") == "1");
    in_force(&agent, &new, "2");
    agent.events(vec![open("/etc/shadow")]);
    assert_eq!(agent.alert().1, "new words by t");
    let hits = "sentinel_rule_hits_total{rule_id=\"shadow\",rule=\"Shadow opened\"}";
    assert_eq!(agent.metric(hits), "5", "hits of the generation before count on");
    assert_eq!(
        agent.metric("sentinel_rule_hits_total{rule_id=\"anything_opened\",rule=\"Anything opened\"}"),
        "0"
    );
    agent.stop();
}

#[test]
fn alerts_that_nobody_takes_are_counted_and_the_flow_goes_on() {
    const EVENTS: usize = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let rules = file(dir.path(), "r.yaml", OPENS);
    let (gate, seen) = (Arc::new((Mutex::new(false), Condvar::new())), Arc::new(Mutex::new(0)));
    let (closed, to) = (Arc::clone(&gate), Arc::clone(&seen));
    let alerts = move |_: &Alert| {
        let (open, opened) = &*closed;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        *to.lock().unwrap() += 1;
    };
    let script = Arc::new(Script::default());
    let source = Arc::clone(&script);
    let config = config(&format!("{{rules: [{rules}]}}"));
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let rules = Rules::Fixed(ForwardRules::of_kinds(KindSet::NONE));
        let (reader, writer) = std::io::pipe().unwrap();
        let sink = Sink::Descriptor(File::from(OwnedFd::from(writer)));
        let job = Job { rules, sink, alerts: Some(Box::new(alerts)), listen: true };
        let agent =
            Agent::start(&config, job, Box::new(Fake(Arc::clone(&source))), Box::new(Fake(source))).unwrap();
        sender.send((agent.remote(), agent.metrics()[0])).unwrap();
        let result = agent.run();
        drop(reader);
        result
    });
    let (remote, metrics) = receiver.recv().unwrap();
    for _ in 0..EVENTS / 100 {
        script.batches.lock().unwrap().push_back(vec![open("/x"); 100]);
    }
    let metric = |name: &str| {
        let page = get(metrics, "/metrics").1;
        page.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse::<usize>().unwrap()
    };
    // The pipeline does not wait for the alerts' receiver, which takes nothing yet.
    until("all are judged", || metric("sentinel_alerts_raised_total ") == EVENTS);
    let lost = metric("sentinel_alerts_lost_total{output=\"view\",cause=\"full\"} ");
    assert!(lost > 0);
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    remote.stop();
    thread.join().unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap() + lost, EVENTS);
}

/// Files that change are read without a signal, however they are replaced.
#[test]
fn changed_files_are_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let mounted = dir.path().join("mounted");
    std::fs::create_dir_all(mounted.join("..1")).unwrap();
    file(&mounted.join("..1"), "r.yaml", OPENS);
    // As Kubernetes mounts a ConfigMap.
    std::os::unix::fs::symlink("..1", mounted.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/r.yaml", mounted.join("r.yaml")).unwrap();
    let plain = file(dir.path(), "plain.yaml", "");
    let mut agent = start(&format!("{{rules: [{}, {plain}]}}", mounted.join("r.yaml").display()), &[]);
    let reloads = |agent: &Running, result: &str, count: &str| {
        let name = format!("sentinel_rule_reloads_total{{result=\"{result}\"}}");
        until("it is read", || agent.metric(&name) == count);
    };
    let says = |agent: &mut Running, words: &str| {
        agent.events(vec![open("/etc/shadow")]);
        assert_eq!(agent.alert().1, words);
    };
    says(&mut agent, "shadow by t");

    // Swapped whole.
    std::fs::create_dir(mounted.join("..2")).unwrap();
    file(&mounted.join("..2"), "r.yaml", &OPENS.replace("shadow by", "second by"));
    std::os::unix::fs::symlink("..2", mounted.join("..data_tmp")).unwrap();
    std::fs::rename(mounted.join("..data_tmp"), mounted.join("..data")).unwrap();
    reloads(&agent, "ok", "1");
    says(&mut agent, "second by t");

    // Written in place.
    let change = "- rule: Shadow opened\n  output: third\n  override: {output: replace}\n";
    std::fs::write(&plain, change).unwrap();
    reloads(&agent, "ok", "2");
    says(&mut agent, "third");

    // Renamed over, and wrong.
    let other = file(dir.path(), "other", "- rule: [");
    std::fs::rename(&other, &plain).unwrap();
    reloads(&agent, "refused", "1");
    says(&mut agent, "third");

    // Touched, with nothing new in it: not refused once more.
    std::fs::write(&plain, "- rule: [").unwrap();
    std::fs::write(&plain, change.replace("third", "fourth")).unwrap();
    reloads(&agent, "ok", "3");
    says(&mut agent, "fourth");
    assert_eq!(agent.metric("sentinel_rule_reloads_total{result=\"refused\"}"), "1");
    agent.stop();
}
