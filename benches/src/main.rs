//! The overhead harness: runs workloads with and without the agent, interleaved, and prints what
//! watching adds. A measuring tool, not a test: it never fails because of a number.
//!
//! Children of this same program do the work (`worker`), each pinned to one core and timing itself, so
//! that neither the harness nor the agent's start and stop is inside what is measured.

mod agent;
mod hog;
mod latency;
mod measure;
mod metrics;
mod rate;
mod report;
mod stats;
mod worker;
mod workload;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::{
    measure::Plan,
    workload::{Scratch, Workload},
};

/// Measures what Sentinel's agent costs the programs it watches.
#[derive(Debug, Parser)]
#[command(name = "sentinel-benches", args_conflicts_with_subcommands = true)]
struct Args {
    /// A first look in about half a minute: fewer and shorter rounds. Its figures are not claims.
    #[arg(long)]
    quick: bool,
    /// Print one JSON object instead of a Markdown table.
    #[arg(long)]
    json: bool,
    /// Only the workloads themselves, without the agent. Does not need root.
    #[arg(long)]
    baseline: bool,
    /// Only these workloads, e.g. exec,connect; all without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<Workload>,
    /// How often each workload runs without and with the agent, in turns [default: 7, quick: 3].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Length of the loss test at a steady rate, in seconds; 0 leaves it out [default: 30, quick: 5].
    #[arg(long, value_name = "SECONDS")]
    rate_seconds: Option<u32>,
    /// Events per second in the loss test.
    #[arg(long, default_value_t = 150_000, value_parser = clap::value_parser!(u32).range(1000..))]
    rate: u32,
    /// Alerts whose latency is measured, of each kind and load; 0 leaves it out [default: 500, quick: 50].
    #[arg(long, value_name = "COUNT")]
    alerts: Option<usize>,
    /// The agent to measure [default: sentinel-agent beside this program].
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Forward rules for the agent; without it the agent's defaults.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One workload in a process of its own (the harness starts these).
    #[command(hide = true)]
    Worker(worker::Job),
    /// Opens files at a steady rate (the harness starts this).
    #[command(hide = true)]
    Pace(rate::Pace),
    /// Uses one core until it is killed (the harness starts this).
    #[command(hide = true)]
    Hog {
        /// The core.
        #[arg(long)]
        core: usize,
    },
}

/// Root is missing: the kernel would refuse the agent.
const EXIT_REFUSED: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.baseline && args.command.is_none() && !nix::unistd::geteuid().is_root() {
        eprintln!(
            "error: measuring with the agent needs root: use sudo, or --baseline for the workloads alone"
        );
        return ExitCode::from(EXIT_REFUSED);
    }
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    match args.command {
        Some(Command::Worker(job)) => return worker::run(&job),
        Some(Command::Pace(pace)) => return rate::pace(&pace),
        Some(Command::Hog { core }) => return hog::run(core),
        None => {}
    }
    let agent = match (args.baseline, args.agent) {
        (true, _) => None,
        (false, Some(path)) => Some(path),
        (false, None) => Some(beside_us("sentinel-agent")?),
    };
    if let Some(path) = &agent {
        anyhow::ensure!(path.is_file(), "{}: no agent there; `make build` makes it", path.display());
    }
    let plan = Plan {
        workloads: if args.only.is_empty() { Workload::ALL.to_vec() } else { args.only },
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 7 }),
        quick: args.quick,
        rate_seconds: args.rate_seconds.unwrap_or(if args.quick { 5 } else { 30 }),
        rate: args.rate,
        alerts: args.alerts.unwrap_or(if args.quick { 50 } else { 500 }),
        agent,
        rules: args.rules,
        scratch: Scratch::new()?,
    };
    let report = measure::run(&plan)?;
    if args.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", report.markdown());
    }
    Ok(())
}

/// The program called `name` in the directory of this one.
fn beside_us(name: &str) -> Result<PathBuf> {
    let us = std::env::current_exe().context("this program's own path")?;
    Ok(us.parent().unwrap_or(Path::new(".")).join(name))
}
