//! The shipped rules on the real kernel: every simulated attack is seen, and its benign twin is not. Needs root.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking; helpers are not seen as tests"
)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use sentinel_rules::builtin;
use sentinel_rules::language::eval::{Choice, Chosen, Engine, Selection};
use sentinel_rules::language::{Rule, RuleSet};
use serde_json::Value;

/// An emulated machine takes a minute to verify the programs of the kernel side.
const DEADLINE: Duration = Duration::from_secs(300);

/// What attacks trip beside their rule, because they go through it.
const ALSO: &[(&str, &str)] =
    &[("exec-memory", "File made in memory"), ("injection-memory-file", "Program without a file")];

/// Attacks that need something of the kernel, as `sentinel doctor` names it: where it says that this is not there, they
/// need not be seen.
const NEEDS: &[(&str, &str)] = &[("read-passwords-ring", "io_uring"), ("reverse-shell-ring", "io_uring")];

/// A rule of the test's own: its alert says that all alerts before it have come.
const MARK: &str = "
- rule: mark
  desc: a mark of the test
  condition: evt.type in (execve, execveat) and proc.args contains sentinel-test-mark
  output: mark %proc.args
  priority: DEBUG
";

/// A directory where no rule looks, removed with everything in it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let path = PathBuf::from(format!("/var/lib/sentinel-simulate-test.{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `sentinel-simulate`, built if need be, out of the temporary directories that rules look at.
fn simulate(place: &Place) -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_sentinel")).with_file_name("sentinel-simulate");
    if !built.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "-p", "sentinel-simulate"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        // The directory of the programs is that of the profile; the one above is the target directory.
        cargo.env("CARGO_TARGET_DIR", built.parent().unwrap().parent().unwrap());
        assert!(cargo.status().unwrap().success());
    }
    let copy = place.0.join("sentinel-simulate");
    std::fs::copy(built, &copy).unwrap();
    copy
}

/// `sentinel run` and its alerts.
struct Running {
    child: Child,
    alerts: Receiver<Value>,
    marks: usize,
}

impl Running {
    /// One that sees everything: events flow before all hooks are attached.
    fn start(place: &Place, rules: &Path) -> Self {
        let config = place.0.join("config.yaml");
        std::fs::write(&config, "logLevel: info\n").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
        command.args(["run", "--event", "exit", "--rules", "builtin"]).arg(rules).arg("--config").arg(config);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Started.") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended before it had started");
        }
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, alerts) = mpsc::channel();
        std::thread::spawn(move || {
            let objects =
                lines.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line).unwrap());
            objects.filter(|object| object.get("rule_id").is_some()).try_for_each(|alert| sender.send(alert))
        });
        Self { child, alerts, marks: 0 }
    }

    /// The alerts since the last call.
    fn alerts(&mut self) -> Vec<Value> {
        self.marks += 1;
        let mark = format!("sentinel-test-mark-{}-{}", std::process::id(), self.marks);
        let (mut alerts, started) = (Vec::new(), Instant::now());
        while started.elapsed() < DEADLINE {
            // Again and again: at first nobody watches yet.
            assert!(Command::new("/bin/sh").args(["-c", "true", &mark]).status().unwrap().success());
            while let Ok(alert) = self.alerts.recv_timeout(Duration::from_millis(500)) {
                if alert["rule"] != "mark" {
                    alerts.push(alert);
                } else if alert["reason"].as_str().unwrap().contains(&mark) {
                    return alerts;
                }
            }
        }
        panic!("no alert of the test's own rule within {DEADLINE:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        let _ = self.child.wait();
    }
}

fn shipped() -> RuleSet {
    RuleSet::load(builtin::FILES).1.unwrap()
}

/// Whether some event that this build can report matches the rule: the language names events that nothing
/// reports yet.
fn can_match(rule: &Rule) -> bool {
    let choose = |enable, name: &str| Choice { enable, rules: Chosen::Name(name.to_owned()) };
    let selection =
        Selection { choices: vec![choose(false, "*"), choose(true, &rule.name)], ..Selection::default() };
    !Engine::new(shipped(), &selection).kinds().is_empty()
}

/// Runs an attack or its twin. When it needs something that is not here: what.
fn run(program: &Path, arguments: &[&str]) -> Result<Option<String>, String> {
    let output = Command::new(program)
        .arg("run")
        .args(arguments)
        .args(["--json", "--yes-on-this-host"])
        .output()
        .unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    match outcome["outcome"].as_str().unwrap() {
        "done" => Ok(None),
        "skipped" => Ok(Some(outcome["reason"].as_str().unwrap().to_owned())),
        _ => Err(outcome.to_string()),
    }
}

