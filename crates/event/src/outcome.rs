//! How calls end.

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its result is not negative.
    Succeeded,
    /// It goes on without the caller (`EINPROGRESS`).
    UnderWay,
    /// Any other error.
    Failed,
}

impl Outcome {
    /// Every one, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::UnderWay, Self::Failed];

    /// That of a call with this result (`head.result`).
    #[must_use]
    pub fn of(result: i64) -> Self {
        match result {
            0.. => Self::Succeeded,
            _ if result == -i64::from(libc::EINPROGRESS) => Self::UnderWay,
            _ => Self::Failed,
        }
    }

    /// As `rules explain` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::UnderWay => "under way",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_outcomes() {
        let outcomes = [0, 7, -115, -1, i64::MIN].map(Outcome::of);
        use Outcome::{Failed, Succeeded, UnderWay};
        assert_eq!(outcomes, [Succeeded, Succeeded, UnderWay, Failed, Failed]);
    }
}
