//! How often something may be done, by event time.

/// So many a second, unused ones kept for one second.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: u64,
    left: u64,
    filled_ns: u64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Budget {
    pub(crate) fn new(per_second: u64) -> Self {
        Self { per_second, left: per_second, filled_ns: 0 }
    }

    /// Whether it may be done at `now_ns`; counts it.
    pub(crate) fn take(&mut self, now_ns: u64) -> bool {
        if now_ns.saturating_sub(self.filled_ns) >= SECOND_NS {
            self.left = self.per_second;
            self.filled_ns = now_ns;
        }
        let granted = self.left > 0;
        self.left = self.left.saturating_sub(1);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_its_share_is_granted_a_second() {
        let mut budget = Budget::new(2);
        let granted: Vec<bool> = [5, 6, 7, 8].map(|s| budget.take(SECOND_NS + s)).to_vec();
        assert_eq!(granted, [true, true, false, false]);
        assert!(budget.take(2 * SECOND_NS + 5));
    }
}
