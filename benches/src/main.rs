//! The overhead harness: runs workloads with and without the agent, interleaved, and prints what
//! watching adds. A measuring tool, not a test: it never fails because of a number.
//!
//! Children of this same program do the work (`worker`), each pinned to one core and timing itself, so
//! that neither the harness nor the agent's start and stop is inside what is measured.

mod agent;
mod delivery;
mod hog;
mod latency;
mod measure;
mod metrics;
mod plot;
mod profile;
mod programs;
mod quiet;
mod rate;
mod report;
mod stats;
mod stolen;
mod worker;
mod workload;

use std::{
    fs,
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
    /// Events are judged by the shipped rules and one of the harness's, which looks at every file that is opened
    /// here, and none is forwarded.
    #[arg(long, conflicts_with = "rules")]
    detection_only: bool,
    /// Detection rules in place of the shipped ones; nothing is forwarded, and no rule asks for what the harness
    /// does, so most of it stays in the kernel. For comparing with others that run the same rules.
    #[arg(long, value_delimiter = ',', value_name = "FILE", conflicts_with_all = ["rules", "detection_only"])]
    judge: Vec<PathBuf>,
    /// Rates in events per second, each held for ten seconds with a fresh agent; 0 leaves them out
    /// [default: 10000,50000,78000,139000,261000,824000, quick: 0].
    #[arg(long, value_delimiter = ',', value_name = "RATE")]
    series: Option<Vec<u32>>,
    /// Ask the kernel for the cost of each BPF program, too [default: not when quick].
    #[arg(long)]
    programs: bool,
    /// Only a profile of the agent at the rate of the loss test: a flame graph (SVG) in this file. Needs `perf`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["write", "json", "baseline"])]
    profile: Option<PathBuf>,
    /// Put the report into this Markdown file, between its two marks, and the plot beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    write: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How fast events leave, arrive and are kept, in place of what watching costs.
    Delivery(delivery::Job),
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
        Some(Command::Delivery(job)) => return delivery::run(&job),
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
    let scratch = Scratch::new()?;
    let (mut rules, mut detection) = (args.rules, None);
    let [forward, more] = ["forward-nothing.yaml", "bench-rules.yaml"].map(|name| scratch.path().join(name));
    fs::write(&forward, "rules: []\n")?;
    if args.detection_only {
        fs::write(&more, reaching(scratch.path()))?;
        (rules, detection) = (Some(forward), Some(format!("builtin, {}", more.display())));
    } else if !args.judge.is_empty() {
        let files = args.judge.iter().map(|file| Ok(file.canonicalize()?.display().to_string()));
        let files = files.collect::<Result<Vec<_>>>().context("--judge")?;
        (rules, detection) = (Some(forward), Some(files.join(", ")));
    }
    let series = args.series.unwrap_or_else(|| if args.quick { Vec::new() } else { SERIES.to_vec() });
    let plan = Plan {
        workloads: if args.only.is_empty() { workloads() } else { args.only },
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 7 }),
        quick: args.quick,
        rate_seconds: args.rate_seconds.unwrap_or(if args.quick { 5 } else { 30 }),
        rate: args.rate,
        alerts: args.alerts.unwrap_or(if args.quick { 50 } else { 500 }),
        agent,
        rules,
        detection,
        series: series.into_iter().filter(|rate| *rate > 0).collect(),
        programs: args.programs || !args.quick,
        scratch,
    };
    if let Some(file) = args.profile {
        return measure::profile(&plan, &file);
    }
    let report = measure::run(&plan)?;
    if args.json {
        println!("{}", report.json()?);
    } else if let Some(file) = args.write {
        write(&file, &report)?;
    } else {
        print!("{}", report.markdown());
    }
    Ok(())
}

/// All that we may do.
fn workloads() -> Vec<Workload> {
    let root = nix::unistd::geteuid().is_root();
    Workload::ALL.iter().copied().filter(|workload| root || *workload != Workload::Cgroup).collect()
}

/// Rates of the series: percentiles of what hosts of a public fleet produce.
const SERIES: [u32; 6] = [10_000, 50_000, 78_000, 139_000, 261_000, 824_000];

/// A rule that keeps the kernel from leaving out the opens of the harness, and that is never true.
fn reaching(dir: &Path) -> String {
    format!(
        "- rule: Bench reach\n  desc: never true, and looked at for every open of the harness\n  \
           condition: evt.type in (open, openat) and fd.name startswith {}/file- and proc.name = nobody\n  \
           output: '%fd.name'\n  priority: WARNING\n",
        dir.display()
    )
}

const MARKS: (&str, &str) = ("<!-- measured: begin -->\n", "<!-- measured: end -->");

/// The report, and its picture beside the file.
fn write(file: &Path, report: &report::Report) -> Result<()> {
    let plot = file.with_extension("svg");
    let mut body = report.markdown();
    if let Some(picture) = report.plot() {
        fs::write(&plot, picture)?;
        let name = plot.file_name().unwrap_or_default().to_string_lossy();
        body.push_str(&format!("\n![Processor time of an event by rate]({name})\n"));
    }
    put(file, MARKS, &body)
}

/// The text takes the place of what stands between the marks.
fn put(file: &Path, (begin, end): (&str, &str), body: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let marked = text.split_once(begin).and_then(|(head, rest)| Some((head, rest.split_once(end)?.1)));
    let (head, tail) = marked.with_context(|| format!("{}: no {begin}and {end}", file.display()))?;
    fs::write(file, format!("{head}{begin}\n{body}\n{end}{tail}"))?;
    Ok(())
}

/// The program called `name` in the directory of this one.
fn beside_us(name: &str) -> Result<PathBuf> {
    let us = std::env::current_exe().context("this program's own path")?;
    Ok(us.parent().unwrap_or(Path::new(".")).join(name))
}
