//! What an event says about its program's habits.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash};

use rustc_hash::FxHasher;
use sentinel_wire::v1::EventEnvelope;

use super::class;

/// One item in its context: "of all files that nginx reads, those in /etc".
#[derive(Debug, PartialEq)]
pub(super) struct Habit {
    pub(super) context: u64,
    pub(super) item: u64,
    /// What was done, for people.
    what: String,
    /// Among what, for people.
    among: String,
}

impl Habit {
    fn new(sort: u8, context: impl Hash, item: impl Hash, what: String, among: String) -> Self {
        let context = hash((sort, context));
        Self { context, item: hash((context, item)), what, among }
    }

    /// The key that counts how often something new came in this context.
    pub(super) fn news(&self) -> u64 {
        hash((self.context, "news"))
    }

    /// The surprise in words.
    pub(super) fn told(&self, seen: f64, all: f64, bits: f64) -> String {
        let before = if seen < 0.5 { "never seen".to_owned() } else { format!("seen {seen:.0} times") };
        format!("{}: {before} among {all:.0} {} ({bits:.1} bits)", self.what, self.among)
    }
}

/// Stable from run to run: checkpoints hold these.
fn hash(value: impl Hash) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(value)
}

/// The habits that an event is an instance of. None for kinds that say nothing of a program.
pub(super) fn of(event: &EventEnvelope) -> Vec<Habit> {
    let data = |key: &str| event.data.get(key).map(String::as_str).unwrap_or_default();
    let around = |key: &str| event.attributes.get(key).map(String::as_str).unwrap_or_default();
    let kind = event.event_type.as_str();
    if matches!(kind, "loss" | "canary" | "exit" | "fork") {
        return Vec::new();
    }
    let first =
        |texts: [&str; 3]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned();
    let program = match kind {
        "exec" => first([data("exe"), data("filename"), data("comm")]),
        _ => first([around("proc.exepath"), around("proc.name"), data("comm")]),
    };
    if program.is_empty() {
        return Vec::new();
    }
    // The same program in two images has two lives; two nodes may well have one.
    let image = around("container.image.repository");
    let (program, place) =
        (program.as_str(), if image.is_empty() { String::new() } else { format!(" in {image}") });
    let who = (image, program);
    let mut habits = Vec::new();
    if kind == "exec" {
        let parent = first([around("proc.pexepath"), around("proc.pname"), ""]);
        let what = format!("{parent} starts {program}{place}");
        habits.push(Habit::new(
            1,
            (image, &parent),
            program,
            what.clone(),
            format!("programs that {parent} started"),
        ));
        habits.push(Habit::new(2, who, &parent, what, format!("starts of {program}")));
        return habits;
    }
    let verb = kind.replace('_', " ");
    habits.push(Habit::new(
        3,
        who,
        kind,
        format!("{program}{place}: {verb}"),
        format!("events of {program}"),
    ));
    let target = match (data("peer_ip"), data("filename")) {
        ("", "") => String::new(),
        ("", file) => class::path(file),
        (ip, _) => class::peer(ip, data("peer_port")),
    };
    if !target.is_empty() {
        let what = format!("{program}{place}: {verb} {target}");
        habits.push(Habit::new(4, (who, kind), &target, what, format!("{verb} events of {program}")));
    }
    habits
}