/// The alerts that something below the program raised.
fn raised(running: &mut Running) -> Vec<Value> {
    let ours = |alert: &Value| alert.to_string().contains("sentinel-simul");
    running.alerts().into_iter().filter(ours).collect()
}

/// Why an attack need not be seen on this kernel, as `sentinel doctor` says.
fn missing(attack: &str) -> Option<String> {
    let (_, fact) = NEEDS.iter().find(|(name, _)| *name == attack)?;
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_sentinel"));
    let output = doctor.args(["doctor", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == *fact).unwrap();
    let there = check["available"].as_bool().unwrap();
    (!there).then(|| format!("doctor says of {fact}: {}", check["detail"].as_str().unwrap()))
}

/// What became of an attack and its twin.
enum Judgement {
    Seen,
    Skipped(String),
    Wrong(String),
}

fn judge(program: &Path, name: &str, rule: &Rule, running: &mut Running) -> Result<Judgement, String> {
    if run(program, &[name, "--benign"])?.is_none() {
        let alerts = raised(running);
        if !alerts.is_empty() {
            return Err(format!("its twin raised {alerts:#?}"));
        }
    }
    if let Some(why) = run(program, &[name])? {
        return Ok(Judgement::Skipped(why));
    }
    let alerts = raised(running);
    if let (Some(why), true) = (missing(name), alerts.is_empty()) {
        return Ok(Judgement::Skipped(why));
    }
    if !can_match(rule) {
        return Ok(Judgement::Skipped(format!("no event that this build reports can match {:?}", rule.name)));
    }
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert["rule"].as_str().unwrap()).collect();
    let also = ALSO.iter().filter(|(attack, _)| *attack == name).map(|(_, also)| *also);
    let expected: BTreeSet<&str> = also.chain([rule.name.as_str()]).collect();
    let right = |alert: &&Value| {
        alert["rule"] == rule.name.as_str()
            && alert["rule_id"] == rule.id.as_str()
            && alert["severity"] == rule.severity.name()
            && alert["risk_score"] == rule.risk_score
            && alert["recommendation"].as_str() == rule.recommendation.as_deref()
    };
    if names == expected && alerts.iter().any(|alert| right(&alert)) {
        return Ok(Judgement::Seen);
    }
    Err(format!("it should raise {expected:?}, not {alerts:#?}"))
}

#[test]
fn every_attack_is_seen_and_no_twin() {
    assert!(Uid::effective().is_root(), "this test needs root: run it by `make test`");
    let place = Place::new();
    let program = simulate(&place);
    let marks = place.0.join("marks.yaml");
    std::fs::File::create(&marks).unwrap().write_all(MARK.as_bytes()).unwrap();
    let listed = Command::new(&program).args(["list", "--json"]).output().unwrap().stdout;
    let mut listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
    // Slow machines try some of them: see scripts/vm-test.sh.
    if let Ok(some) = std::env::var("SENTINEL_ATTACKS") {
        let some: Vec<&str> = some.split(',').collect();
        listed.retain(|attack| some.contains(&attack["name"].as_str().unwrap()));
        assert_eq!(listed.len(), some.len(), "not all of {some:?} are attacks");
    }
    let set = shipped();
    let mut running = Running::start(&place, &marks);
    running.alerts();

    let (mut seen, mut wrong) = (0, Vec::new());
    for attack in &listed {
        let name = attack["name"].as_str().unwrap();
        let rule = set.rules.iter().find(|rule| rule.name == attack["rule"].as_str().unwrap());
        let rule = rule.unwrap_or_else(|| panic!("{name}: no rule is called {}", attack["rule"]));
        // Lines that scripts/vm-test.sh reads.
        match judge(&program, name, rule, &mut running).unwrap_or_else(Judgement::Wrong) {
            Judgement::Seen => {
                seen += 1;
                eprintln!("SEEN: {name}");
            }
            Judgement::Skipped(why) => eprintln!("SKIPPED: {name}: {why}"),
            Judgement::Wrong(how) => {
                eprintln!("WRONG: {name}");
                wrong.push(format!("{name}: {how}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What cannot be here: tools that are missing, ports in use.
    assert!(seen * 2 > listed.len(), "only {seen} of {} attacks could be tried", listed.len());
}
