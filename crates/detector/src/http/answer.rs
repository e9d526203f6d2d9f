//! Forms of answers.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use crate::store::StoreError;

/// A JSON text.
pub(super) fn json(status: StatusCode, text: String) -> Response {
    of(status, "application/json", text)
}

/// An answer of this type.
pub(super) fn of(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `{"error": …}`.
pub(super) fn error(status: StatusCode, problem: &str) -> Response {
    json(status, json!({ "error": problem }).to_string())
}

/// What the store could not answer.
pub(super) fn store_error(problem: &StoreError) -> Response {
    error(StatusCode::SERVICE_UNAVAILABLE, &problem.to_string())
}

/// The request makes no sense.
pub(super) fn bad_request(problem: &str) -> Response {
    error(StatusCode::BAD_REQUEST, problem)
}

pub(super) async fn health() -> Response {
    of(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".into())
}

pub(super) async fn nowhere() -> Response {
    error(StatusCode::NOT_FOUND, "no such resource; /openapi.json lists them")
}

pub(super) async fn only_get() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, "only GET")
}
