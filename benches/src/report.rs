//! What was measured, next to what was promised.

use std::fmt::Write;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    agent::Usage,
    latency::{Deed, LOAD, Latency},
    plot,
    programs::Program,
    quiet::Quiet,
    rate::Rate,
    stats::Summary,
    workload::Workload,
};

/// One workload, nanoseconds per step.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The workload.
    pub(crate) workload: Workload,
    /// Without the agent.
    pub(crate) without: Quiet,
    /// With it; none in a baseline run.
    pub(crate) with: Option<Quiet>,
}

impl Pair {
    /// What the agent added to a step, in nanoseconds: the difference of the medians.
    fn added_ns(&self) -> Option<f64> {
        Some(self.with?.summary.median - self.without.summary.median)
    }

    /// What the agent added, in percent of the step without it.
    fn added_percent(&self) -> Option<f64> {
        Some(self.added_ns()? / self.without.summary.median * 100.0)
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Pair", 5)?;
        fields.serialize_field("workload", &self.workload)?;
        fields.serialize_field("without_ns", &self.without)?;
        fields.serialize_field("with_ns", &self.with)?;
        fields.serialize_field("added_ns", &self.added_ns())?;
        fields.serialize_field("added_percent", &self.added_percent())?;
        fields.end()
    }
}

/// A figure that is promised, and what it was this time.
#[derive(Debug, Serialize)]
struct Target {
    what: &'static str,
    limit: f64,
    unit: &'static str,
    measured: f64,
    met: bool,
}

/// Everything measured in one run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Release of the running kernel.
    pub(crate) kernel: String,
    /// Cores of the machine.
    pub(crate) cores: usize,
    /// Rounds without and with the agent.
    pub(crate) rounds: u32,
    /// A first look, not a claim.
    pub(crate) quick: bool,
    /// The workloads.
    pub(crate) workloads: Vec<Pair>,
    /// All runs of the agent together; none in a baseline run.
    pub(crate) agent: Option<Usage>,
    /// The loss test; none where it was left out.
    pub(crate) rate: Option<Rate>,
    /// A series of rates, and the agent's use of the machine at each; empty where it was left out.
    pub(crate) series: Vec<(Rate, Usage)>,
    /// The agent's programs in the kernel; empty where they were left out.
    pub(crate) programs: Vec<Program>,
    /// How long alerts took; empty where it was left out.
    pub(crate) latency: Vec<Latency>,
}

impl Report {
    fn find(&self, workload: Workload) -> Option<&Pair> {
        self.workloads.iter().find(|pair| pair.workload == workload)
    }

    /// The promises for which something was measured.
    fn targets(&self) -> Vec<Target> {
        let added = |workload| self.find(workload).and_then(Pair::added_ns);
        let rows = [
            ("a system call that nothing watches, added", 12.0, "ns", added(Workload::Unwatched)),
            ("open + read + close, added", 1000.0, "ns", added(Workload::OpenReadClose)),
            ("exec, added", 5.0, "%", self.find(Workload::Exec).and_then(Pair::added_percent)),
            ("peak resident memory", 40.0, "MiB", self.agent.map(|agent| agent.peak_rss_mib)),
            ("lost at a steady rate", 0.0, "events", self.rate.as_ref().map(|rate| rate.lost)),
        ];
        let measured = rows.into_iter().filter_map(|(what, limit, unit, measured)| {
            let measured = measured?;
            Some(Target { what, limit, unit, measured, met: measured <= limit })
        });
        // Nothing lost at a lower rate than asked for shows nothing.
        let pace = self.rate.as_ref().map(|rate| Target {
            what: "the steady rate was reached, short of it by",
            limit: 1.0,
            unit: "%",
            measured: rate.short_percent(),
            met: rate.short_percent() <= 1.0,
        });
        let alerts = self.latency.iter().filter(|latency| latency.loaded).map(|latency| Target {
            what: match latency.deed {
                Deed::Open => "alert of an open beside 50,000 opens/s, p99",
                Deed::Spawn => "alert of a program start beside 50,000 opens/s, p99",
            },
            limit: 5.0,
            unit: "ms",
            measured: latency.p99_ms,
            met: latency.p99_ms <= 5.0,
        });
        let steady = self.series.iter().filter(|(rate, _)| rate.asked_per_second == LOAD);
        let enriched = steady.filter_map(|(rate, _)| {
            let measured = rate.enriched_p99_ms?;
            let (what, limit) =
                ("from the kernel's hook to enriched at 50,000 events/s, p99 of undisturbed seconds", 2.0);
            Some(Target { what, limit, unit: "ms", measured, met: measured <= limit })
        });
        measured.chain(pace).chain(alerts).chain(enriched).collect()
    }

