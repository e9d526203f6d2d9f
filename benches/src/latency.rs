//! Alert latency: from a program's deed to the line on the agent's standard output.
//!
//! The clock starts when the system call has returned (open), or when the call that starts a program has
//! (spawn), and stops when the harness has the line. Each deed has a number that its alert repeats.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::{
    agent::{Agent, Setup},
    workload::program,
};

/// Opens, reads and closes per second of the load; the agent gets the open, and where they are not summed the
/// rest.
pub(crate) const LOAD: u32 = 50_000;
/// How long an alert may take before the measurement is given up.
const DEADLINE: Duration = Duration::from_secs(10);
/// Between two deeds: long enough that the agent goes to sleep when nothing else happens.
const PAUSE: Duration = Duration::from_millis(7);
/// What the alert says before the number.
const MARK: &str = "deed-";

/// What the clock starts at.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// A file was opened.
    Open,
    /// A program was started.
    Spawn,
}

/// How long alerts took, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    /// What was done.
    pub(crate) deed: Deed,
    /// Events that the agent received meanwhile, per second.
    pub(crate) events_per_second: f64,
    /// Deeds, each with an alert.
    pub(crate) samples: usize,
    /// Half of the alerts took no longer.
    pub(crate) p50_ms: f64,
    /// 95 of 100 took no longer.
    pub(crate) p95_ms: f64,
    /// 99 of 100 took no longer.
    pub(crate) p99_ms: f64,
    /// 999 of 1000 took no longer.
    pub(crate) p999_ms: f64,
    /// The slowest.
    pub(crate) max_ms: f64,
    /// The load was asked for.
    pub(crate) loaded: bool,
}

/// What to measure.
pub(crate) struct Plan<'a> {
    /// The agent.
    pub(crate) agent: &'a Path,
    /// The workloads' directory.
    pub(crate) dir: &'a Path,
    /// Deeds of each kind and load.
    pub(crate) samples: usize,
    /// Core of the load.
    pub(crate) core: usize,
}

/// Measures opens and spawns, on an otherwise idle machine and beside a loop of opens.
pub(crate) fn run(plan: &Plan<'_>) -> Result<Vec<Latency>> {
    let rules = plan.dir.join("latency-rules.yaml");
    fs::write(&rules, self::rules(plan.dir))?;
    let forward = plan.dir.join("latency-forward.yaml");
    // Judged, not forwarded: the harness on the same cores would otherwise measure its own reading.
    fs::write(&forward, "rules: []\n")?;
    // Before the agent looks: making a file is an open, too.
    for number in 0..plan.samples {
        fs::write(plan.dir.join(name(number)), "")?;
    }
    let mut found = Vec::new();
    for loaded in [false, true] {
        for deed in [Deed::Open, Deed::Spawn] {
            let setup =
                Setup { rules: Some(&forward), detection: Some(rules.display().to_string()), piped: true };
            let (agent, output) = Agent::start_with(plan.agent, &setup, plan.dir)?;
            let lines = lines(output.context("no output of the agent")?);
            let load = if loaded { Some(Load::start(plan)?) } else { None };
            let before = (agent.usage()?.events, Instant::now());
            let samples = sample(plan, deed, &lines)?;
            let events = agent.usage()?.events - before.0;
            let seconds = before.1.elapsed().as_secs_f64();
            drop(load);
            agent.stop()?;
            found.push(summary(deed, loaded, events / seconds, samples)?);
        }
    }
    Ok(found)
}

fn rules(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "- rule: Bench open\n  desc: a numbered file is opened\n  \
           condition: evt.type in (open, openat) and fd.name startswith {dir}/{MARK}\n  \
           output: '%fd.filename'\n  priority: WARNING\n\
         - rule: Bench spawn\n  desc: a numbered program is started\n  \
           condition: evt.type = execve and proc.args startswith {MARK}\n  \
           output: '%proc.args'\n  priority: WARNING\n\
         - rule: Bench other\n  desc: never true, and looked at for every open\n  \
           condition: evt.type in (open, openat) and fd.name startswith {dir}/file- and fd.name endswith .no\n  \
           output: '%fd.name'\n  priority: WARNING\n"
    )
}

