//! The loss test: distinct opens at a steady rate while a second process uses the other core.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{
    agent::Agent,
    hog::Hog,
    metrics,
    stolen::{self, Ticks},
    worker::pin,
    workload::{Bench, Workload},
};

/// Length of one turn: the steps of a turn are done at once, then we sleep until the next.
const TURN: Duration = Duration::from_millis(1);
/// Steps with which the events of one step are counted.
const TRIAL_STEPS: u32 = 20_000;

/// What the paced child is asked to do.
#[derive(Debug, Args)]
pub(crate) struct Pace {
    /// The core to stay on.
    #[arg(long)]
    pub(crate) core: usize,
    /// Where the files are.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Opens per second.
    #[arg(long)]
    pub(crate) per_second: u32,
    /// Opens in all.
    #[arg(long)]
    pub(crate) steps: u32,
}

/// What the paced child did.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Done {
    steps: u32,
    pub(crate) seconds: f64,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Rate {
    /// Events per second that were asked for.
    pub(crate) asked_per_second: u32,
    /// Events per second that the child produced.
    pub(crate) produced_per_second: f64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Events that one open, read and close yields.
    pub(crate) events_per_step: u32,
    /// Events that the child produced: its steps × [`Self::events_per_step`].
    pub(crate) produced: f64,
    /// Events that the agent took from the ring meanwhile, other programs' included.
    pub(crate) received: f64,
    /// Events that the agent counts as lost meanwhile.
    pub(crate) lost: f64,
    /// The agent's processor time for a million events.
    pub(crate) cpu_seconds_per_million: f64,
    /// Half of the events were enriched and judged within so long after their hook; a bucket's bound. Of the seconds in
    /// which the host took no processor away.
    pub(crate) enriched_p50_ms: Option<f64>,
    /// 99 of 100.
    pub(crate) enriched_p99_ms: Option<f64>,
    /// How much of the time that was, in percent; 0 where it was too little, and all of it counts.
    pub(crate) undisturbed_percent: f64,
    /// How long the agent went on after the last event, to within 20 ms.
    pub(crate) recovery_seconds: f64,
    /// Share of the machine's processor time that its host gave to others meanwhile: all waits get longer by it.
    pub(crate) stolen_percent: f64,
}

impl Rate {
    /// By how much the child stayed below the rate asked for, in percent.
    pub(crate) fn short_percent(&self) -> f64 {
        (1.0 - self.produced_per_second / f64::from(self.asked_per_second)).max(0.0) * 100.0
    }
}

/// Runs the test against a running agent: child on `core`, hog on `hog_core`.
pub(crate) fn run(agent: &Agent, dir: &Path, cores: (usize, usize), rate: u32, seconds: u32) -> Result<Rate> {
    let (core, hog_core) = cores;
    let before = agent.settled()?;
    spawn(&Pace { core, dir: dir.to_owned(), per_second: 20_000, steps: TRIAL_STEPS })?;
    let trial = agent.settled()?;
    let yielded = trial.events + trial.lost - before.events - before.lost;
    // Other programs' events are few; a step always yields whole events.
    let events_per_step = (1..=8)
        .find(|count| yielded < (f64::from(*count) + 0.5) * f64::from(TRIAL_STEPS))
        .context("an open, read and close yields more than eight events")?;
    ensure!(
        yielded >= 0.5 * f64::from(TRIAL_STEPS),
        "{TRIAL_STEPS} opens, reads and closes yielded only {yielded} events: do the rules want file events?"
    );

    let per_second = rate / events_per_step;
    let ticks = Ticks::now()?;
    let hog = Hog::start(hog_core)?;
    let pace = Pace { core, dir: dir.to_owned(), per_second, steps: per_second * seconds };
    let (done, looks) = stolen::beside(agent, || spawn(&pace))?;
    let recovery_seconds = agent.catches_up()?.as_secs_f64();
    drop(hog);
    let stolen_percent = ticks.stolen_percent(Ticks::now()?);
    let after = agent.settled()?;

    let (ages, undisturbed_percent) = stolen::undisturbed(&looks);
    let enriched = |share| metrics::quantile(&ages, share).map(|seconds| seconds * 1e3);
    let produced = f64::from(done.steps) * f64::from(events_per_step);
    let received = after.events - trial.events;
    Ok(Rate {
        asked_per_second: rate,
        produced_per_second: produced / done.seconds,
        seconds: done.seconds,
        events_per_step,
        produced,
        received,
        lost: after.lost - trial.lost,
        cpu_seconds_per_million: (after.cpu_seconds - trial.cpu_seconds) / received.max(1.0) * 1e6,
        enriched_p50_ms: enriched(0.5),
        enriched_p99_ms: enriched(0.99),
        undisturbed_percent,
        recovery_seconds,
        stolen_percent,
    })
}

/// Starts the child and waits for its end.
pub(crate) fn spawn(pace: &Pace) -> Result<Done> {
    let output = Command::new(std::env::current_exe()?)
        .arg("pace")
        .args(["--core", &pace.core.to_string()])
        .args(["--per-second", &pace.per_second.to_string()])
        .args(["--steps", &pace.steps.to_string()])
        .arg("--dir")
        .arg(&pace.dir)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the paced child ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("what the paced child did")
}

/// The child: opens, reads and closes files at the rate asked for, and says how long it took.
pub(crate) fn pace(pace: &Pace) -> Result<()> {
    pin(pace.core)?;
    let mut bench = Bench::new(&pace.dir)?;
    let start = Instant::now();
    let mut turn = 0;
    let mut step = 0;
    while step < pace.steps {
        turn += 1;
        let due = TURN * turn;
        // Late turns catch up: the rate holds over the whole, not in each millisecond.
        let until = due.as_secs_f64() * f64::from(pace.per_second);
        while step < pace.steps && f64::from(step) < until {
            bench.step(Workload::OpenReadClose, step)?;
            step += 1;
        }
        if let Some(rest) = due.checked_sub(start.elapsed()) {
            sleep(rest);
        }
    }
    println!("{}", serde_json::to_string(&Done { steps: step, seconds: start.elapsed().as_secs_f64() })?);
    Ok(())
}
