//! `GET /metrics`: Prometheus text format 0.0.4.

use std::fmt::Write as _;

use axum::{extract::State, http::StatusCode, response::Response};
use sentinel_sink::OutputStatus;

use super::{Facts, answer};

pub(super) async fn metrics(State(facts): State<Facts>) -> Response {
    let meters = &facts.intake.meters;
    let mut page = format!(
        "# HELP sentinel_build_info The program.\n# TYPE sentinel_build_info gauge\n\
         sentinel_build_info{{version=\"{}\"}} 1\n",
        env!("CARGO_PKG_VERSION")
    );
    for (name, kind, help, value) in meters.each() {
        // Writing to a string does not fail.
        let _ = writeln!(page, "# HELP {name}{help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    if let Ok(size) = facts.intake.hub.library.ask(|reader| reader.size()).await {
        let name = "sentinel_detector_history_bytes";
        let _ = writeln!(
            page,
            "# HELP {name} Bytes in use by the history.\n# TYPE {name} gauge\n{name} {}",
            size.bytes
        );
    }
    outputs(&mut page, &facts);
    answer::of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page)
}

fn outputs(page: &mut String, facts: &Facts) {
    let status = facts.intake.outputs.status();
    let mut family = |name: &str, kind: &str, help: &str, value: &dyn Fn(&OutputStatus) -> u64| {
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for output in &status {
            let _ = writeln!(page, "{name}{{output=\"{}\"}} {}", output.name, value(output));
        }
    };
    let taken = "Alerts that were given to the output.";
    family("sentinel_detector_output_taken_total", "counter", taken, &|output| output.counters.taken);
    let delivered = "Alerts that the receiver of the output has.";
    family("sentinel_detector_output_delivered_total", "counter", delivered, &|output| {
        output.counters.delivered
    });
    let waiting = "Alerts in the queue of the output.";
    family("sentinel_detector_output_waiting", "gauge", waiting, &|output| output.waiting as u64);
}
