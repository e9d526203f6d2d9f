//! `/metrics`: Prometheus text format 0.0.4.

mod detection;
mod identity;
mod outlets;

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    fs,
    sync::atomic::Ordering,
};

use sentinel_event::{Kind, LossCause, Stage};
use sentinel_probe::{Counters, HookState, HookStatus, KindCounters};

use super::{Facts, View};
use crate::meters::{ByKind, Meters};

/// The text. `view` is missing when the main thread does not answer; then so are the kernel's counters.
pub(super) fn render(facts: &Facts, view: Option<&View>) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    let meters = &facts.meters;
    page.one("sentinel_build_info", "gauge", "The program.", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    if let Some(view) = view {
        if let Some(counters) = &view.counters {
            kernel(&mut page, counters);
        }
        hooks(&mut page, &view.hooks);
        let name = "sentinel_captured";
        page.head(name, "gauge", "1 for each kind that the rules or the process table need.");
        for kind in Kind::ALL {
            page.value(name, &[("kind", kind.name())], u8::from(view.captured.contains(*kind)));
        }
    }
    for (name, help, counters) in [
        ("sentinel_events_decoded_total", "Events that came from the probe.", &meters.decoded),
        ("sentinel_events_filtered_total", "Events that no forward rule wants.", &meters.filtered),
        (
            "sentinel_events_forwarded_total",
            "Events that a forward rule wants, before folding.",
            &meters.forwarded,
        ),
        (
            "sentinel_events_folded_total",
            "Forwarded events of processes that store our output, whose sums another event carries.",
            &meters.folded,
        ),
    ] {
        page.head(name, "counter", help);
        each_kind(&mut page, name, counters);
    }
    ages(&mut page, meters);
    outlets::outlets(&mut page, meters);
    losses(&mut page, facts, view);
    queues(&mut page, facts);
    tables(&mut page, facts);
    identity::identity(&mut page, facts);
    detection::detection(&mut page, facts);
    page.head("sentinel_rule_reloads_total", "counter", "Reloads of the rules, by result.");
    page.value("sentinel_rule_reloads_total", &[("result", "ok")], meters.reloads.load(Ordering::Relaxed));
    page.value(
        "sentinel_rule_reloads_total",
        &[("result", "refused")],
        meters.reloads_refused.load(Ordering::Relaxed),
    );
    page.one(
        "sentinel_rule_generation",
        "gauge",
        "Generation of the rules in force, forward rules and detection rules.",
        &[],
        facts.books.generation(),
    );
    page.one(
        "sentinel_output_consumers",
        "gauge",
        "Processes that store our output, ourselves included; their file events are folded.",
        &[],
        meters.consumers.load(Ordering::Relaxed),
    );
    memory(&mut page);
    page.0
}

