//! The stream that the benchmark of the language runs over has the shares that it claims, whatever the seed.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail in any way")]

#[path = "../examples/rule_rate/stream.rs"]
mod stream;

use stream::{MIX, Stream};

type Failure = Box<dyn std::error::Error>;

#[test]
fn the_stream_of_the_benchmark_has_its_shares() -> Result<(), Failure> {
    const EVENTS: u32 = 20_000;
    let shares: Vec<_> = MIX.iter().map(|(percent, name, _)| (*name, *percent)).collect();
    let expected =
        [("open", 40), ("exec and exit", 20), ("network", 15), ("write and close", 15), ("other", 10)];
    assert_eq!(shares, expected);
    for seed in [1, 2, 77] {
        let mut counts = vec![0_u32; MIX.len()];
        let mut stream = Stream::new(seed)?;
        for _ in 0..EVENTS {
            let kind = stream.next().event.kind();
            let share = MIX.iter().position(|(_, _, kinds)| kinds.contains(&kind));
            counts[share.expect("every event belongs to a share")] += 1;
        }
        for ((name, percent), count) in expected.iter().zip(&counts) {
            // Five times the deviation that chance allows.
            let off =
                (f64::from(*count) / f64::from(EVENTS) * 100.0 - f64::from(u32::try_from(*percent)?)).abs();
            assert!(off < 1.8, "{name}: {count} of {EVENTS}, seed {seed}");
        }
    }
    Ok(())
}

#[test]
fn what_is_recorded_has_events_of_every_share() -> Result<(), Failure> {
    let mut stream = Stream::new(1)?;
    for (share, (_, name, kinds)) in MIX.iter().enumerate() {
        let some: Vec<_> = (0..200).map(|_| stream.of(share)).collect();
        assert!(some.iter().all(|event| kinds.contains(&event.event.kind())), "{name}");
        let mut different: Vec<_> =
            some.iter().map(|event| event.process.as_ref().map(|one| one.key.start_ns)).collect();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() >= 5, "{name}: {} processes", different.len());
    }
    Ok(())
}
