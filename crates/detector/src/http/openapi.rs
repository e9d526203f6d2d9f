//! `GET /openapi.json`: the API, described for machines. Tests hold the real answers against it.

use axum::{http::StatusCode, response::Response};

use super::answer;

const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> Response {
    answer::json(StatusCode::OK, DOCUMENT.replace("VERSION", env!("CARGO_PKG_VERSION")))
}
