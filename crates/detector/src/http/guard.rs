//! Who may read: the token, and pages of other origins.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use subtle::ConstantTimeEq as _;

use super::answer;
use crate::{Http, meters::Meters};

/// The one place that goes without a token: whoever watches over the process has none.
const OPEN: &str = "/healthz";

/// What a request is held against.
pub(super) struct Guard {
    token: Option<String>,
    origins: Vec<HeaderValue>,
    meters: Arc<Meters>,
}

impl Guard {
    pub(super) fn new(config: &Http, meters: Arc<Meters>) -> Self {
        let origins = config.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        Self { token: config.token.clone(), origins: origins.collect(), meters }
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let (scheme, given) = given.split_at_checked("Bearer ".len()).unwrap_or_default();
        // Equal lengths or not may be seen; where the first difference is, not.
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(given.ct_eq(token.as_bytes()))
    }

    /// The origin of the page that asks, when its pages may.
    fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins.contains(origin).then(|| origin.clone())
    }
}

/// Refuses, or lets through and marks the answer.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let origin = guard.origin(request.headers());
    let mut response = if request.method() == Method::OPTIONS && origin.is_some() {
        // A browser asks before it sends a token.
        let mut response = answer::of(StatusCode::NO_CONTENT, "text/plain; charset=utf-8", String::new());
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
        let allowed = HeaderValue::from_static("authorization, last-event-id");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        response
    } else if request.uri().path() == OPEN || guard.admits(request.headers()) {
        next.run(request).await
    } else {
        guard.meters.unauthorized.add(1);
        let mut response =
            answer::error(StatusCode::UNAUTHORIZED, "send the header Authorization: Bearer and http.token");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}
