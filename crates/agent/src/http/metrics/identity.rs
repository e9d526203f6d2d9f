//! What runtimes and user databases were asked.

use std::sync::atomic::Ordering;

use super::Page;
use crate::http::Facts;

/// Name, meaning, values by result.
type Family<'a> = (&'a str, &'a str, &'a [(&'a str, u64)]);

pub(super) fn identity(page: &mut Page, facts: &Facts) {
    let told = facts.registry.counters();
    let families: [Family<'_>; 5] = [
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
            "sentinel_runtime_events_total",
            "Events of containers that runtimes told by themselves, and told containers that made room for newer ones.",
            &[("heard", told.runtime_events), ("evicted", told.runtime_events_evicted)],
        ),
        (
            "sentinel_user_databases_total",
            "User databases that were read, could not be read, or hang.",
            &[("read", told.users_read), ("failed", told.users_failed), ("stuck", told.users_stuck)],
        ),
        (
            "sentinel_pod_requests_total",
            "Requests to Kubernetes' API server, changes that it told, and what went wrong, by cause.",
            &[
                ("list", told.pod_lists),
                ("watch", told.pod_watches),
                ("change", told.pod_changes),
                ("failed", told.pods_failed),
                ("gone", told.pods_gone),
                ("malformed", told.pods_malformed),
                ("refused", told.pods_refused),
            ],
        ),
    ];
    for (name, help, values) in families {
        page.head(name, "counter", help);
        for (result, value) in values {
            page.value(name, &[("result", result)], value);
        }
    }
    page.one(
        "sentinel_pods_known",
        "gauge",
        "Pods of this node that Kubernetes has told of, those that were deleted of late included.",
        &[],
        told.pods_known,
    );
    page.one(
        "sentinel_events_metadata_pending_total",
        "counter",
        "Events that went on while what is asked about their container was under way.",
        &[],
        facts.meters.impatient.load(Ordering::Relaxed),
    );
}
