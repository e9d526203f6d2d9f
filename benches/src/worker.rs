//! The child that does one workload on one core and times itself.

use std::{path::PathBuf, process::Command, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};

use crate::{
    quiet::{Slice, Yardstick},
    workload::{Bench, Workload},
};

/// What a worker is asked to do.
#[derive(Debug, Args)]
pub(crate) struct Job {
    /// The workload.
    #[arg(long)]
    pub(crate) workload: Workload,
    /// Steps in one slice.
    #[arg(long)]
    pub(crate) steps: u32,
    /// Slices.
    #[arg(long)]
    pub(crate) slices: u32,
    /// The core to stay on.
    #[arg(long)]
    pub(crate) core: usize,
    /// Where the files are.
    #[arg(long)]
    pub(crate) dir: PathBuf,
}

impl Job {
    /// Runs the job in a child process and returns its slices.
    pub(crate) fn spawn(&self) -> Result<Vec<Slice>> {
        let output = Command::new(std::env::current_exe()?)
            .arg("worker")
            .args(["--workload", self.workload.name()])
            .args(["--steps", &self.steps.to_string()])
            .args(["--slices", &self.slices.to_string()])
            .args(["--core", &self.core.to_string()])
            .arg("--dir")
            .arg(&self.dir)
            .stderr(std::process::Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "workload {} ended with {}", self.workload.name(), output.status);
        serde_json::from_slice(&output.stdout).context("a worker's slices")
    }
}

/// Does the job here and prints the slices.
pub(crate) fn run(job: &Job) -> Result<()> {
    pin(job.core)?;
    let mut bench = Bench::new(&job.dir)?;
    bench.prepare(job.workload)?;
    let mut yardstick = Yardstick::new();
    // The first steps fill caches and fault pages in; they are not a slice.
    for step in 0..job.steps.saturating_mul(job.slices).div_ceil(50) {
        bench.step(job.workload, step)?;
    }
    let mut slices = Vec::new();
    let mut before = yardstick.walk();
    for _ in 0..job.slices {
        // CLOCK_MONOTONIC.
        let start = Instant::now();
        for step in 0..job.steps {
            bench.step(job.workload, step)?;
        }
        let step_ns = start.elapsed().as_secs_f64() * 1e9 / f64::from(job.steps);
        let after = yardstick.walk();
        slices.push(Slice { step_ns, yard_ns: before.max(after) });
        before = after;
    }
    println!("{}", serde_json::to_string(&slices)?);
    Ok(())
}

/// Keeps this process on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core).with_context(|| format!("core {core}"))?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("core {core}: cannot stay on it"))
}
