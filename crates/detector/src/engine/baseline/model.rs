//! What was learned, and how much an event surprises whoever learned it.

use std::collections::HashMap;

use sentinel_wire::Event;

use super::{
    act::{Act, hash},
    class,
    habit::{self, Habit, Known},
    recent::Recent,
    sketch::Sketch,
};

/// Share of the lesser surprises that is added to the greatest, and how many count.
const LESSER: (f64, usize) = (0.25, 5);
/// A program is known once so many of its processes were seen; one that runs for long counts once an hour.
const KNOWN: f64 = 3.0;
/// Nanoseconds.
const HOUR: u64 = 3_600_000_000_000;
/// How long the same surprise is not told again: nanoseconds.
const QUIET: u64 = HOUR;
/// Surprises that are remembered for that.
pub(super) const TOLD: usize = 8192;

/// What was learned.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) sketch: Sketch,
    recent: Recent,
    /// Surprises that were told, and when.
    pub(super) told: HashMap<u64, u64>,
}

/// How an event looks to the model.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Opinion {
    /// Bits of surprise.
    pub(crate) bits: f64,
    /// The greatest first, in words.
    pub(crate) reasons: Vec<String>,
    /// Names the greatest.
    pub(crate) key: u64,
}

/// One surprise: bits, its habit's place, known items, and how often the next was seen among how many.
struct Surprise {
    bits: f64,
    habit: usize,
    depth: usize,
    seen: f64,
    all: f64,
}

impl Model {
    pub(super) fn new(sketch: Sketch) -> Self {
        Self { sketch, recent: Recent::default(), told: HashMap::new() }
    }

    /// Weighs an event, then learns it.
    pub(super) fn see(&mut self, event: Event<'_>, bits: f64) -> Opinion {
        self.weigh(event, bits, true)
    }

    /// Weighs an event, and learns it if it is to. Reasons are told from `bits` on: words cost more than numbers.
    pub(super) fn weigh(&mut self, event: Event<'_>, bits: f64, learn: bool) -> Opinion {
        let Some(act) = Act::of(event) else { return Opinion::default() };
        self.sketch.pass_to(event.ts_unix_nano());
        let (program, parent) = (class::path(act.program), class::path(act.parent));
        let processes = habit::processes(act.image, &program);
        let known = |class: &String| self.sketch.get(habit::processes(act.image, class)) >= KNOWN;
        let known = Known {
            program: Some(program.clone()).filter(&known),
            parent: Some(parent.clone()).filter(&known),
        };
        let mut habits = habit::of(&act, &program, &parent, &known);
        // A process that reads a thousand files of a sort has one habit, not a thousand.
        habits.retain(|habit| self.recent.is_new(hash((act.process, habit.key()))));
        let mut surprises: Vec<Surprise> =
            habits.iter().enumerate().filter_map(|(place, habit)| self.surprise(place, habit)).collect();
        if learn {
            habits.iter().for_each(|habit| self.learn(habit));
            if known.program.is_none() {
                // Its own habits must be there on the day that it is known.
                let own = Known { program: Some(program.clone()), parent: known.parent.clone() };
                let mut own = habit::of(&act, &program, &parent, &own);
                own.retain(|habit| self.recent.is_new(hash((act.process, habit.key()))));
                own.iter().for_each(|habit| self.learn(habit));
            }
        }
        if learn && self.recent.is_new(hash((act.process, processes, event.ts_unix_nano() / HOUR))) {
            self.sketch.add(processes);
        }
        surprises.sort_by(|a, b| b.bits.total_cmp(&a.bits));
        surprises.truncate(LESSER.1 + 1);
        let mut opinion = Opinion::default();
        let Some(greatest) = surprises.first() else { return opinion };
        opinion.bits = greatest.bits + LESSER.0 * surprises.iter().skip(1).map(|one| one.bits).sum::<f64>();
        opinion.key = habits
            .get(greatest.habit)
            .and_then(|habit| habit.items.get(greatest.depth))
            .map_or(0, |key| *key);
        if opinion.bits >= bits {
            let told = surprises.iter().take(3).filter_map(|one| {
                let Surprise { bits, habit, depth, seen, all } = *one;
                Some(habits.get(habit)?.told(&act, known.program.is_some(), depth, seen, all, bits))
            });
            opinion.reasons = told.collect();
        }
        opinion
    }

    /// The greatest surprise among the items up to the first that is new: what is in something new is new as well.
    fn surprise(&self, place: usize, habit: &Habit) -> Option<Surprise> {
        let (mut context, mut greatest) = (habit.context, None::<Surprise>);
        for (depth, item) in habit.items.iter().enumerate() {
            let (seen, all) = (self.sketch.get(*item), self.sketch.get(context));
            if all < 0.5 {
                break;
            }
            // Where new things come all the time, what came once is no rarer than they are.
            let likely = seen.max(self.sketch.get(Habit::news(context)));
            // What was seen before is known, however rare it is.
            let bits = ((all + 2.0) / (likely + 0.5)).log2().max(0.0) / (1.0 + seen.round());
            if greatest.as_ref().is_none_or(|greatest| bits > greatest.bits) {
                greatest = Some(Surprise { bits, habit: place, depth, seen, all });
            }
            if seen < 0.5 {
                break;
            }
            context = *item;
        }
        greatest
    }

    fn learn(&mut self, habit: &Habit) {
        let mut context = habit.context;
        self.sketch.add(context);
        for item in &habit.items {
            if self.sketch.get(*item) < 0.5 {
                self.sketch.add(Habit::news(context));
            }
            self.sketch.add(*item);
            context = *item;
        }
    }

    /// True when it was not told lately.
    pub(super) fn is_news(&mut self, surprise: u64, now: u64) -> bool {
        if self.told.get(&surprise).is_some_and(|at| now.saturating_sub(*at) < QUIET) {
            return false;
        }
        if self.told.len() >= TOLD {
            self.told.retain(|_, at| now.saturating_sub(*at) < QUIET);
        }
        if self.told.len() >= TOLD {
            self.told.clear();
        }
        self.told.insert(surprise, now);
        true
    }
}
