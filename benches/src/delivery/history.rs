//! Alerts into the history, while somebody asks it.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{Bench, log, program::Detector, replay::measured};
use crate::metrics;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct History {
    pub(super) alerts_per_second: f64,
    pub(super) questions_per_second: f64,
    pub(super) slowest_question_ms: f64,
    pub(super) detector_cores: f64,
}

/// What is asked in turns: a page of alerts, a search in their text, statistics.
const QUESTIONS: [&str; 3] = [
    "/api/alerts?severity=medium&limit=100",
    "/api/alerts?q=shard%2011&limit=100",
    "/api/stats?from=1767225600000&to=1767225900000",
];

/// Every event of the log becomes an alert of the detector's rules.
pub(super) fn run(bench: &Bench, log: &Path, alerts: u32) -> Result<History> {
    let dir = bench.dir.path().join("history");
    fs::create_dir_all(&dir)?;
    let rules = dir.join("rules.yaml");
    fs::write(&rules, log::RULE)?;
    let detector = Detector::start(&bench.detector, &dir, &format!("rules: [{}]", rules.display()))?;
    let http = detector.program.port;
    let done = AtomicBool::new(false);
    let (flow, asked) = thread::scope(|scope| {
        let asking = scope.spawn(|| ask(http, &done));
        let flow = measured(bench, log, alerts, &detector.program, detector.grpc);
        done.store(true, Ordering::Relaxed);
        (flow, asking.join())
    });
    let flow = flow?;
    let (asked, slowest_question_ms) = asked.ok().context("the thread that asks died")??;
    let raised = detector.program.metric("sentinel_detector_alerts_total")?;
    ensure!(raised == f64::from(alerts), "{alerts} events became {raised} alerts");
    detector.program.stop()?;
    Ok(History {
        alerts_per_second: raised / flow.seconds,
        questions_per_second: f64::from(asked) / flow.seconds,
        slowest_question_ms,
        detector_cores: flow.detector_cpu / flow.seconds,
    })
}

/// How many questions were answered, and how long the slowest took.
fn ask(port: u16, done: &AtomicBool) -> Result<(u32, f64)> {
    let (mut asked, mut slowest) = (0, 0.0_f64);
    while !done.load(Ordering::Relaxed) {
        for question in QUESTIONS {
            let begun = Instant::now();
            let (status, body) = metrics::get(port, question)?;
            ensure!(status == 200, "{question}: {status} {body}");
            slowest = slowest.max(begun.elapsed().as_secs_f64() * 1e3);
            asked += 1;
        }
    }
    Ok((asked, slowest))
}
