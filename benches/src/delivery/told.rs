//! What was measured, next to what was promised.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

use super::history::History;

/// Events on their way from a sender to the detector.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Flow {
    pub(super) events: f64,
    pub(super) seconds: f64,
    /// Events that the sender counts as lost.
    pub(super) lost: f64,
    /// Processor time, seconds.
    pub(super) sender_cpu: f64,
    pub(super) detector_cpu: f64,
}

impl Flow {
    fn rate(&self) -> f64 {
        self.events / self.seconds
    }

    /// Cores that 200,000 events a second take, both together.
    fn cores_of_200k(&self) -> f64 {
        (self.sender_cpu + self.detector_cpu) / self.events * 200_000.0
    }
}

/// All figures.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    kernel: String,
    cores: usize,
    quick: bool,
    events: u32,
    bytes: u64,
    /// MB/s of each run.
    pub(super) decode: Vec<f64>,
    /// Each run.
    pub(super) replay: Vec<Flow>,
    /// 99 of 100 events are no later, milliseconds.
    pub(super) late_ms: Option<f64>,
    pub(super) history: Option<History>,
    /// What waited on the agent's disk; none without the agent.
    pub(super) drained: Option<Flow>,
    /// While files are opened; none without the agent.
    pub(super) live: Option<Flow>,
}

impl Figures {
    pub(super) fn new(quick: bool, events: u32, bytes: u64) -> Result<Self> {
        Ok(Self {
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            quick,
            events,
            bytes,
            decode: Vec::new(),
            replay: Vec::new(),
            late_ms: None,
            history: None,
            drained: None,
            live: None,
        })
    }

    /// The run in the middle, by its rate.
    fn usual_replay(&self) -> Option<Flow> {
        let mut runs = self.replay.clone();
        runs.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        runs.get(runs.len() / 2).copied()
    }

    fn usual_decode(&self) -> Option<f64> {
        let mut runs = self.decode.clone();
        runs.sort_by(f64::total_cmp);
        runs.get(runs.len() / 2).copied()
    }

    /// The report.
    pub(super) fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let quick = if self.quick { ", quick: a first look only" } else { "" };
        writeln!(
            out,
            "Kernel {}, {} cores{quick}. The log: {} events of {} bytes each.\n",
            self.kernel,
            self.cores,
            self.events,
            self.bytes / u64::from(self.events.max(1)),
        )?;
        writeln!(out, "| events to the detector | events/s | lost | cores, sender | cores, detector |")?;
        writeln!(out, "|---|--:|--:|--:|--:|")?;
        let flows = [
            ("agent, from its disk", self.drained),
            ("agent, while files are opened", self.live),
            ("`sentinel replay --pace fast`", self.usual_replay()),
        ];
        for (what, flow) in flows {
            let Some(flow) = flow else { continue };
            writeln!(
                out,
                "| {what} | {:.0} | {:.0} | {:.2} | {:.2} |",
                flow.rate(),
                flow.lost,
                flow.sender_cpu / flow.seconds,
                flow.detector_cpu / flow.seconds,
            )?;
        }
        if let Some(history) = &self.history {
            writeln!(
                out,
                "\nWhile alerts came, {:.0} questions a second were answered, the slowest in {:.0} ms; the detector \
                 used {:.2} cores, which includes its rules.",
                history.questions_per_second, history.slowest_question_ms, history.detector_cores,
            )?;
        }
        writeln!(out, "\n| target | | measured | |\n|---|--:|--:|---|")?;
        self.write_targets(out)
    }

    fn write_targets(&self, out: &mut String) -> std::fmt::Result {
        let replay = self.usual_replay();
        let least = [
            (
                "agent → detector, from the agent's disk",
                200_000.0,
                "events/s",
                self.drained.map(|flow| flow.rate()),
            ),
            ("decode", 300.0, "MB/s", self.usual_decode()),
            ("replay --pace fast", 200_000.0, "events/s", replay.map(|flow| flow.rate())),
            ("history", 5000.0, "alerts/s", self.history.as_ref().map(|history| history.alerts_per_second)),
        ];
        for (what, limit, unit, measured) in least {
            let Some(measured) = measured else { continue };
            let verdict = if measured >= limit { "met" } else { "MISSED" };
            writeln!(out, "| {what} | at least {limit} {unit} | {measured:.0} {unit} | {verdict} |")?;
        }
        let most = [
            (
                "agent → detector, for 200,000 events/s",
                1.5,
                "cores",
                self.drained.map(|flow| flow.cores_of_200k()),
            ),
            ("replay in real time, p99 late by", 2.0, "ms", self.late_ms),
        ];
        for (what, limit, unit, measured) in most {
            let Some(measured) = measured else { continue };
            let verdict = if measured <= limit { "met" } else { "MISSED" };
            writeln!(out, "| {what} | at most {limit} {unit} | {measured:.2} {unit} | {verdict} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_said_and_what_was_not_measured_is_not() {
        let flow = |events| Flow { events, seconds: 2.0, lost: 0.0, sender_cpu: 1.0, detector_cpu: 3.0 };
        let mut figures = Figures::new(true, 10, 1000).unwrap();
        figures.decode = vec![100.0, 900.0, 301.0];
        figures.replay = vec![flow(2e5), flow(2e6), flow(4e5)];
        let text = figures.markdown();
        assert!(text.contains("| decode | at least 300 MB/s | 301 MB/s | met |"), "{text}");
        assert!(text.contains("| at least 200000 events/s | 200000 events/s | met |"), "{text}");
        assert!(text.contains("| `sentinel replay --pace fast` | 200000 | 0 | 0.50 | 1.50 |"), "{text}");
        assert!(!text.contains("agent") && !text.contains("alerts"), "{text}");
        figures.drained = Some(flow(2e5));
        figures.late_ms = Some(2.5);
        let text = figures.markdown();
        assert!(text.contains("| at most 1.5 cores | 4.00 cores | MISSED |"), "{text}");
        assert!(text.contains("| at most 2 ms | 2.50 ms | MISSED |"), "{text}");
    }
}
