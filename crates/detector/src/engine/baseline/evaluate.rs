//! How well the engine finds attacks in a recording, and how often it alarms without one.
//!
//! The first part of the time is learned; in the rest everything is judged and learned as it comes, as in operation, but for
//! attacks: each is judged as if it were the first. Attacks are what `sentinel-simulate run NAME` and its descendants did; its
//! benign twins (`--benign`) are harmless by definition, and make the simulator a program that is known.

mod label;

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use sentinel_wire::{
    Event, Events,
    evt1::{Item, Reader},
};
use serde::Serialize;

use self::label::Labels;
use super::{CERTAIN, model::Model, sketch::Sketch};

/// What is judged as one: a window of this length, nanoseconds, against one attack.
const WINDOW: u64 = 10_000_000_000;
const HOUR: f64 = 3.6e12;

/// What came of an evaluation.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluation {
    /// Events that were learned before judging began.
    pub(crate) learned_events: u64,
    pub(crate) learned_hours: f64,
    /// Harmless events that were judged.
    pub(crate) judged_events: u64,
    pub(crate) judged_hours: f64,
    /// From which score on there is an alarm.
    pub(crate) threshold: f64,
    /// Chance that an attack looks stranger than ten harmless seconds of the whole recording.
    pub(crate) roc_auc: f64,
    pub(crate) false_alarms_per_hour: f64,
    pub(crate) attacks_found: usize,
    pub(crate) attacks: Vec<Told>,
    pub(crate) false_alarms: Vec<Told>,
}

/// An attack or a false alarm.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Told {
    /// The attack's name, or what set the alarm off.
    pub(crate) name: String,
    pub(crate) bits: f64,
    pub(crate) reason: String,
}

/// Reads the recordings, in this order, and evaluates. `learn` is the share of the time that is learned; without `twins` what
/// those did is passed over.
///
/// # Errors
/// A recording cannot be read, or there is nothing in it to judge.
pub(crate) fn evaluate(files: &[PathBuf], learn: f64, threshold: f64, twins: bool) -> io::Result<Evaluation> {
    let (mut first, mut last) = (u64::MAX, 0);
    read(files, |event| {
        first = first.min(event.ts_unix_nano());
        last = last.max(event.ts_unix_nano());
    })?;
    let span = last.saturating_sub(first);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of what fits")]
    let begin = first.saturating_add((span as f64 * learn) as u64);
    let mut trial = Trial {
        model: Model::new(Sketch::new()),
        labels: Labels::default(),
        twins,
        begin,
        least: threshold * CERTAIN,
        learned: 0,
        judged: 0,
        windows: BTreeMap::new(),
        attacks: BTreeMap::new(),
        alarms: Vec::new(),
    };
    read(files, |event| trial.one(event))?;
    let judged = last.saturating_sub(begin);
    trial.result(judged, (begin.saturating_sub(first) as f64) / HOUR, threshold)
}

