//! Medians and minima of samples.

use serde::Serialize;

/// What a set of samples comes to, in the samples' unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// Half of the samples are not above it.
    pub(crate) median: f64,
    /// The least disturbed sample.
    pub(crate) min: f64,
    /// The middle half of the samples lies in a range this wide: differences below it mean little.
    pub(crate) spread: f64,
}

impl Summary {
    /// Sums up `samples`; none when there are none.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
        let quarter = sorted.len() / 4;
        let spread = sorted.get(sorted.len() - 1 - quarter)? - sorted.get(quarter)?;
        Some(Self { median: f64::midpoint(lower, upper), min: *sorted.first()?, spread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_in_any_order_are_summed_up() {
        let check = |samples: &[f64], median, min, spread| {
            assert_eq!(Summary::of(samples), Some(Summary { median, min, spread }), "{samples:?}");
        };
        check(&[7.0], 7.0, 7.0, 0.0);
        check(&[9.0, 1.0, 2.0], 2.0, 1.0, 8.0);
        check(&[4.0, 1.0, 2.0, 9.0], 3.0, 1.0, 2.0);
        check(&[1.0, 2.0, 3.0, 4.0, 1000.0], 3.0, 1.0, 2.0);
        assert_eq!(Summary::of(&[]), None);
    }
}
