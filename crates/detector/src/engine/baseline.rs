//! What is normal, learned as events come; what is rare is told, with the reason.
//!
//! No training phase: every event is first weighed and then learned. For each program (in an image, if it has one)
//! the model counts what it does, where, with whom and who starts it. How surprising an item is follows from how
//! often it was seen among all of its context: log2(context / item), in bits. For one that was never seen the
//! chance of something new stands in its place, so that programs which always do new things do not alarm. A
//! context that is hardly known surprises with hardly anything: that is the whole warm-up.
//!
//! The counts are in a count-min sketch of fixed size, with decay: old habits fade.

mod checkpoint;
mod class;
mod habit;
mod sketch;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sentinel_wire::v1::EventEnvelope;
use tracing::{info, warn};

use self::{habit::Habit, sketch::Sketch};
use super::{Engine, Finding, Findings};
use crate::config;

/// Bits that are certain: score 1.
const CERTAIN: f64 = 20.0;
/// Share of the lesser surprises that is added to the greatest.
const LESSER: f64 = 0.25;
/// How long the same surprise is not told again: nanoseconds.
const QUIET: u64 = 3_600_000_000_000;
/// Surprises that are remembered for that.
const TOLD: usize = 8192;

/// The engine `baseline`.
pub(crate) struct Baseline {
    model: Mutex<Model>,
    threshold: f64,
    path: Option<PathBuf>,
}

/// What was learned.
#[derive(Debug)]
struct Model {
    sketch: Sketch,
    /// Surprises that were told, and when.
    told: HashMap<u64, u64>,
}

/// How an event looks to the model.
#[derive(Debug, Default, PartialEq)]
struct Opinion {
    bits: f64,
    /// The greatest surprise first.
    surprises: Vec<(f64, String, u64)>,
}

impl Model {
    fn new() -> Self {
        Self { sketch: Sketch::new(), told: HashMap::new() }
    }

    /// Weighs an event, then learns it.
    fn see(&mut self, event: &EventEnvelope) -> Opinion {
        let habits = habit::of(event);
        if habits.is_empty() {
            return Opinion::default();
        }
        self.sketch.pass_to(event.ts_unix_nano);
        let mut opinion = Opinion::default();
        for habit in &habits {
            let (bits, seen, all) = self.surprise(habit);
            if bits > 1.0 {
                opinion.surprises.push((bits, habit.told(seen, all, bits), habit.item));
            }
        }
        habits.iter().for_each(|habit| self.learn(habit));
        opinion.surprises.sort_by(|a, b| b.0.total_cmp(&a.0));
        let greatest = opinion.surprises.first().map_or(0.0, |(bits, ..)| *bits);
        let rest: f64 = opinion.surprises.iter().skip(1).map(|(bits, ..)| bits).sum();
        opinion.bits = greatest + LESSER * rest;
        opinion
    }

    /// Bits of surprise; how often the item was seen, and its context.
    fn surprise(&self, habit: &Habit) -> (f64, f64, f64) {
        let (seen, all) = (self.sketch.get(habit.item), self.sketch.get(habit.context));
        let likely = if seen < 0.5 { self.sketch.get(habit.news()) } else { seen };
        (((all + 2.0) / (likely + 1.0)).log2().max(0.0), seen, all)
    }

    fn learn(&mut self, habit: &Habit) {
        if self.sketch.get(habit.item) < 0.5 {
            self.sketch.add(habit.news());
        }
        self.sketch.add(habit.item);
        self.sketch.add(habit.context);
    }

    /// True when it was not told lately.
    fn is_news(&mut self, surprise: u64, now: u64) -> bool {
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

impl Baseline {
    /// Goes on from the checkpoint, or begins anew.
    pub(crate) fn new(config: &config::Baseline) -> Self {
        let mut model = Model::new();
        let path = Some(config.path.clone()).filter(|path| !path.as_os_str().is_empty());
        match path.as_deref().map(checkpoint::read) {
            None | Some(Ok(None)) => {}
            Some(Ok(Some(sketch))) => model.sketch = sketch,
            Some(Err(error)) => warn!(error, "The baseline's checkpoint cannot be used; it learns anew."),
        }
        Self { model: Mutex::new(model), threshold: config.threshold, path }
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Baseline {
    fn name(&self) -> &'static str {
        "baseline"
    }

    fn judge<'a>(&'a self, events: &'a [EventEnvelope]) -> Findings<'a> {
        let mut model = self.lock();
        let mut findings = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let opinion = model.see(event);
            let score = (opinion.bits / CERTAIN).min(1.0);
            if score < self.threshold {
                continue;
            }
            let Some((_, _, greatest)) = opinion.surprises.first() else { continue };
            if model.is_news(*greatest, event.ts_unix_nano) {
                let reasons: Vec<&str> =
                    opinion.surprises.iter().take(3).map(|(_, told, _)| told.as_str()).collect();
                findings.push(Finding { event: place, reason: reasons.join("; "), score, alert: None });
            }
        }
        drop(model);
        Box::pin(std::future::ready(findings))
    }

    fn save(&self) {
        let Some(path) = &self.path else { return };
        let bytes = checkpoint::bytes(&self.lock().sketch);
        match checkpoint::write(path, &bytes) {
            Ok(()) => info!(path = %path.display(), "Saved what the baseline has learned."),
            Err(error) => warn!(%error, path = %path.display(), "Cannot save what the baseline has learned."),
        }
    }
}

#[cfg(test)]
mod tests;
