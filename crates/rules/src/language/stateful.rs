//! What rules remember: how often something happened, and what happened before.
//!
//! The keys `threshold` and `sequence` of a rule are Sentinel's own. `docs/rules-stateful.md` tells their users
//! what they mean; how they are evaluated is in `eval::state`.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

use super::condition::{Condition, Term};

/// The rule fires when its condition has held often enough within a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Counts different values of this; events where it is none.
    pub distinct: Option<Key>,
    /// Fires at so many, from 1 to [`AT_MAX`].
    pub at: usize,
    /// The time, in nanoseconds.
    pub within_ns: u64,
    /// After it fired, events of the same key do not count for so long, in nanoseconds; 0: they do at once.
    pub quiet_ns: u64,
    /// Counts apart for each value of these.
    pub by: Vec<Key>,
}

/// The rule fires when its steps have happened in their order within a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Time from the first to the last step, in nanoseconds.
    pub maxspan_ns: u64,
    /// What happens, from 2 to [`STEPS_MAX`].
    pub steps: Vec<Step>,
}

/// One step of a [`Sequence`].
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What must hold besides the rule's own condition.
    pub condition: Condition,
    /// The values that all steps must have in common.
    pub by: Vec<Key>,
}

/// What events are told apart by: a field, or a transformer of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// What is computed.
    pub term: Term,
    /// Its canonical spelling.
    pub text: String,
}

/// The most that a threshold may count to.
pub const AT_MAX: usize = 1000;
/// The most steps that a sequence may have.
pub const STEPS_MAX: usize = 8;
/// The most fields that `by` may name.
pub const BY_MAX: usize = 8;
/// The longest time, nanoseconds: a day.
pub const SPAN_MAX_NS: u64 = 24 * 3600 * SECOND;

const SECOND: u64 = 1_000_000_000;
/// Units of time, nanoseconds, the longest first.
const UNITS: &[(&str, u64)] =
    &[("h", 3600 * SECOND), ("m", 60 * SECOND), ("s", SECOND), ("ms", SECOND / 1000)];

/// Reads `500ms`, `10s`, `2m`, `1h`: nanoseconds.
pub(super) fn span(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    let ns = number.parse::<u64>().ok()?.checked_mul(*scale)?;
    (1..=SPAN_MAX_NS).contains(&ns).then_some(ns)
}

/// The canonical form of a time.
fn spelled(ns: u64) -> String {
    let unit = UNITS.iter().find(|(_, scale)| ns.is_multiple_of(*scale));
    unit.map_or_else(|| format!("{ns}ns"), |(name, scale)| format!("{}{name}", ns / scale))
}

fn by(keys: &[Key], out: &mut String) -> fmt::Result {
    for (at, key) in keys.iter().enumerate() {
        write!(out, "{}{}", if at == 0 { " by " } else { ", " }, key.text)?;
    }
    Ok(())
}

impl Threshold {
    /// One line: `5 distinct fd.sport within 10s by proc.pid`.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        let _ = match &self.distinct {
            Some(key) => write!(text, "{} distinct {}", self.at, key.text),
            None => write!(text, "{} events", self.at),
        };
        let _ = write!(text, " within {}", spelled(self.within_ns));
        let _ = by(&self.by, &mut text);
        if self.quiet_ns > 0 {
            let _ = write!(text, ", then quiet for {}", spelled(self.quiet_ns));
        }
        text
    }
}

impl Sequence {
    /// One line: `within 30s: [condition] by proc.pid then [condition] by proc.ppid`.
    pub fn canonical(&self) -> String {
        let mut text = format!("within {}:", spelled(self.maxspan_ns));
        for (at, step) in self.steps.iter().enumerate() {
            let _ = write!(text, "{} [{}]", if at == 0 { "" } else { " then" }, step.condition.canonical());
            let _ = by(&step.by, &mut text);
        }
        text
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.canonical())
    }
}

impl Serialize for Sequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        for (text, ns) in [
            ("10s", Some(10 * SECOND)),
            ("500ms", Some(SECOND / 2)),
            ("2 m", Some(120 * SECOND)),
            ("24h", Some(SPAN_MAX_NS)),
            ("25h", None),
            ("0s", None),
            ("10", None),
            ("s", None),
            ("", None),
            ("10 days", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(span(text), ns, "{text}");
        }
        assert_eq!(
            ["90s", "120s", "1500ms", "1h"].map(|text| spelled(span(text).unwrap())),
            ["90s", "2m", "1500ms", "1h"]
        );
    }
}
