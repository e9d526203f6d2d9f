//! Times of alerts, for putting them in order.

use chrono::DateTime;

/// Nanoseconds since the Unix epoch of an RFC 3339 time; 0 for what is none.
pub(crate) fn nanos(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).ok().and_then(|time| time.timestamp_nanos_opt()).unwrap_or_default()
}

#[test]
fn times_are_compared_by_value_not_by_letter() {
    assert!(nanos("2026-01-01T00:00:05Z") < nanos("2026-01-01T00:00:05.123Z"));
    assert_eq!(nanos("2026-01-01T01:00:00+01:00"), nanos("2026-01-01T00:00:00Z"));
    assert_eq!(nanos("yesterday"), 0);
}
