//! The child that does one workload on one core and times itself.

use std::{path::PathBuf, process::Command, time::Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};

use crate::workload::{Bench, Workload};

/// What a worker is asked to do.
#[derive(Debug, Args)]
pub(crate) struct Job {
    /// The workload.
    #[arg(long)]
    pub(crate) workload: Workload,
    /// Steps in one sample.
    #[arg(long)]
    pub(crate) steps: u32,
    /// Samples.
    #[arg(long)]
    pub(crate) samples: u32,
    /// The core to stay on.
    #[arg(long)]
    pub(crate) core: usize,
    /// Where the files are.
    #[arg(long)]
    pub(crate) dir: PathBuf,
}

impl Job {
    /// Runs the job in a child process and returns its samples: nanoseconds per step.
    pub(crate) fn spawn(&self) -> Result<Vec<f64>> {
        let output = Command::new(std::env::current_exe()?)
            .arg("worker")
            .args(["--workload", self.workload.name()])
            .args(["--steps", &self.steps.to_string()])
            .args(["--samples", &self.samples.to_string()])
            .args(["--core", &self.core.to_string()])
            .arg("--dir")
            .arg(&self.dir)
            .stderr(std::process::Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "workload {} ended with {}", self.workload.name(), output.status);
        serde_json::from_slice(&output.stdout).context("a worker's samples")
    }
}

/// Does the job here and prints the samples.
pub(crate) fn run(job: &Job) -> Result<()> {
    pin(job.core)?;
    let mut bench = Bench::new(&job.dir)?;
    // The first steps fill caches and fault pages in; they are not a sample.
    for step in 0..job.steps.div_ceil(10) {
        bench.step(job.workload, step)?;
    }
    let mut samples = Vec::new();
    for _ in 0..job.samples {
        // CLOCK_MONOTONIC.
        let start = Instant::now();
        for step in 0..job.steps {
            bench.step(job.workload, step)?;
        }
        samples.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(job.steps));
    }
    println!("{}", serde_json::to_string(&samples)?);
    Ok(())
}

/// Keeps this process on one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core).with_context(|| format!("core {core}"))?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("core {core}: cannot stay on it"))
}
