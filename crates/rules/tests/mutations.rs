//! What the fuzzer does, bounded and without its compiler: rule files that are nearly right. The full length is for
//! machines with time: `SENTINEL_MUTATIONS=1000000 cargo test --release -p sentinel-rules --test mutations`.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of a test are part of it"
)]

use std::time::{Duration, Instant};

use sentinel_rules::{
    builtin,
    language::{
        RuleSet,
        eval::{Engine, Selection, widenings},
        parse_condition,
    },
};

/// Without a word from outside.
const MUTATIONS: u32 = 400;
/// No text as short as these may take longer, on a loaded machine without optimization.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a grammar trips over.
const PIECES: &[&[u8]] = &[
    b"'",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"((((((((",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b": ",
    b"\n",
    b"\n- ",
    b"&a ",
    b"*a",
    b" and ",
    b" or ",
    b" not ",
    b" in (",
    b" pmatch ",
    b"val(",
    b"getopt(",
    b"%",
    b"%10",
    b"~",
    b"\0",
    b"\xff",
    b"0x",
    b"-1",
    b"99999999999999999999",
    b"override: {condition: append}",
    b"exceptions: ",
    b"threshold: {at: 1}",
    b"append: true",
    b"evt.type",
    b"fd.name",
    b"proc.aname[",
    b"oneof ",
    b"regex \"(\"",
    b"<<: *a",
    b"---\n",
];

/// xorshift: the same changes on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % end.max(1)
    }

    /// A part of a text.
    fn part(&mut self, text: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(text.len());
        let most = if self.below(4) == 0 { text.len() } else { 24 };
        let length = self.below(most);
        start..(start + length).min(text.len())
    }

    fn change(&mut self, text: &mut Vec<u8>, other: &[u8]) {
        let place = self.below(text.len() + 1);
        match self.below(6) {
            0 => drop(text.drain(self.part(&text.clone()))),
            1 => drop(text.splice(place..place, PIECES[self.below(PIECES.len())].iter().copied())),
            2 => drop(text.splice(place..place, other[self.part(other)].to_vec())),
            3 => {
                let copied = text[self.part(&text.clone())].to_vec();
                drop(text.splice(place..place, copied));
            }
            4 if place < text.len() => text[place] ^= 1 << self.below(8),
            _ => text.truncate(place),
        }
    }
}

/// All that is done with a text; nothing of it may panic.
fn digest(text: &[u8]) {
    if let Ok(expr) = parse_condition(text) {
        let _ = parse_condition(expr.canonical());
    }
    let text = String::from_utf8_lossy(text);
    let (report, set) = RuleSet::load(&[("mutation", &text)]);
    assert_eq!(report.successful, set.is_some());
    let _ = report.to_string();
    if let Some(set) = set {
        for rule in &set.rules {
            let _ = (rule.condition.canonical(), widenings(rule));
        }
        let _ = Engine::new(set, &Selection::default()).file_interest();
    }
}

#[test]
fn files_that_are_nearly_right_are_read_or_refused_in_time() {
    let shipped = builtin::FILES.iter().map(|(_, text)| text.as_bytes());
    // Whole shipped files take long; their beginnings have everything in them.
    let shipped = shipped.map(|text| &text[..text.len().min(6000)]);
    let mut seeds: Vec<&[u8]> = shipped.collect();
    seeds.extend([
        &include_bytes!("../fuzz/seeds/rules.yaml")[..],
        include_bytes!("../fuzz/seeds/condition"),
        include_bytes!("../fuzz/seeds/transformers"),
    ]);
    let wanted = std::env::var("SENTINEL_MUTATIONS").map(|count| count.parse().expect("a number"));
    let mut random = Random(0x5eed_5eed_5eed_5eed);
    for _ in 0..wanted.unwrap_or(MUTATIONS) {
        let mut text = seeds[random.below(seeds.len())].to_vec();
        let other = seeds[random.below(seeds.len())];
        for _ in 0..=random.below(4) {
            random.change(&mut text, other);
        }
        let started = Instant::now();
        digest(&text);
        assert!(
            started.elapsed() < PATIENCE,
            "{:?} for {}",
            started.elapsed(),
            String::from_utf8_lossy(&text)
        );
    }
}
