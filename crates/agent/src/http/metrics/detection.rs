//! Metrics of detection: alerts, and how often rules match.

use std::sync::atomic::{AtomicU64, Ordering};

use sentinel_sink::DropCause;

use super::{super::Facts, Page};

/// Rules that have a series of their own; the rest is one sum. Whoever writes the rules is not an attacker, but
/// a database of metrics is not a list of rules either.
const SERIES: usize = 1000;
/// What metrics call the piece of the program that alerts are shown to.
const VIEW: &str = "view";
/// And to the detector's hub.
const HUB: &str = "hub";

pub(super) fn detection(page: &mut Page, facts: &Facts) {
    alerts(page, facts);
    let book = facts.books.get();
    page.one(
        "sentinel_detection_rules_info",
        "gauge",
        "The detection rules in force; the hash is that of their texts.",
        &[("hash", &book.hash)],
        1,
    );
    page.one(
        "sentinel_detection_rules",
        "gauge",
        "Detection rules that are switched on.",
        &[],
        book.engine.rules().len(),
    );
    let name = "sentinel_rule_hits_total";
    page.head(name, "counter", "How often each detection rule has matched.");
    for rule in book.hits.iter().take(SERIES) {
        page.value(name, &[("rule_id", &rule.id), ("rule", &rule.name)], rule.hits());
    }
    if book.engine.rules().len() > SERIES {
        let others: u64 = book.hits.iter().skip(SERIES).map(|rule| rule.hits()).sum();
        page.value(name, &[("rule_id", ""), ("rule", "all others")], others);
    }
}

fn alerts(page: &mut Page, facts: &Facts) {
    let meters = &facts.meters.alerts;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let outputs = facts.outputs.status();
    page.one(
        "sentinel_alerts_raised_total",
        "counter",
        "Matches of detection rules.",
        &[],
        count(&meters.raised),
    );
    let name = "sentinel_alerts_delivered_total";
    page.head(name, "counter", "Alerts that the receiver of an output has.");
    for (output, way) in [(VIEW, &meters.view), (HUB, &meters.hub)] {
        page.value(name, &[("output", output)], count(&way.delivered));
    }
    for output in &outputs {
        page.value(name, &[("output", output.name)], output.counters.delivered);
    }
    let name = "sentinel_alerts_lost_total";
    page.head(name, "counter", "Alerts that were lost, by output and cause.");
    for (output, way) in [(VIEW, &meters.view), (HUB, &meters.hub)] {
        for (cause, counter) in [(DropCause::Full, &way.lost_full), (DropCause::Closed, &way.lost_closed)] {
            page.value(name, &[("output", output), ("cause", cause.name())], count(counter));
        }
    }
    for output in &outputs {
        for cause in DropCause::ALL {
            let labels = [("output", output.name), ("cause", cause.name())];
            page.value(name, &labels, output.counters.dropped(*cause));
        }
    }
    let name = "sentinel_alerts_suppressed_total";
    page.head(name, "counter", "Alerts that were held back on purpose, by the setting.");
    let (dedup, rate_limit) = facts.outputs.suppressed();
    page.value(name, &[("by", "dedup")], dedup);
    page.value(name, &[("by", "rateLimit")], rate_limit);
    let name = "sentinel_rule_alerts_suppressed_total";
    page.head(name, "counter", "The same for each rule of which some were.");
    for rule in facts.outputs.suppressed_by_rule().iter().take(SERIES) {
        page.value(name, &[("rule", &rule.rule), ("by", "dedup")], rule.dedup);
        page.value(name, &[("rule", &rule.rule), ("by", "rateLimit")], rule.rate_limit);
    }
    let name = "sentinel_alerts_waiting";
    page.head(name, "gauge", "Alerts in the queue of an output.");
    for output in &outputs {
        page.value(name, &[("output", output.name)], output.waiting);
    }
    let name = "sentinel_alert_output_up";
    page.head(name, "gauge", "1 when the last attempt of an output came to something.");
    for output in &outputs {
        page.value(name, &[("output", output.name)], u8::from(output.counters.up));
    }
    let name = "sentinel_alert_output_retries_total";
    page.head(name, "counter", "Attempts of an output that are made again.");
    for output in &outputs {
        page.value(name, &[("output", output.name)], output.counters.retries);
    }
}
