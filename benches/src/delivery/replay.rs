//! `sentinel decode` and `sentinel replay`.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

use super::{
    Bench,
    program::{Detector, Program},
    told::Flow,
};

/// Megabytes a second of a log that becomes lines.
pub(super) fn decode(bench: &Bench, log: &Path, bytes: u64) -> Result<f64> {
    let begun = Instant::now();
    let status = Command::new(&bench.sentinel)
        .args([Path::new("decode"), log, Path::new("/dev/null")])
        .stdin(Stdio::null())
        .status()?;
    ensure!(status.success(), "sentinel decode ended with {status}");
    Ok(bytes as f64 / 1e6 / begun.elapsed().as_secs_f64())
}

/// A log, as fast as a fresh detector takes it.
pub(super) fn fast(bench: &Bench, log: &Path, events: u32) -> Result<Flow> {
    let dir = bench.dir.path().join("replay");
    let detector = Detector::start(&bench.detector, &dir, "")?;
    let flow = measured(bench, log, events, &detector.program, detector.grpc)?;
    detector.program.stop()?;
    std::fs::remove_dir_all(dir)?;
    Ok(flow)
}

/// Replays a log into a detector that is there.
pub(super) fn measured(
    bench: &Bench,
    log: &Path,
    events: u32,
    detector: &Program,
    port: u16,
) -> Result<Flow> {
    let (ours, theirs) = (children_cpu()?, detector.cpu_seconds()?);
    let begun = Instant::now();
    let told = replay(bench, log, port, "fast")?;
    let seconds = begun.elapsed().as_secs_f64();
    let arrived = format!("{events} events arrived in ");
    ensure!(told.contains(&arrived), "expected {arrived:?}, sentinel replay said: {told}");
    Ok(Flow {
        events: events.into(),
        seconds,
        lost: 0.0,
        sender_cpu: children_cpu()? - ours,
        detector_cpu: detector.cpu_seconds()? - theirs,
    })
}

/// By how many milliseconds events are late, 99 of 100 of them at most.
pub(super) fn realtime(bench: &Bench, log: &Path) -> Result<f64> {
    let detector = Detector::start(&bench.detector, &bench.dir.path().join("paced"), "")?;
    let told = replay(bench, log, detector.grpc, "realtime")?;
    detector.program.stop()?;
    lateness(&told).with_context(|| format!("sentinel replay said: {told}"))
}

/// The number in "late by at most 0.3 ms (99 % of waits)".
fn lateness(told: &str) -> Option<f64> {
    let (_, rest) = told.split_once("late by at most ")?;
    rest.split_once(" ms (99 %")?.0.parse().ok()
}

fn replay(bench: &Bench, log: &Path, port: u16, pace: &str) -> Result<String> {
    let output = Command::new(&bench.sentinel)
        .arg("replay")
        .arg(log)
        .args(["--target", &format!("127.0.0.1:{port}"), "--pace", pace])
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "sentinel replay ended with {}: {told}", output.status);
    Ok(told)
}

/// Processor time of children that have ended, user and system.
fn children_cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_that_of_99_of_100() {
        let told = "9 events arrived in 0.0 s (9/s), 0 anomalies, late by at most 0.3 ms (99 % of waits), 1.2 ms (all)\n";
        assert_eq!(lateness(told), Some(0.3));
        assert_eq!(lateness("9 events arrived in 0.0 s (9/s), 0 anomalies\n"), None);
    }
}
