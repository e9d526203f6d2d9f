//! The agent's part: real events of this machine, over gRPC with acknowledgements.

use std::{
    path::Path,
    thread::{available_parallelism, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    Bench,
    program::{DEADLINE, Detector, LOOK, Program},
    told::Flow,
};
use crate::{
    agent::free_ports,
    rate::{Pace, spawn},
    workload::Scratch,
};

/// Events a second that are asked for while the detector is there. An open, read and close is one or two.
pub(super) const RATE: u32 = 200_000;
/// Files that are opened in a second while the detector is away: no more than can be spooled without loss.
const OPENS: u32 = 25_000;
const DELIVERED: &str = "sentinel_events_delivered_total";
const LOST: &str = "sentinel_events_lost_total";
const FORWARDED: &str = "sentinel_events_forwarded_total";
const SPOOLED: &str = "sentinel_output_spool_bytes";
/// Events of an idle machine between two looks.
const IDLE: f64 = 50.0;

/// Files are opened while the detector is away. Then it comes, and takes what waited on the agent's disk.
pub(super) fn drain(bench: &Bench, opens: u32) -> Result<Flow> {
    let dir = bench.dir.path().join("drain");
    let [grpc, http] = free_ports()?;
    let agent = start(bench, &dir, grpc)?;
    let scratch = Scratch::new()?;
    open(&scratch, OPENS, opens)?;
    quiet(&agent)?;
    ensure!(agent.metric(SPOOLED)? > 0.0, "nothing waits on the agent's disk");

    let detector = Detector::start_at(&bench.detector, &dir.join("detector"), "", (grpc, http))?;
    let (lost, theirs) = (agent.metric(LOST)?, detector.program.cpu_seconds()?);
    agent.wait(DELIVERED, |delivered| delivered > 0.0)?;
    let (begun, first, ours) = (Instant::now(), agent.metric(DELIVERED)?, agent.cpu_seconds()?);
    agent.wait(SPOOLED, |bytes| bytes == 0.0)?;
    let flow = Flow {
        seconds: begun.elapsed().as_secs_f64(),
        events: agent.metric(DELIVERED)? - first,
        lost: agent.metric(LOST)? - lost,
        sender_cpu: agent.cpu_seconds()? - ours,
        detector_cpu: detector.program.cpu_seconds()? - theirs,
    };
    agent.stop()?;
    detector.program.stop()?;
    Ok(flow)
}

/// Files are opened while both are there.
pub(super) fn live(bench: &Bench, seconds: u32) -> Result<Flow> {
    let dir = bench.dir.path().join("live");
    let detector = Detector::start(&bench.detector, &dir.join("detector"), "")?;
    let agent = start(bench, &dir, detector.grpc)?;
    let scratch = Scratch::new()?;
    let trial = 20_000;
    let before = agent.metric(DELIVERED)?;
    open(&scratch, trial, trial)?;
    quiet(&agent)?;
    // Other programs' events are few.
    let yielded = (agent.metric(DELIVERED)? - before) / f64::from(trial);
    let each = (1..=8).find(|each| yielded < f64::from(*each) + 0.5);
    let opens = RATE / each.context("an open, read and close yields more than eight events")?;
    let (first, lost) = (agent.metric(DELIVERED)?, agent.metric(LOST)?);
    let (ours, theirs) = (agent.cpu_seconds()?, detector.program.cpu_seconds()?);
    let took = open(&scratch, opens, opens * seconds)?;
    let idle = quiet(&agent)?;
    let flow = Flow {
        seconds: took + idle,
        events: agent.metric(DELIVERED)? - first,
        lost: agent.metric(LOST)? - lost,
        sender_cpu: agent.cpu_seconds()? - ours,
        detector_cpu: detector.program.cpu_seconds()? - theirs,
    };
    agent.stop()?;
    detector.program.stop()?;
    Ok(flow)
}

fn start(bench: &Bench, dir: &Path, grpc: u16) -> Result<Program> {
    let [health, metrics] = free_ports()?;
    let config = format!(
        "logLevel: warn\nstream: {{mode: grpc}}\nhealth: {{port: {health}}}\nmetrics: {{port: {metrics}}}\n\
         grpc: {{endpoint: '127.0.0.1:{grpc}', spool: {{path: {}/spool, maxBytes: 4294967296}}}}\n",
        dir.display()
    );
    Program::start(&bench.agent, &config, (health, "/readyz"), metrics, dir)
}

/// A child opens, reads and closes files; how long that took, in seconds.
fn open(scratch: &Scratch, per_second: u32, opens: u32) -> Result<f64> {
    let core = available_parallelism()?.get() - 1;
    Ok(spawn(&Pace { core, dir: scratch.path().to_owned(), per_second, steps: opens })?.seconds)
}

/// Waits until the agent has forwarded and delivered what it was going to; for how many seconds it did.
fn quiet(agent: &Program) -> Result<f64> {
    let begun = Instant::now();
    let (mut busy, mut last) = (Duration::ZERO, (0.0, 0.0));
    while begun.elapsed() - busy < Duration::from_millis(500) {
        ensure!(begun.elapsed() < DEADLINE, "the agent does not come to an end");
        sleep(LOOK);
        let now = (agent.metric(FORWARDED)?, agent.metric(DELIVERED)?);
        if now.0 - last.0 > IDLE || now.1 - last.1 > IDLE {
            busy = begun.elapsed();
        }
        last = now;
    }
    Ok(busy.as_secs_f64())
}
