//! The order of measuring: without, with, without, with …, so that a machine that slows down slows both.

use std::{
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use anyhow::{Context, Result};

use crate::{
    agent::{Agent, Setup, Usage},
    latency::{self, LOAD},
    profile::Perf,
    programs::{self, Counting, Program},
    quiet::{self, Slice},
    rate::{self, Rate},
    report::{Pair, Report},
    worker::Job,
    workload::{Scratch, Workload},
};

/// What to measure.
pub(crate) struct Plan {
    /// The workloads.
    pub(crate) workloads: Vec<Workload>,
    /// Rounds, each once without and once with the agent.
    pub(crate) rounds: u32,
    /// Fewer slices.
    pub(crate) quick: bool,
    /// Length of the loss test in seconds; 0 for none.
    pub(crate) rate_seconds: u32,
    /// Events per second in the loss test.
    pub(crate) rate: u32,
    /// Alerts whose latency is measured, of each kind and load; 0 for none.
    pub(crate) alerts: usize,
    /// The agent; none measures the workloads alone.
    pub(crate) agent: Option<PathBuf>,
    /// Its forward rules, when not its defaults.
    pub(crate) rules: Option<PathBuf>,
    /// Its detection rules, when not its defaults, as [`Setup::detection`].
    pub(crate) detection: Option<String>,
    /// Rates of a series, in events per second, each held for [`SERIES_SECONDS`].
    pub(crate) series: Vec<u32>,
    /// Measure the programs in the kernel too.
    pub(crate) programs: bool,
    /// The workloads' directory.
    pub(crate) scratch: Scratch,
}

/// Slices of each workload, in the plan's order.
type Slices = Vec<Vec<Slice>>;

/// Measures everything in the plan.
pub(crate) fn run(plan: &Plan) -> Result<Report> {
    let cores = available_parallelism()?.get();
    let core = cores - 1;
    let mut without: Slices = vec![Vec::new(); plan.workloads.len()];
    let mut with: Slices = without.clone();
    let mut usages = Vec::new();
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}: without the agent", plan.rounds);
        take(plan, core, &mut without)?;
        if plan.agent.is_some() {
            eprintln!("round {round} of {}: with the agent", plan.rounds);
            let agent = start(plan)?;
            take(plan, core, &mut with)?;
            usages.push(agent.settled()?);
            agent.stop()?;
        }
    }
    let rate = match &plan.agent {
        Some(_) if plan.rate_seconds > 0 && cores > 1 => {
            eprintln!("{} events/s for {} s, the other core in use", plan.rate, plan.rate_seconds);
            let agent = start(plan)?;
            let rate = rate::run(&agent, plan.scratch.path(), (core, 0), plan.rate, plan.rate_seconds)?;
            usages.push(agent.usage()?);
            agent.stop()?;
            Some(rate)
        }
        _ => None,
    };
    let series = if plan.agent.is_some() && cores > 1 { series(plan, (core, 0))? } else { Vec::new() };
    let programs = if plan.agent.is_some() && plan.programs { programs(plan, core)? } else { Vec::new() };
    let latency = match &plan.agent {
        Some(agent) if plan.alerts > 0 && cores > 1 => {
            eprintln!("latency of {} alerts, idle and beside {LOAD} opens/s", plan.alerts);
            let dir = plan.scratch.path();
            latency::run(&latency::Plan { agent, dir, samples: plan.alerts, core })?
        }
        _ => Vec::new(),
    };
    let limit = quiet::limit(without.iter().chain(&with).flatten()).context("no slices")?;
    let workloads = plan.workloads.iter().zip(without.iter().zip(&with));
    Ok(Report {
        kernel: kernel()?,
        cores,
        rounds: plan.rounds,
        quick: plan.quick,
        workloads: workloads
            .map(|(workload, slices)| pair(*workload, slices, limit))
            .collect::<Result<_>>()?,
        agent: total(&usages),
        rate,
        series,
        programs,
        latency,
    })
}

/// How long each rate of a series is held.
const SERIES_SECONDS: u32 = 10;

/// One agent for each rate: so its peak of memory is that of the rate.
fn series(plan: &Plan, cores: (usize, usize)) -> Result<Vec<(Rate, Usage)>> {
    let mut found = Vec::new();
    for rate in &plan.series {
        eprintln!("{rate} events/s for {SERIES_SECONDS} s, the other core in use");
        let agent = start(plan)?;
        let rate = rate::run(&agent, plan.scratch.path(), cores, *rate, SERIES_SECONDS)?;
        found.push((rate, agent.usage()?));
        agent.stop()?;
    }
    Ok(found)
}

/// Where the agent's time goes while it takes `plan.rate` events per second: a flame graph.
pub(crate) fn profile(plan: &Plan, file: &Path) -> Result<()> {
    eprintln!("{} events/s for {SERIES_SECONDS} s, the agent profiled", plan.rate);
    let agent = start(plan)?;
    let perf = Perf::start(agent.pid(), plan.scratch.path())?;
    rate::run(
        &agent,
        plan.scratch.path(),
        (available_parallelism()?.get() - 1, 0),
        plan.rate,
        SERIES_SECONDS,
    )?;
    perf.draw(file)?;
    agent.stop()
}

/// All workloads once, with the kernel counting; their times are not used, because counting costs some itself.
fn programs(plan: &Plan, core: usize) -> Result<Vec<Program>> {
    eprintln!("the programs in the kernel");
    let counting = Counting::start()?;
    let agent = start(plan)?;
    take(plan, core, &mut vec![Vec::new(); plan.workloads.len()])?;
    let found = programs::of(agent.pid())?;
    agent.stop()?;
    drop(counting);
    Ok(found)
}

fn start(plan: &Plan) -> Result<Agent> {
    let program = plan.agent.as_deref().context("no agent")?;
    let setup = Setup { rules: plan.rules.as_deref(), detection: plan.detection.clone(), piped: false };
    Agent::start(program, &setup, plan.scratch.path())
}

/// Slices of a workload in one round: about a second of work.
const SLICES: u32 = 250;

fn take(plan: &Plan, core: usize, slices: &mut Slices) -> Result<()> {
    for (workload, slices) in plan.workloads.iter().zip(slices) {
        let job = Job {
            workload: *workload,
            steps: workload.steps(),
            slices: (if plan.quick { SLICES / 8 } else { SLICES } / workload.weight()).max(3),
            core,
            dir: plan.scratch.path().to_owned(),
        };
        slices.extend(job.spawn()?);
    }
    Ok(())
}

fn pair(workload: Workload, (without, with): (&Vec<Slice>, &Vec<Slice>), limit: f64) -> Result<Pair> {
    let without = quiet::summary(without, limit).context("no slices")?;
    Ok(Pair { workload, without, with: quiet::summary(with, limit) })
}

/// All runs of the agent together: counts and times added, the highest peak.
fn total(usages: &[Usage]) -> Option<Usage> {
    usages.iter().copied().reduce(|a, b| Usage {
        events: a.events + b.events,
        lost: a.lost + b.lost,
        cpu_seconds: a.cpu_seconds + b.cpu_seconds,
        peak_rss_mib: a.peak_rss_mib.max(b.peak_rss_mib),
    })
}

fn kernel() -> Result<String> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned())
}
