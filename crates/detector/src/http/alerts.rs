//! `GET /api/alerts`: the history, the newest first.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use sentinel_event::Severity;
use serde::Deserialize;

use super::{Facts, answer};
use crate::store::{Filter, rank};

/// Alerts of an answer, unless it is said.
const LIMIT: usize = 100;
/// Most alerts of an answer.
const LIMIT_MAX: usize = 1000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    from: Option<i64>,
    to: Option<i64>,
    rule: Option<String>,
    severity: Option<String>,
    node: Option<String>,
    pod: Option<String>,
    workload: Option<String>,
    q: Option<String>,
    limit: Option<usize>,
    before: Option<u64>,
}

impl Parameters {
    fn filter(self) -> Result<Filter, String> {
        // A form sends its empty fields too.
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut severities = Vec::new();
        for name in said(self.severity).iter().flat_map(|names| names.split(',')) {
            let severity = Severity::find(name.trim()).ok_or_else(|| {
                format!("severity: expected critical, high, medium, low or info, with commas between, found {name:?}")
            })?;
            severities.push(rank(severity));
        }
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(format!("limit: expected 1 to {LIMIT_MAX}, found {limit}; use before to read on"));
        }
        Ok(Filter {
            from_ms: self.from,
            to_ms: self.to,
            rule: said(self.rule),
            severities,
            node: said(self.node),
            pod: said(self.pod),
            workload: said(self.workload),
            text: said(self.q),
            before: self.before,
            limit,
        })
    }
}

pub(super) async fn alerts(
    State(facts): State<Facts>,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let filter = match query {
        Ok(Query(parameters)) => parameters.filter(),
        Err(error) => Err(error.body_text()),
    };
    let filter = match filter {
        Ok(filter) => filter,
        Err(problem) => return answer::bad_request(&problem),
    };
    let limit = filter.limit;
    let found = match facts.intake.hub.library.ask(move |reader| reader.alerts(&filter)).await {
        Ok(found) => found,
        Err(error) => return answer::store_error(&error),
    };
    // A full page: there may be more.
    let next = found.last().filter(|_| found.len() == limit).map(|alert| alert.seq);
    let next = next.map_or("null".into(), |seq| seq.to_string());
    let alerts: Vec<&str> = found.iter().map(|alert| alert.json.as_str()).collect();
    answer::json(StatusCode::OK, format!("{{\"alerts\":[{}],\"next\":{next}}}", alerts.join(",")))
}
