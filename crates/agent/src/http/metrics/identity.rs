//! What runtimes and user databases were asked.

use std::sync::atomic::Ordering;

use super::Page;
use crate::http::Facts;

/// Name, meaning, values by result.
type Family<'a> = (&'a str, &'a str, &'a [(&'a str, u64)]);

pub(super) fn identity(page: &mut Page, facts: &Facts) {
    let told = facts.registry.counters();
    let families: [Family<'_>; 3] = [
        (
            "sentinel_containers_total",
            "Containers that were asked for, and what became of it.",
            &[
                ("asked", told.containers_asked),
                ("found", told.containers_found),
                ("unknown", told.containers_unknown),
            ],
        ),
        (
            "sentinel_runtime_requests_total",
            "Requests to container runtimes, and those that failed, by cause.",
            &[
                ("sent", told.requests),
                ("timeout", told.timeouts),
                ("malformed", told.malformed),
                ("failed", told.failures),
                ("untrusted", told.untrusted),
                ("refused", told.refused),
            ],
        ),
        (
            "sentinel_user_databases_total",
            "User databases that were read, could not be read, or hang.",
            &[("read", told.users_read), ("failed", told.users_failed), ("stuck", told.users_stuck)],
        ),
    ];
    for (name, help, values) in families {
        page.head(name, "counter", help);
        for (result, value) in values {
            page.value(name, &[("result", result)], value);
        }
    }
    page.one(
        "sentinel_events_metadata_pending_total",
        "counter",
        "Events that went on while what is asked about their container was under way.",
        &[],
        facts.meters.impatient.load(Ordering::Relaxed),
    );
}
