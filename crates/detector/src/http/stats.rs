//! `GET /api/stats`: the history, counted.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{Facts, answer, tally::Tally};
use crate::time::now_ms;

const DAY: i64 = 86_400_000; // milliseconds
/// Most buckets of an answer.
const BUCKETS: i64 = 2000;
/// Buckets of an answer, about, unless it is said.
const TYPICAL: i64 = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    from: Option<i64>,
    to: Option<i64>,
    bucket: Option<i64>,
}

/// A time in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    /// Exclusive.
    pub(super) to: i64,
    /// Length of a bucket; they begin at multiples of it.
    pub(super) bucket: i64,
}

impl Parameters {
    fn span(&self, now: i64) -> Result<Span, String> {
        let to = self.to.unwrap_or(now.saturating_add(1));
        let from = self.from.unwrap_or(to.saturating_sub(DAY));
        let length = to.saturating_sub(from);
        if length <= 0 {
            return Err(format!("from: expected a time before to, found {from} and {to}"));
        }
        let bucket = self.bucket.unwrap_or((length / TYPICAL).max(1000));
        if bucket <= 0 || length / bucket > BUCKETS {
            return Err(format!(
                "bucket: expected at least {} ms for this time, found {bucket}",
                (length / BUCKETS).max(1)
            ));
        }
        Ok(Span { from, to, bucket })
    }
}

impl Span {
    /// Where the bucket of a time begins.
    pub(super) fn begin(&self, ms: i64) -> i64 {
        ms - ms.rem_euclid(self.bucket)
    }

    /// Where the buckets begin.
    pub(super) fn begins(&self) -> impl Iterator<Item = i64> {
        let Self { to, bucket, .. } = *self;
        std::iter::successors(Some(self.begin(self.from)), move |begin| begin.checked_add(bucket))
            .take_while(move |begin| *begin < to)
    }
}

pub(super) async fn stats(
    State(facts): State<Facts>,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let span = match query {
        Ok(Query(parameters)) => parameters.span(now_ms()),
        Err(error) => Err(error.body_text()),
    };
    let span = match span {
        Ok(span) => span,
        Err(problem) => return answer::bad_request(&problem),
    };
    let counted = facts.intake.hub.library.ask(move |reader| {
        let mut tally = Tally::new(span);
        reader.each(span.from, span.to, span.bucket, &mut |seen| tally.add(&seen))?;
        Ok(tally)
    });
    match counted.await {
        Ok(tally) => answer::json(StatusCode::OK, tally.json().to_string()),
        Err(error) => answer::store_error(&error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn span(from: Option<i64>, to: Option<i64>, bucket: Option<i64>) -> Result<Span, String> {
        Parameters { from, to, bucket }.span(1_000_000_000)
    }

    #[test]
    fn a_time_has_defaults_and_bounds() {
        let day = Span { from: 1_000_000_001 - DAY, to: 1_000_000_001, bucket: DAY / 60 };
        assert_eq!(span(None, None, None), Ok(day));
        assert!(span(Some(5), Some(5), None).unwrap_err().starts_with("from: "));
        assert!(span(Some(0), Some(10_000), Some(1)).unwrap_err().contains("at least 5 ms"));
        assert!(span(None, None, Some(0)).is_err() && span(None, None, Some(-1)).is_err());
        assert!(span(Some(i64::MIN), Some(i64::MAX), Some(1)).is_err());
    }

    #[test]
    fn buckets_begin_at_multiples_and_cover_the_time() {
        let begins = |from, to, bucket| Span { from, to, bucket }.begins().collect::<Vec<_>>();
        assert_eq!(begins(0, 30, 10), [0, 10, 20]);
        assert_eq!(begins(5, 31, 10), [0, 10, 20, 30]);
        assert_eq!(begins(-5, 5, 10), [-10, 0]);
        assert_eq!(begins(i64::MAX - 5, i64::MAX, i64::MAX - 1), [0, i64::MAX - 1]);
    }
}
