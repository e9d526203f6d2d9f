//! What the detector counts of itself. They only rise, but for the gauges.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

macro_rules! meters {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:literal = $metric:literal,)*) => {
        /// Counters and gauges, one of each a program.
        #[derive(Debug)]
        pub(crate) struct Meters {
            pub(crate) started: Instant,
            $($(#[doc = $doc])* pub(crate) $name: Meter,)*
        }

        impl Default for Meters {
            fn default() -> Self {
                Self { started: Instant::now(), $($name: Meter::default(),)* }
            }
        }

        impl Meters {
            /// Name, kind, help and value of each.
            pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, u64)> {
                [$(($metric, $kind, concat!($($doc,)*), self.$name.get()),)*].into_iter()
            }
        }
    };
}

meters! {
    /// Events that came, over every call.
    events: "counter" = "sentinel_detector_events_total",
    /// Batches of PushEvents that were acknowledged.
    batches: "counter" = "sentinel_detector_batches_total",
    /// Events that are being judged or made safe.
    events_waiting: "gauge" = "sentinel_detector_events_waiting",
    /// Events that an engine found to be anomalies.
    anomalies: "counter" = "sentinel_detector_anomalies_total",
    /// Events without an identity, or with one that is too long.
    events_malformed: "counter" = "sentinel_detector_events_malformed_total",
    /// Events that the external detector was not asked about, or did not answer.
    unasked: "counter" = "sentinel_detector_external_unasked_total",
    /// Messages from NATS whose events were judged.
    bus_messages: "counter" = "sentinel_detector_nats_messages_total",
    /// Of these, messages that had been given to a detector before.
    bus_redelivered: "counter" = "sentinel_detector_nats_redelivered_total",
    /// Messages from NATS that are no events.
    bus_malformed: "counter" = "sentinel_detector_nats_malformed_total",
    /// Connections to NATS that ended, or could not be made.
    bus_lost: "counter" = "sentinel_detector_nats_disconnects_total",
    /// Subjects of NATS that are ours at the time.
    bus_subjects: "gauge" = "sentinel_detector_nats_subjects",
    /// Alerts that were new, from whatever source.
    alerts: "counter" = "sentinel_detector_alerts_total",
    /// Alerts that had come before.
    alerts_repeated: "counter" = "sentinel_detector_alerts_repeated_total",
    /// Pushed alerts that made no sense.
    alerts_malformed: "counter" = "sentinel_detector_alerts_malformed_total",
    /// Status reports of nodes.
    reports: "counter" = "sentinel_detector_reports_total",
    /// Transactions of the history.
    commits: "counter" = "sentinel_detector_history_commits_total",
    /// Transactions that failed; what was in them was refused, and the senders keep it.
    commits_failed: "counter" = "sentinel_detector_history_commits_failed_total",
    /// Readers of the feed.
    clients: "gauge" = "sentinel_detector_feed_clients",
    /// Readers of the feed that were too slow and were cut off; they may go on from where they were.
    clients_dropped: "counter" = "sentinel_detector_feed_clients_dropped_total",
    /// HTTP requests without the right token.
    unauthorized: "counter" = "sentinel_detector_http_unauthorized_total",
    /// Open gRPC connections.
    connections: "gauge" = "sentinel_detector_grpc_connections",
    /// gRPC connections that were closed because they said nothing.
    connections_silent: "counter" = "sentinel_detector_grpc_silent_total",
}

/// One number.
#[derive(Debug, Default)]
pub(crate) struct Meter(AtomicU64);

impl Meter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// So many less: for gauges.
    pub(crate) fn leave(&self, count: usize) {
        self.0.fetch_sub(count as u64, Ordering::Relaxed);
    }
}