    /// The report as one JSON object.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct WithTargets<'a> {
            #[serde(flatten)]
            report: &'a Report,
            targets: Vec<Target>,
        }
        serde_json::to_string_pretty(&WithTargets { report: self, targets: self.targets() })
    }

    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_markdown(&mut out);
        out
    }

    fn write_markdown(&self, out: &mut String) -> std::fmt::Result {
        let quick = if self.quick { ", quick: a first look only" } else { "" };
        writeln!(out, "Kernel {}, {} cores, {} rounds{quick}.\n", self.kernel, self.cores, self.rounds)?;
        writeln!(
            out,
            "| workload | without, ns | spread | quiet | with, ns | spread | quiet | added, ns | added | min without | \
             min with |"
        )?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for pair in &self.workloads {
            let with = |value: fn(Summary) -> f64| number(pair.with.map(|with| value(with.summary)));
            let quiet = |state: Option<Quiet>| {
                state.map_or("–".into(), |state| format!("{:.0} %", state.quiet_percent))
            };
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                pair.workload.name(),
                number(Some(pair.without.summary.median)),
                number(Some(pair.without.summary.spread)),
                quiet(Some(pair.without)),
                with(|summary| summary.median),
                with(|summary| summary.spread),
                quiet(pair.with),
                number(pair.added_ns()),
                pair.added_percent().map_or("–".into(), |percent| format!("{percent:.1} %")),
                number(Some(pair.without.summary.min)),
                with(|summary| summary.min),
            )?;
        }
        if let Some(agent) = self.agent {
            writeln!(
                out,
                "\nThe agent over all rounds: {:.0} events, {:.0} lost, {:.2} s of processor time ({:.2} s per \
                 million events), peak resident memory {:.1} MiB.",
                agent.events,
                agent.lost,
                agent.cpu_seconds,
                agent.cpu_seconds / agent.events.max(1.0) * 1e6,
                agent.peak_rss_mib,
            )?;
        }
        if let Some(rate) = &self.rate {
            writeln!(
                out,
                "\nSteady rate: {:.0} events in {:.1} s ({:.0}/s of {}/s asked for, {} per open, read and close), \
                 {:.0} received with other programs' events, {:.0} lost, {:.2} s of processor time per million.",
                rate.produced,
                rate.seconds,
                rate.produced_per_second,
                rate.asked_per_second,
                rate.events_per_step,
                rate.received,
                rate.lost,
                rate.cpu_seconds_per_million,
            )?;
        }
        self.write_series(out)?;
        if !self.latency.is_empty() {
            writeln!(
                out,
                "\n| alert latency | events/s | alerts | p50, ms | p95, ms | p99, ms | p99.9, ms | max, ms |"
            )?;
            writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|")?;
        }
        for latency in &self.latency {
            writeln!(
                out,
                "| {} → line, {} | {:.0} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
                match latency.deed {
                    Deed::Open => "open returned",
                    Deed::Spawn => "spawn returned",
                },
                if latency.loaded { "beside a loop of opens" } else { "idle" },
                latency.events_per_second,
                latency.samples,
                latency.p50_ms,
                latency.p95_ms,
                latency.p99_ms,
                latency.p999_ms,
                latency.max_ms,
            )?;
        }
        let targets = self.targets();
        if !targets.is_empty() {
            writeln!(out, "\n| target | at most | measured | |")?;
            writeln!(out, "|---|--:|--:|---|")?;
        }
        for Target { what, limit, unit, measured, met } in targets {
            let verdict = if met { "met" } else { "MISSED" };
            writeln!(out, "| {what} | {limit} {unit} | {measured:.1} {unit} | {verdict} |")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_series(&self, out: &mut String) -> std::fmt::Result {
        if !self.series.is_empty() {
            writeln!(
                out,
                "\n| events/s asked for | produced | lost | agent's µs per event | enriched within, p50 | p99 | peak memory, MiB \
                 | recovery, ms | stolen by the host | seconds without |"
            )?;
            writeln!(out, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        }
        for (rate, usage) in &self.series {
            let within = |ms: Option<f64>| {
                ms.map_or("–".into(), |ms| if ms < 1e6 { format!("{ms} ms") } else { "> 1 s".into() })
            };
            writeln!(
                out,
                "| {} | {:.0} | {:.0} | {:.2} | {} | {} | {:.1} | {:.0} | {:.1} % | {:.0} % |",
                rate.asked_per_second,
                rate.produced_per_second,
                rate.lost,
                rate.cpu_seconds_per_million,
                within(rate.enriched_p50_ms),
                within(rate.enriched_p99_ms),
                usage.peak_rss_mib,
                rate.recovery_seconds * 1e3,
                rate.stolen_percent,
                rate.undisturbed_percent,
            )?;
        }
        if !self.programs.is_empty() {
            writeln!(out, "\n| program in the kernel | runs | ns per run |\n|---|--:|--:|")?;
        }
        for program in &self.programs {
            writeln!(out, "| `{}` | {:.0} | {:.0} |", program.name, program.runs, program.ns_per_run)?;
        }
        Ok(())
    }

    /// The agent's processor time of an event by rate; none without a series.
    pub(crate) fn plot(&self) -> Option<String> {
        let values = self.series.iter();
        let values: Vec<_> = values
            .map(|(rate, _)| (format!("{}/s", rate.asked_per_second), rate.cpu_seconds_per_million))
            .collect();
        (!values.is_empty()).then(|| plot::bars("Processor time of the agent per event", "µs", &values))
    }
}

/// A figure with as many digits as it is worth.
fn number(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(value) if value.abs() < 100.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(with: Option<Summary>) -> Report {
        let quiet = |summary| Quiet { summary, quiet_percent: 70.0 };
        let without = quiet(Summary { median: 50.0, min: 48.0, spread: 1.0 });
        let with = with.map(quiet);
        Report {
            kernel: "6.18".into(),
            cores: 2,
            rounds: 1,
            quick: false,
            workloads: vec![Pair { workload: Workload::Unwatched, without, with }],
            agent: None,
            rate: None,
            series: Vec::new(),
            programs: Vec::new(),
            latency: Vec::new(),
        }
    }

    #[test]
    fn a_baseline_promises_nothing() {
        let text = report(None).markdown();
        assert!(text.contains("| unwatched | 50.0 | 1.0 | 70 % | – | – | – | – | – | 48.0 | – |"), "{text}");
        assert!(!text.contains("target"), "{text}");
    }

    #[test]
    fn a_missed_target_is_said_in_text_and_in_json() {
        let report = report(Some(Summary { median: 65.0, min: 60.0, spread: 2.0 }));
        let text = report.markdown();
        assert!(text.contains("| 12 ns | 15.0 ns | MISSED |"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["workloads"][0]["added_ns"], 15.0);
        assert_eq!(json["targets"][0]["met"], false);
    }
}