/// The same as numbers, by name and labels.
pub(crate) fn numbers(facts: &Facts, view: &View) -> BTreeMap<String, f64> {
    let page = render(facts, Some(view));
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

fn kernel(page: &mut Page, counters: &Counters) {
    type Get = fn(&KindCounters) -> u64;
    let families: [(&str, &str, Get); 5] = [
        (
            "sentinel_events_produced_total",
            "Events that happened and were wanted: delivered to the agent, and lost.",
            |k| k.produced,
        ),
        ("sentinel_events_excluded_total", "Our own doing in our own output, left out.", |k| k.excluded),
        ("sentinel_events_deferred_total", "Found the ring full, but a later event tells the same.", |k| {
            k.deferred
        }),
        (
            "sentinel_events_filtered_in_kernel_total",
            "Opens that no rule could match, left out at the source and counted nowhere else.",
            |k| k.filtered,
        ),
        ("sentinel_calls_summed_total", "Calls that the kernel side summed into other events.", |k| k.folded),
    ];
    for (name, help, get) in families {
        page.head(name, "counter", help);
        for kind in &counters.kinds {
            page.value(name, &[("kind", kind.kind.name())], get(kind));
        }
    }
    if let Some(used) = counters.ring_used {
        page.one("sentinel_ring_used_bytes", "gauge", "Bytes that wait in the ring.", &[], used);
    }
    page.one("sentinel_ring_size_bytes", "gauge", "Size of the ring.", &[], counters.ring_size);
    page.one(
        "sentinel_open_files",
        "gauge",
        "Open files in the kernel's table of sums.",
        &[],
        counters.open_files,
    );
}

fn hooks(page: &mut Page, hooks: &[HookStatus]) {
    let name = "sentinel_hook_state";
    page.head(name, "gauge", "State of each hook: 1 where it is.");
    for hook in hooks {
        let state = match hook.state {
            HookState::Attached { verified: true } => "attached",
            HookState::Attached { verified: false } => "unverified",
            HookState::Idle => "idle",
            HookState::Absent => "absent",
            HookState::Degraded(_) => "degraded",
        };
        page.value(name, &[("program", hook.program), ("hook", &hook.hook), ("state", state)], 1);
    }
}

fn ages(page: &mut Page, meters: &Meters) {
    let name = "sentinel_event_age_seconds";
    let help =
        "From the kernel's hook until an event is enriched and judged; without sums of reads and writes.";
    page.head(name, "histogram", help);
    let mut all = 0;
    for (bound, count) in meters.ages.cumulative() {
        page.value("sentinel_event_age_seconds_bucket", &[("le", bound)], count);
        all = count;
    }
    page.value("sentinel_event_age_seconds_sum", &[], meters.ages.sum_seconds());
    page.value("sentinel_event_age_seconds_count", &[], all);
}

/// One family for every place where events are lost, the kernel's included.
fn losses(page: &mut Page, facts: &Facts, view: Option<&View>) {
    let name = "sentinel_events_lost_total";
    page.head(name, "counter", "Events lost, by where, why and kind.");
    if let Some(counters) = view.and_then(|view| view.counters.as_ref()) {
        let labels =
            |kind| [("stage", Stage::Ring.name()), ("cause", LossCause::Full.name()), ("kind", kind)];
        for kind in &counters.kinds {
            page.value(name, &labels(kind.kind.name()), kind.lost);
        }
        for (kind, skipped) in &counters.skipped {
            let kind = kind.map_or("", Kind::name);
            let labels =
                [("stage", Stage::Hook.name()), ("cause", LossCause::Skipped.name()), ("kind", kind)];
            page.value(name, &labels, *skipped);
        }
        let malformed =
            [("stage", Stage::Decode.name()), ("cause", LossCause::Malformed.name()), ("kind", "")];
        page.value(name, &malformed, counters.malformed);
    }
    let outlets = facts.meters.outlets().map(|(stage, _)| stage);
    for stage in std::iter::once(Stage::Queue).chain(outlets) {
        for cause in [LossCause::Full, LossCause::Closed, LossCause::Failed] {
            let Some(counters) = facts.meters.lost.of(stage, cause) else { continue };
            for kind in Kind::ALL {
                let labels = [("stage", stage.name()), ("cause", cause.name()), ("kind", kind.name())];
                page.value(name, &labels, counters.get(*kind));
            }
        }
    }
}

fn queues(page: &mut Page, facts: &Facts) {
    let mut queues = vec![("reader", "events", facts.events.weight(), facts.events.limit())];
    for (stage, parcels) in &facts.parcels {
        queues.push((stage.name(), "bytes", parcels.weight(), parcels.limit()));
    }
    page.head("sentinel_queue_depth", "gauge", "What waits in a queue between two hops, in its unit.");
    for (queue, unit, depth, _) in &queues {
        page.value("sentinel_queue_depth", &[("queue", queue), ("unit", unit)], *depth);
    }
    page.head("sentinel_queue_limit", "gauge", "Where a queue between two hops is full, in its unit.");
    for (queue, unit, _, limit) in &queues {
        page.value("sentinel_queue_limit", &[("queue", queue), ("unit", unit)], *limit);
    }
}

fn tables(page: &mut Page, facts: &Facts) {
    let enrich = facts.meters.enrich();
    page.head("sentinel_table_entries", "gauge", "Entries of enrichment's tables.");
    page.value("sentinel_table_entries", &[("table", "processes")], enrich.processes);
    page.value("sentinel_table_entries", &[("table", "containers")], enrich.containers);
    page.value("sentinel_table_entries", &[("table", "workloads")], enrich.workloads);
    page.value("sentinel_table_entries", &[("table", "runtimes")], enrich.runtimes);
    page.value("sentinel_table_entries", &[("table", "users")], enrich.users);
    page.value("sentinel_table_entries", &[("table", "names")], enrich.names);
    page.head("sentinel_table_evicted_total", "counter", "Entries that left a table for want of room.");
    for (table, evicted) in [
        ("exited_processes", enrich.evicted_exited),
        ("living_processes", enrich.evicted_living),
        ("containers", enrich.evicted_containers),
        ("workloads", enrich.evicted_workloads),
        ("names", enrich.evicted_names),
    ] {
        page.value("sentinel_table_evicted_total", &[("table", table)], evicted);
    }
    page.one(
        "sentinel_unknown_process_total",
        "counter",
        "Events of processes that were not known.",
        &[],
        enrich.misses,
    );
}

fn memory(page: &mut Page) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, help, field) in [
        ("process_resident_memory_bytes", "Resident memory.", "VmRSS:"),
        ("sentinel_resident_memory_peak_bytes", "Most resident memory there has been.", "VmHWM:"),
    ] {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
        if let Some(kib) = kib {
            page.one(name, "gauge", help, &[], kib * 1024);
        }
    }
}

fn each_kind(page: &mut Page, name: &str, counters: &ByKind) {
    for kind in Kind::ALL {
        page.value(name, &[("kind", kind.name())], counters.get(*kind));
    }
}

/// The text being written. Writing to a string does not fail.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, labels: &[(&str, &str)], value: impl Display) {
        self.head(name, kind, help);
        self.value(name, labels, value);
    }
}
