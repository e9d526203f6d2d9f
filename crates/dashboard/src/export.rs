//! `/api/export`: the history as a file, NDJSON or CSV, made page by page.

use std::{io, sync::Arc};

use hyper::{
    StatusCode,
    body::Bytes,
    header::{self, HeaderValue},
};
use serde_json::{Value, value::RawValue};
use tokio::sync::mpsc;

use crate::{
    answer::{Answer, Payload, answer as send, refuse},
    config::Upstream,
    history::{LIMIT_MOST, Merged, page},
    position::Position,
    query::Query,
};

/// Column of the CSV form, and where its value is in the alert.
const COLUMNS: &[(&str, &str)] = &[
    ("timestamp", "/timestamp"),
    ("severity", "/severity"),
    ("risk_score", "/risk_score"),
    ("rule_id", "/rule_id"),
    ("rule", "/rule"),
    ("reason", "/reason"),
    ("node", "/node"),
    ("namespace", "/pod/namespace"),
    ("pod", "/pod/name"),
    ("container_id", "/container/id"),
    ("container_image", "/container/image"),
    ("event_type", "/event/EventType"),
    ("comm", "/event/Comm"),
    ("pid", "/event/PID"),
    ("ppid", "/event/PPID"),
    ("uid", "/event/UID"),
    ("filename", "/event/Filename"),
    ("addr", "/addr"),
    ("recommendation", "/recommendation"),
    ("tags", "/tags"),
    ("alert_id", "/alert_id"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

pub(crate) async fn answer(detectors: &Arc<[Upstream]>, query: Query<'_>, raw: &str) -> Answer {
    let (format, media_type, name) = match query.get("format").as_deref() {
        None | Some("ndjson") => (Format::Ndjson, "application/x-ndjson", "sentinel-alerts.ndjson"),
        Some("csv") => (Format::Csv, "text/csv; charset=utf-8", "sentinel-alerts.csv"),
        Some(_) => return refuse(StatusCode::BAD_REQUEST, "format: expected ndjson or csv"),
    };
    // The first page is read before anything is promised.
    let first = page(detectors, query, Position::start(detectors), LIMIT_MOST).await;
    let partial = query.get("partial").is_some();
    if let (Some(silent), false) = (first.unreachable.first(), partial) {
        let error = format!(
            "{}: {}; add partial=yes to export what the other detectors know",
            silent.name, silent.error
        );
        return refuse(StatusCode::BAD_GATEWAY, &error);
    }
    let (sender, pieces) = mpsc::channel(4);
    tokio::spawn(write(Arc::clone(detectors), raw.to_owned(), first, format, partial, sender));
    let mut response = send(StatusCode::OK, media_type, Payload::Pieces(pieces));
    let disposition = format!("attachment; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

async fn write(
    detectors: Arc<[Upstream]>,
    raw: String,
    mut merged: Merged,
    format: Format,
    partial: bool,
    out: mpsc::Sender<io::Result<Bytes>>,
) {
    let mut text = Vec::new();
    if format == Format::Csv {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        text.extend_from_slice(names.join(",").as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    loop {
        for alert in &merged.alerts {
            match format {
                Format::Ndjson => {
                    // Valid JSON has no bare line end inside texts; outside it means nothing.
                    text.extend(alert.get().bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
                    text.push(b'\n');
                }
                Format::Csv => row(alert, &mut text),
            }
        }
        if out.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
            return;
        }
        let Some(next) = &merged.next else { return };
        let next = Position::parse(next, &detectors).unwrap_or(Position::start(&detectors));
        merged = page(&detectors, Query::new(Some(&raw)), next, LIMIT_MOST).await;
        if let (Some(silent), false) = (merged.unreachable.first(), partial) {
            // A file that ends early must not look complete.
            let _ = out.send(Err(io::Error::other(silent.error.clone()))).await;
            return;
        }
    }
}

fn row(alert: &RawValue, text: &mut Vec<u8>) {
    let alert: Value = serde_json::from_str(alert.get()).unwrap_or_default();
    for (at, (_, place)) in COLUMNS.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        let value = match alert.pointer(place) {
            None | Some(Value::Null) => continue,
            Some(Value::String(value)) => value.clone(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Some(other) => other.to_string(),
        };
        text.extend_from_slice(cell(&value).as_bytes());
    }
    text.extend_from_slice(b"\r\n");
}

/// A spreadsheet must take it for text, whatever an attacker called his file.
fn cell(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && value.parse::<f64>().is_err();
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", value.replace('"', "\"\""))
}

#[test]
fn no_cell_is_a_formula_or_breaks_its_row() {
    for (value, expected) in [
        ("plain", "\"plain\""),
        ("say \"hi\",\nnow", "\"say \"\"hi\"\",\nnow\""),
        ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
        ("@SUM(1)", "\"'@SUM(1)\""),
        ("-7", "\"-7\""),
        ("-x", "\"'-x\""),
    ] {
        assert_eq!(cell(value), expected);
    }
}