/// Numbers of alerts, with the time at which their line was there.
fn lines(output: ChildStdout) -> Receiver<(usize, Instant)> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|read| read > 0) {
            let now = Instant::now();
            let number = line.split_once(MARK).map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()));
            if let Some(Ok(number)) = number.and_then(|mut digits| digits.next()).map(str::parse)
                && sender.send((number, now)).is_err()
            {
                return;
            }
            line.clear();
        }
    });
    receiver
}

fn sample(plan: &Plan<'_>, deed: Deed, lines: &Receiver<(usize, Instant)>) -> Result<Vec<f64>> {
    let mut samples = Vec::with_capacity(plan.samples);
    let program = program()?;
    for number in 0..plan.samples {
        let name = name(number);
        let (done, child) = match deed {
            Deed::Open => (opened(&plan.dir.join(&name))?, None),
            Deed::Spawn => {
                let child = Command::new(&program).arg(&name).stdout(Stdio::null()).spawn()?;
                (Instant::now(), Some(child))
            }
        };
        // The line may be there before the call has returned here.
        samples.push(receive(lines, number)?.saturating_duration_since(done).as_secs_f64() * 1e3);
        if let Some(mut child) = child {
            child.wait()?;
        }
        thread::sleep(PAUSE);
    }
    Ok(samples)
}

/// What a deed's file, or argument, is called.
fn name(number: usize) -> String {
    format!("{MARK}{number}-")
}

/// When the open has returned.
fn opened(path: &Path) -> Result<Instant> {
    let file = File::open(path)?;
    let now = Instant::now();
    drop(file);
    Ok(now)
}

fn receive(lines: &Receiver<(usize, Instant)>, number: usize) -> Result<Instant> {
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok((found, at)) if found == number => return Ok(at),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => bail!("no alert for {MARK}{number} within {DEADLINE:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("the agent's output ended before {MARK}{number}"),
        }
    }
}

fn summary(deed: Deed, loaded: bool, events_per_second: f64, mut samples: Vec<f64>) -> Result<Latency> {
    samples.sort_by(f64::total_cmp);
    ensure!(!samples.is_empty(), "no samples");
    // The smallest sample that is not below this share of all.
    let at = |permille: usize| {
        let rank = (samples.len() * permille).div_ceil(1000).max(1);
        samples.get(rank - 1).copied().unwrap_or(f64::NAN)
    };
    let (samples, [p50_ms, p95_ms, p99_ms, p999_ms, max_ms]) =
        (samples.len(), [500, 950, 990, 999, 1000].map(at));
    Ok(Latency { deed, events_per_second, samples, p50_ms, p95_ms, p99_ms, p999_ms, max_ms, loaded })
}

/// A loop of opens, reads and closes; dropping it ends it.
struct Load(Child);

impl Load {
    fn start(plan: &Plan<'_>) -> Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .arg("pace")
            .args(["--core", &plan.core.to_string()])
            .args(["--per-second", &LOAD.to_string()])
            .args(["--steps", &u32::MAX.to_string()])
            .arg("--dir")
            .arg(plan.dir)
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let found = summary(Deed::Open, false, 0.0, samples).unwrap();
        assert_eq!((found.p50_ms, found.p95_ms, found.p99_ms), (100.0, 190.0, 198.0));
        assert_eq!((found.p999_ms, found.max_ms), (200.0, 200.0));
        let one = summary(Deed::Spawn, false, 0.0, vec![3.0]).unwrap();
        assert_eq!((one.p50_ms, one.p99_ms), (3.0, 3.0));
        assert!(summary(Deed::Open, false, 0.0, Vec::new()).is_err());
    }
}
