//! How old events are when they are enriched and judged: from the kernel's hook to the end of their batch.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::time::{ClockId, clock_gettime};
use sentinel_event::{Body, Event};

/// Upper bounds of the buckets, in nanoseconds and as Prometheus has them, in seconds.
pub(crate) const BOUNDS: [(u64, &str); 13] = [
    (100_000, "0.0001"),
    (250_000, "0.00025"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_000_000, "0.002"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (20_000_000, "0.02"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1"),
    (u64::MAX, "+Inf"),
];

/// A histogram of all events that tell of a moment.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    /// Not cumulative.
    buckets: [AtomicU64; BOUNDS.len()],
    sum_ns: AtomicU64,
}

impl Ages {
    /// Counts a batch that is done. Its times were kept by [`times`].
    pub(crate) fn add(&self, times: &[u64]) {
        if !times.is_empty() {
            self.add_at(times, now());
        }
    }

    fn add_at(&self, times: &[u64], now: u64) {
        let mut counts = [0_u64; BOUNDS.len()];
        let mut sum = 0_u64;
        for time in times {
            let age = now.saturating_sub(*time);
            sum = sum.saturating_add(age);
            let bucket = BOUNDS.iter().zip(&mut counts).find(|((bound, _), _)| age <= *bound);
            if let Some((_, count)) = bucket {
                *count += 1;
            }
        }
        for (bucket, count) in self.buckets.iter().zip(counts).filter(|(_, count)| *count > 0) {
            bucket.fetch_add(count, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(sum, Ordering::Relaxed);
    }

    /// Bound of each bucket, and how many events were no older than that.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let mut sum = 0;
        BOUNDS.iter().zip(&self.buckets).map(move |((_, bound), bucket)| {
            sum += bucket.load(Ordering::Relaxed);
            (*bound, sum)
        })
    }

    /// All ages together.
    pub(crate) fn sum_seconds(&self) -> f64 {
        std::time::Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// When these events happened, in nanoseconds since boot. Without sums and reports, which tell of a span that has passed;
/// the first read and the first write of an open file are told at once and count.
pub(crate) fn times(events: &[Event], times: &mut Vec<u64>) {
    times.clear();
    let at_once = |event: &&Event| match &event.body {
        Body::FileRead(io) | Body::FileWrite(io) => io.calls == 1,
        Body::Loss(_) => false,
        _ => true,
    };
    times.extend(events.iter().filter(at_once).map(|event| event.head.boot_ns));
}

fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(now.tv_sec).saturating_mul(1_000_000_000).saturating_add(part(now.tv_nsec))
}

#[cfg(test)]
mod tests {
    use sentinel_event::{Exit, FileIo, Head, Loss, LossCause, Stage};

    use super::*;

    #[test]
    fn ages_fall_into_buckets() {
        let ages = Ages::default();
        // 0, 100 µs, 3 ms, two hours; and one from the future, which is no age at all.
        let now = 7_200_000_000_000;
        ages.add_at(&[now, now - 100_000, now - 3_000_000, 0, now + 5], now);
        let found: Vec<_> = ages.cumulative().collect();
        assert_eq!((found[0], found[4], found[5]), (("0.0001", 3), ("0.002", 3), ("0.005", 4)));
        assert_eq!((found[11], found[12]), (("1", 4), ("+Inf", 5)));
        assert!((ages.sum_seconds() - 7200.0031).abs() < 1e-6);
    }

    #[test]
    fn sums_and_reports_have_no_age() {
        let of = |body| Event { head: Head { boot_ns: 7, ..Head::default() }, body };
        let read = |calls| of(Body::FileRead(FileIo { calls, ..FileIo::default() }));
        let lost = Loss { stage: Stage::Ring, cause: LossCause::Full, kind: None, count: 1 };
        let mut found = vec![1];
        times(&[read(1), read(2), of(Body::Exit(Exit::default())), of(Body::Loss(lost))], &mut found);
        assert_eq!(found, [7, 7]);
    }

    #[test]
    fn the_clock_is_that_of_the_kernel() {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let now = std::time::Duration::from_nanos(now()).as_secs_f64();
        assert!((now - uptime).abs() < 5.0, "{now} {uptime}");
    }
}
