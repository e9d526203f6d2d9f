//! How long `observe` takes, by mix of events: `cargo run --release -p sentinel-enrich --example throughput`.

use std::time::{Duration, Instant};

use sentinel_enrich::{Enricher, Options, ProcSource};
use sentinel_event::{Body, Event, Exec, Exit, Fork, Head, Listen, Observation, ProcessKey};

fn key(tgid: u32) -> ProcessKey {
    ProcessKey { tgid, start_ns: u64::from(tgid) << 20 }
}

fn event(tgid: u32, parent: u32, boot_ns: u64, body: Body) -> Event {
    let head = Head { boot_ns, process: key(tgid), parent: key(parent), tid: tgid, ..Head::default() };
    Event { head, body }
}

fn main() {
    const EVENTS: u32 = 3_000_000;
    for (name, per_process) in [("one process start in 100 events", 100), ("one in 10", 10), ("one in 4", 4)]
    {
        let mut enricher = Enricher::new(&Options::default(), Box::new(ProcSource::new()));
        // Twenty generations above the processes that come and go.
        (1..20).for_each(|tgid| {
            drop(enricher.observe(event(tgid, tgid - 1, 0, Body::Listen(Listen::default()))))
        });
        let exec =
            || Exec { exe: "/usr/bin/program".into(), argv: vec!["program".into(); 4], ..Exec::default() };
        let events = (0..EVENTS).map(|n| {
            let (tgid, step) = (1000 + n / per_process, n % per_process);
            let now_ns = u64::from(n) * 6_667; // 150,000 a second
            match step {
                0 => event(19, 18, now_ns, Body::Fork(Fork { child: key(tgid), child_vpid: tgid })),
                1 => event(tgid, 19, now_ns, Body::Exec(exec())),
                _ if step + 1 == per_process => event(tgid, 19, now_ns, Body::Exit(Exit::default())),
                _ => event(tgid, 19, now_ns, Body::Listen(Listen::default())),
            }
        });
        let (mut spent, mut ancestors, mut events) = (Duration::ZERO, 0, events);
        let mut batch: Vec<Event> = Vec::new();
        let mut out: Vec<Observation> = Vec::new();
        loop {
            batch.extend(events.by_ref().take(256));
            if batch.is_empty() {
                break;
            }
            let start = Instant::now();
            enricher.prepare(&batch);
            out.extend(batch.drain(..).map(|event| enricher.observe(event)));
            ancestors += out.iter().map(|observation| observation.ancestors.len()).sum::<usize>();
            out.clear();
            spent += start.elapsed();
        }
        let each_ns = spent.as_nanos() / u128::from(EVENTS);
        println!("{name}: {each_ns} ns an event, {:?}, {ancestors}", enricher.counters());
    }
}
