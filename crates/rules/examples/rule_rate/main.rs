//! How long rules take: nanoseconds an event over a recording of a usual mix, expanded by a seed.
//!
//! `cargo run --release -p sentinel-rules --example rule_rate -- FILE…`; each file is a rule file. With `--more N`
//! there are N rules more, of the usual shape, with `--events N` as many events (a million), with `--seed N` others.
//!
//! Events are made in batches small enough to stay in the processor's cache, where the agent has them, too, when it
//! judges them. Only the evaluation is timed, each batch three times; the shortest counts, because a machine that
//! does something else meanwhile makes it look slow and never fast. Each share of the mix is timed alone, too.

#![allow(clippy::print_stdout, reason = "it is a program for the terminal")]

mod stream;
mod usual;

use std::time::{Duration, Instant};

use sentinel_event::Observation;
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Memory, Selection},
};

use stream::{MIX, Stream};

const BATCH: usize = 500;
const LOOKS: usize = 3;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut files = Vec::new();
    let (mut more, mut wanted, mut seed) = (0, 1_000_000, 1);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number =
            || -> Result<u32, Failure> { Ok(arguments.next().ok_or("a number is missing")?.parse()?) };
        match argument.as_str() {
            "--more" => more = number()?,
            "--events" => wanted = number()?,
            "--seed" => seed = number()?,
            file => files.push((file.to_owned(), std::fs::read_to_string(file)?)),
        }
    }
    files.push(("more".to_owned(), usual::usual(more)?));
    let names: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (report, set) = RuleSet::load(&names);
    let Some(set) = set else { return Err(report.to_string().into()) };
    let started = Instant::now();
    let engine = Engine::new(set, &Selection::default());
    println!("{} rules, compiled in {:?}", engine.rules().len(), started.elapsed());

    let mut stream = Stream::new(seed.into())?;
    let (per_event, events, alerts) = timed(&engine, wanted, || stream.next())?;
    println!("{per_event} ns an event ({events} events, seed {seed}); {alerts} alerts");
    for (share, (percent, name, _)) in MIX.iter().enumerate() {
        let (per_event, ..) = timed(&engine, wanted / 10, || stream.of(share))?;
        println!("{per_event:>6} ns {name} ({percent} %)");
    }
    Ok(())
}

/// Nanoseconds an event, events, alerts. A function of its own to profilers, so that they tell the shares apart.
#[inline(never)]
fn timed(
    engine: &Engine,
    wanted: u32,
    mut next: impl FnMut() -> Observation,
) -> Result<(u128, u32, u64), Failure> {
    let mut memory = Memory::default();
    let (mut alerts, mut events, mut spent) = (0_u64, 0_u32, Duration::ZERO);
    while events < wanted {
        let batch: Vec<_> = (0..BATCH).map(|_| next()).collect();
        let looks = (0..LOOKS).map(|_| {
            let started = Instant::now();
            for event in &batch {
                engine.evaluate(event, &mut memory, &mut |_| alerts += 1);
            }
            started.elapsed()
        });
        spent += looks.min().unwrap_or_default();
        events += u32::try_from(batch.len())?;
    }
    Ok((spent.as_nanos() / u128::from(events.max(1)), events, alerts / LOOKS as u64))
}
