use proptest::prelude::*;
use sentinel_event::{Event, Exit, FileIo, Head, Path};

use super::*;

const TEE: ProcessKey = ProcessKey { tgid: 50, start_ns: 123_456_789 };

fn write(process: ProcessKey, path: &str, bytes: u64) -> Observation {
    let io = FileIo { path: Path::from(path), bytes, calls: 1, ..FileIo::default() };
    let head = Head { process, ..Head::default() };
    Observation {
        event: Event { head, body: Body::FileWrite(io) },
        process: None,
        ancestors: Default::default(),
        container_id: None,
        workload: None,
    }
}

fn fold() -> Fold {
    let mut fold = Fold::default();
    fold.set_consumers(vec![Consumer { tgid: 50, start_ticks: 12, pid_ns: 0 }]);
    fold
}

fn sums(out: &[Out]) -> Vec<(u64, u64, u64)> {
    out.iter()
        .map(|(observation, folded)| match &observation.event.body {
            Body::FileWrite(io) => (io.bytes, io.calls, *folded),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn others_pass() {
    let (mut fold, now) = (fold(), Instant::now());
    let reused = ProcessKey { tgid: 50, start_ns: 999_000_000_000 };
    for process in [ProcessKey { tgid: 51, ..TEE }, reused] {
        for _ in 0..3 {
            assert!(matches!(fold.offer(write(process, "/x", 1), now, &mut Vec::new()), Offer::Pass(_)));
        }
    }
    let mut exit = write(TEE, "", 0);
    exit.event.body = Body::Exit(Exit::default());
    for _ in 0..3 {
        assert!(
            matches!(fold.offer(exit.clone(), now, &mut Vec::new()), Offer::Pass(_)),
            "only files are folded"
        );
    }
}

#[test]
fn one_event_passes_and_the_rest_of_ten_seconds_is_one_sum() {
    let (mut fold, now) = (fold(), Instant::now());
    let mut out = Vec::new();
    assert!(matches!(fold.offer(write(TEE, "/log", 7), now, &mut out), Offer::Pass(_)));
    assert_eq!(fold.offer(write(TEE, "/log", 10), now, &mut out), Offer::Held);
    assert_eq!(fold.offer(write(TEE, "/log", 20), now, &mut out), Offer::Folded);
    assert_eq!(fold.offer(write(TEE, "/log", 30), now, &mut out), Offer::Folded);
    fold.due(now + WINDOW / 2, &mut out);
    assert_eq!(out, []);
    fold.due(now + WINDOW, &mut out);
    assert_eq!(sums(&out), [(60, 3, 2)]);

    // The next window begins where this one ended, and an idle one ends the matter.
    out.clear();
    assert_eq!(fold.offer(write(TEE, "/log", 1), now + WINDOW, &mut out), Offer::Held);
    fold.due(now + WINDOW * 2, &mut out);
    fold.due(now + WINDOW * 3, &mut out);
    assert_eq!(sums(&out), [(1, 1, 0)]);
    assert!(fold.sums.is_empty());
}

#[test]
fn a_feedback_loop_dies_out() {
    // Every event that leaves makes the consumer write once more.
    let (mut fold, start) = (fold(), Instant::now());
    let (mut left, mut out) = (0_u32, Vec::new());
    let mut pending = 1;
    for second in 0..100 {
        let now = start + Duration::from_secs(second);
        for _ in 0..std::mem::take(&mut pending) {
            if let Offer::Pass(_) = fold.offer(write(TEE, "/log", 1), now, &mut out) {
                pending += 1;
            }
        }
        fold.due(now, &mut out);
        pending += out.len();
        left += u32::try_from(out.drain(..).count()).unwrap();
    }
    assert!(left <= 10, "one every ten seconds: {left}");
}

#[test]
fn a_full_table_lets_the_oldest_out() {
    let (mut fold, now) = (fold(), Instant::now());
    let mut out = Vec::new();
    for at in 0..MOST {
        let path = format!("/{at}");
        let late = now + Duration::from_nanos(u64::try_from(at).unwrap());
        assert!(matches!(fold.offer(write(TEE, &path, 1), late, &mut out), Offer::Pass(_)));
        assert_eq!(fold.offer(write(TEE, &path, 5), late, &mut out), Offer::Held);
    }
    assert_eq!(out, []);
    assert!(matches!(fold.offer(write(TEE, "/one more", 1), now, &mut out), Offer::Pass(_)));
    assert_eq!(sums(&out), [(5, 1, 0)]);
    assert_eq!(fold.sums.len(), MOST);
}

proptest! {
    #[test]
    fn sums_are_exact(writes in prop::collection::vec((0_u8..3, 0_u64..1000, 0_u64..5), 0..60)) {
        let (mut fold, mut now) = (fold(), Instant::now());
        let (mut out, mut folded) = (Vec::new(), 0);
        for (path, bytes, seconds) in &writes {
            now += Duration::from_secs(*seconds);
            match fold.offer(write(TEE, &path.to_string(), *bytes), now, &mut out) {
                Offer::Pass(observation) => out.push((observation, 0)),
                Offer::Held => {}
                Offer::Folded => folded += 1,
            }
            fold.due(now, &mut out);
        }
        fold.drain(&mut out);
        let (bytes, calls, carried) = sums(&out).iter().fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        prop_assert_eq!(bytes, writes.iter().map(|write| write.1).sum::<u64>());
        prop_assert_eq!(calls, writes.len() as u64);
        prop_assert_eq!(carried, folded);
        prop_assert_eq!(out.len() as u64 + folded, writes.len() as u64);
    }
}