fn read(files: &[PathBuf], mut each: impl FnMut(Event<'_>)) -> io::Result<()> {
    for path in files {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut reader = open(path).map_err(named)?;
        // What is damaged costs itself, as everywhere.
        while let Some(item) = reader.next_event().map_err(named)? {
            if let Item::Record(event) = item {
                Events::of(&[event]).iter().for_each(&mut each);
            }
        }
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<Reader<File>> {
    Reader::new(File::open(path)?)
}

struct Trial {
    model: Model,
    labels: Labels,
    twins: bool,
    /// When judging begins.
    begin: u64,
    /// Bits of an alarm.
    least: f64,
    learned: u64,
    judged: u64,
    /// Of each harmless window, the greatest surprise.
    windows: BTreeMap<u64, f64>,
    attacks: BTreeMap<String, Told>,
    alarms: Vec<Told>,
}

impl Trial {
    fn one(&mut self, event: Event<'_>) {
        let attack = match self.labels.of(event) {
            Some(None) if !self.twins => return,
            label => label.flatten(),
        };
        let time = event.ts_unix_nano();
        if time < self.begin {
            if attack.is_none() {
                self.learned += 1;
                self.model.see(event, f64::INFINITY);
            }
            return;
        }
        let Some(name) = attack else {
            self.judged += 1;
            let opinion = self.model.see(event, self.least);
            let window = self.windows.entry((time - self.begin) / WINDOW).or_default();
            *window = window.max(opinion.bits);
            if opinion.bits >= self.least && self.model.is_news(opinion.key, time) {
                let reason = opinion.reasons.join("; ");
                self.alarms.push(Told { name: event.event_type().to_owned(), bits: opinion.bits, reason });
            }
            return;
        };
        let opinion = self.model.weigh(event, 0.0, false);
        let told = self.attacks.entry(name.clone()).or_insert_with(|| Told { name, ..Told::default() });
        if opinion.bits > told.bits {
            (told.bits, told.reason) = (opinion.bits, opinion.reasons.join("; "));
        }
    }

    fn result(self, judged_ns: u64, learned_hours: f64, threshold: f64) -> io::Result<Evaluation> {
        // Windows in which nothing happened are windows, too.
        let harmless: Vec<f64> = (0..=judged_ns / WINDOW)
            .map(|window| self.windows.get(&window).copied().unwrap_or_default())
            .collect();
        let mut attacks: Vec<Told> = self.attacks.into_values().collect();
        if attacks.is_empty() || self.judged == 0 {
            let what =
                "nothing to judge: expected harmless events and runs of sentinel-simulate in the last part";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        attacks.sort_by(|a, b| a.bits.total_cmp(&b.bits));
        let mut false_alarms = self.alarms;
        false_alarms.sort_by(|a, b| b.bits.total_cmp(&a.bits));
        let judged_hours = judged_ns as f64 / HOUR;
        Ok(Evaluation {
            learned_events: self.learned,
            learned_hours,
            judged_events: self.judged,
            judged_hours,
            threshold,
            roc_auc: auc(&attacks, &harmless),
            false_alarms_per_hour: false_alarms.len() as f64 / judged_hours,
            attacks_found: attacks.iter().filter(|attack| attack.bits >= self.least).count(),
            attacks,
            false_alarms,
        })
    }
}

/// The area under the curve: of all pairs, those in which the attack is ahead; a tie is half a pair.
fn auc(attacks: &[Told], harmless: &[f64]) -> f64 {
    let ahead = |attack: &Told| -> f64 {
        harmless
            .iter()
            .map(|bits| {
                if attack.bits > *bits {
                    1.0
                } else if attack.bits < *bits {
                    0.0
                } else {
                    0.5
                }
            })
            .sum()
    };
    attacks.iter().map(ahead).sum::<f64>() / (attacks.len() * harmless.len()) as f64
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "learned   {} events of {:.2} hours", self.learned_events, self.learned_hours)?;
        writeln!(f, "judged    {} harmless events of {:.2} hours", self.judged_events, self.judged_hours)?;
        writeln!(f, "ROC-AUC   {:.4} (an attack against ten harmless seconds)", self.roc_auc)?;
        writeln!(f, "threshold {:.2}: {:.1} bits", self.threshold, self.threshold * CERTAIN)?;
        let (alarms, rate) = (self.false_alarms.len(), self.false_alarms_per_hour);
        writeln!(f, "  false alarms   {alarms}, {rate:.2} an hour")?;
        writeln!(f, "  attacks found  {} of {}", self.attacks_found, self.attacks.len())?;
        for (title, told) in
            [("attacks, the least strange first", &self.attacks), ("false alarms", &self.false_alarms)]
        {
            writeln!(f, "\n{title}:")?;
            for Told { name, bits, reason } in told {
                writeln!(f, "  {bits:5.1} bits  {name}: {reason}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
