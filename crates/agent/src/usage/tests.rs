#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn the_first_look_tells_nothing_and_the_second_the_node_first() {
    let (mut usage, registry) = (Usage::new(), Registry::default());
    let first = usage.look(&registry);
    assert_eq!((first.period, first.cgroups.len()), (Duration::ZERO, 0));
    assert!(first.cpus > 0);
    let begin = Instant::now();
    // More than a tick of the kernel's clock, in which it counts.
    while begin.elapsed() < Duration::from_millis(60) {
        std::hint::spin_loop();
    }
    let second = usage.look(&registry);
    let node = second.cgroups.first().unwrap();
    assert_eq!(node.path, "/");
    assert!(node.cpu_ns > 0 && second.period >= Duration::from_millis(60), "{second:?}");
    let most = u128::from(second.cpus) * (second.period.as_nanos() + 100_000_000);
    assert!(u128::from(node.cpu_ns) <= most, "{second:?}");
    assert!(second.cgroups.len() <= TOLD + 1);
}

#[test]
fn a_counter_that_began_anew_counts_from_nothing() {
    let counts = |cpu_ns, received| Counts { cpu_ns, received, sent: 0 };
    assert_eq!(counts(7, 9).since(counts(5, 9)), counts(2, 0));
    assert_eq!(counts(7, 9).since(counts(8, 10)), counts(7, 9));
}
