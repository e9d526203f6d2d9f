//! Which request gets what.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;

use crate::{
    access::{COOKIE, Verdict, judge, same},
    answer::{Answer, Answered, Payload, refuse, text, whole},
    app,
    config::{Checked, Rule, Upstream},
    export, fleet, history, live,
    position::Position,
    query::Query,
    server::Readers,
    stats,
};

/// Bytes of the form that brings the token.
const FORM_MOST: usize = 4096;

const LOGIN: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
<meta name=viewport content=\"width=device-width\"><title>Sentinel</title><main><h1>Sentinel</h1>\
<form method=post action=login><p><label for=token>Token</label><br>\
<input id=token name=token type=password autocomplete=current-password required autofocus></p>\
<p><button>Open</button></p></form>\
<p>It is in the file of <code>access.tokenFile</code>, or in <code>SENTINEL_DASHBOARD_TOKEN</code>.</p></main>";

/// What requests are answered from.
pub(crate) struct Facts {
    pub(crate) config: Checked,
    pub(crate) detectors: Arc<[Upstream]>,
    pub(crate) readers: Readers,
}

pub(crate) async fn answer(facts: Arc<Facts>, peer: IpAddr, request: Request<Incoming>) -> Answered {
    let head = request.method() == Method::HEAD;
    let mut answer = dispatch(&facts, peer, request).await?;
    if head {
        *answer.body_mut() = Payload::Whole(None);
    }
    Ok(answer)
}

async fn dispatch(facts: &Facts, peer: IpAddr, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path();
    // Liveness needs no access; orchestrators ask without the prefix.
    if path == "/healthz" || path.strip_prefix(&facts.config.prefix) == Some("/healthz") {
        return Ok(text(StatusCode::OK, "ok\n"));
    }
    let path = match path.strip_prefix(&facts.config.prefix) {
        // Relative addresses in the page need the slash.
        Some("") => return Ok(go(&format!("{}/", facts.config.prefix))),
        Some(path) if path.starts_with('/') => path.get(1..).unwrap_or_default().to_owned(),
        // A proxy that takes the prefix away is welcome as well.
        _ => request.uri().path().trim_start_matches('/').to_owned(),
    };
    let verdict = judge(&facts.config, peer, request.headers());
    if let (Rule::Token(token), "login") = (&facts.config.access, path.as_str()) {
        let token = token.clone();
        return Ok(login(&token, request).await);
    }
    match verdict {
        Verdict::Welcome => {}
        Verdict::No(why) => return Ok(refuse(StatusCode::FORBIDDEN, why)),
        Verdict::Token if path.is_empty() => {
            return Ok(whole(StatusCode::UNAUTHORIZED, "text/html; charset=utf-8", LOGIN));
        }
        Verdict::Token => {
            let mut answer = refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return Ok(answer);
        }
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET: nothing can be changed here");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(answer);
    }
    let raw = request.uri().query();
    let query = Query::new(raw);
    let detectors = &facts.detectors;
    Ok(match path.as_str() {
        "events" => events(facts, &request, query),
        "api/alerts" => history::answer(detectors, query).await,
        "api/stats" => stats::answer(detectors, query).await,
        "api/export" => export::answer(detectors, query, raw.unwrap_or_default()).await,
        "api/nodes" => fleet::nodes(detectors).await,
        "api/rules" => fleet::rules(detectors).await,
        "api/detectors" => fleet::detectors(detectors).await,
        other => match other.strip_prefix("api/lineage/") {
            Some(alert_id) => fleet::lineage(detectors, alert_id).await,
            None => page(other, &request),
        },
    })
}

fn events(facts: &Facts, request: &Request<Incoming>, query: Query<'_>) -> Answer {
    // The browser's own word for it is newer than the address that was opened first.
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let last = last.map(str::to_owned).or_else(|| query.get("since"));
    let position = match Position::parse(&last.unwrap_or_default(), &facts.detectors) {
        Ok(position) => position,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &format!("since: {error}")),
    };
    if *request.method() == Method::HEAD {
        return whole(StatusCode::OK, "text/event-stream", "");
    }
    let Some(permit) = facts.readers.admit() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many live views are open; close some");
    };
    let folds = query.get("fold").is_some_and(|value| value == "1");
    let payload = live::stream(Arc::clone(&facts.detectors), position, folds, permit);
    let mut answer = crate::answer::answer(StatusCode::OK, "text/event-stream", payload);
    // Proxies that buffer would hold alerts back.
    answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

fn page(name: &str, request: &Request<Incoming>) -> Answer {
    let Some(file) = app::file(name) else {
        return text(StatusCode::NOT_FOUND, "there is nothing at this address\n");
    };
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let packed = file.gzip.filter(|_| accepted.is_some_and(takes_gzip));
    let mut answer = whole(StatusCode::OK, file.media_type, packed.unwrap_or(file.bytes));
    let headers = answer.headers_mut();
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let keep = if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    answer
}

fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// The form with the token: the right one becomes a cookie of this browser. Nothing changes here.
async fn login(token: &str, request: Request<Incoming>) -> Answer {
    if *request.method() != Method::POST {
        return whole(StatusCode::OK, "text/html; charset=utf-8", LOGIN);
    }
    let secure = request.headers().get("x-forwarded-proto").is_some_and(|value| value == "https");
    let form = timeout(Duration::from_secs(5), Limited::new(request.into_body(), FORM_MOST).collect()).await;
    let Ok(Ok(form)) = form else { return refuse(StatusCode::BAD_REQUEST, "the form did not arrive") };
    let form = form.to_bytes();
    let form = String::from_utf8_lossy(&form);
    let found = form.split('&').find_map(|pair| pair.strip_prefix("token="));
    let found = found.map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned());
    if !found.is_some_and(|found| same(&found, token)) {
        return whole(StatusCode::UNAUTHORIZED, "text/html; charset=utf-8", LOGIN);
    }
    let mut answer = go("./");
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

fn go(place: &str) -> Answer {
    let mut answer = text(StatusCode::SEE_OTHER, format!("see {place}\n"));
    if let Ok(place) = HeaderValue::from_str(place) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

#[test]
fn packed_files_go_only_to_those_who_take_them() {
    assert!(takes_gzip("br, gzip;q=0.8") && takes_gzip("gzip"));
    assert!(!takes_gzip("br") && !takes_gzip("gzip;q=0, identity"));
}
