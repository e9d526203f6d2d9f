//! What leaves, by the way it takes.

use std::sync::atomic::{AtomicU64, Ordering};

use sentinel_event::Kind;

use super::Page;
use crate::meters::{Meters, OutletMeters};

pub(super) fn outlets(page: &mut Page, meters: &Meters) {
    let name = "sentinel_events_delivered_total";
    page.head(name, "counter", "Events that a receiver has taken, by the way out.");
    for (stage, outlet) in meters.outlets() {
        for kind in Kind::ALL {
            let labels = [("outlet", stage.name()), ("kind", kind.name())];
            page.value(name, &labels, outlet.delivered.get(*kind));
        }
    }
    type Get = fn(&OutletMeters) -> &AtomicU64;
    let families: [(&str, &str, &str, Get); 5] = [
        ("sentinel_output_bytes_total", "counter", "Bytes that a receiver has taken.", |outlet| {
            &outlet.bytes
        }),
        (
            "sentinel_output_retries_total",
            "counter",
            "Attempts to deliver that came to nothing, and are made again.",
            |outlet| &outlet.retries,
        ),
        (
            "sentinel_output_recovered_total",
            "counter",
            "Events of former runs that a receiver has taken from the spool.",
            |outlet| &outlet.recovered,
        ),
        ("sentinel_output_kept", "gauge", "Events that wait on disk for the next start.", |outlet| {
            &outlet.kept
        }),
        ("sentinel_output_spool_bytes", "gauge", "Bytes on disk that wait for their receiver.", |outlet| {
            &outlet.spooled_bytes
        }),
    ];
    for (name, kind, help, get) in families {
        page.head(name, kind, help);
        for (stage, outlet) in meters.outlets() {
            page.value(name, &[("outlet", stage.name())], get(outlet).load(Ordering::Relaxed));
        }
    }
    let name = "sentinel_output_up";
    page.head(name, "gauge", "1 unless the last attempt to deliver came to nothing.");
    for (stage, outlet) in meters.outlets() {
        page.value(name, &[("outlet", stage.name())], u8::from(!outlet.away.load(Ordering::Relaxed)));
    }
}
