//! `GET /api/lineage/{alert_id}`: the past of an alert.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};

use super::{Facts, answer};
use crate::store::{Process, Reader, StoreError, Stored};

/// How long before the alert, and after it, touches are told: milliseconds.
const WINDOW: (i64, i64) = (600_000, 60_000);
/// The process may have been heard of just after the alert: milliseconds.
const LATER: i64 = 5_000;
/// Touches of an answer.
const TOUCHES: usize = 500;
/// Processes of an answer: ancestors, and siblings.
const DEPTH: usize = 32;
const SIBLINGS: usize = 32;

pub(super) async fn lineage(State(facts): State<Facts>, Path(alert_id): Path<String>) -> Response {
    match facts.intake.hub.library.ask(move |reader| tell(reader, &alert_id)).await {
        Ok(Some(told)) => answer::json(StatusCode::OK, told.to_string()),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "no such alert, or it is forgotten"),
        Err(error) => answer::store_error(&error),
    }
}

fn tell(reader: &mut dyn Reader, alert_id: &str) -> Result<Option<Value>, StoreError> {
    let Some(Stored { ts_ms, node, json, .. }) = reader.alert(alert_id)? else { return Ok(None) };
    let alert: Value = serde_json::from_str(&json).unwrap_or_default();
    let mut chain = chain(reader, &alert, &node, ts_ms)?;
    let (from, to) = (ts_ms.saturating_sub(WINDOW.0), ts_ms.saturating_add(WINDOW.1));
    // What the same parent started about then. Everything descends from the first process.
    if let Some(parent) = chain.first().map(|process| process.ppid).filter(|ppid| *ppid > 1) {
        let mut beside = reader.children(&node, parent, from, to, SIBLINGS)?;
        beside.retain(|sibling| chain.iter().all(|process| process.pid != sibling.pid));
        chain.extend(beside);
    }
    // What the first process touches tells nothing.
    let pids: Vec<u32> = chain.iter().map(|process| process.pid).filter(|pid| *pid > 1).collect();
    let touched = reader.touches(&node, &pids, from, to, TOUCHES)?;
    let touched: Vec<Value> = touched
        .iter()
        .map(|touch| {
            json!({"ts_ms": touch.ts_ms, "event_type": touch.event_type, "pid": touch.pid, "what": touch.what})
        })
        .collect();
    let processes: Vec<Value> = chain
        .iter()
        .enumerate()
        .map(|(place, process)| {
            json!({
                "pid": process.pid, "ppid": process.ppid, "name": process.name, "exe": process.exe,
                "cmdline": process.cmdline, "start_ns": process.start_ns, "self": place == 0,
            })
        })
        .collect();
    Ok(Some(json!({"alert": alert, "processes": processes, "touched": touched})))
}

/// The process of the alert and its ancestors: as the alert has them, with what the store knows beside; beyond
/// the alert's, as the store has them.
fn chain(reader: &mut dyn Reader, alert: &Value, node: &str, ts_ms: i64) -> Result<Vec<Process>, StoreError> {
    let number =
        |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let event = alert.get("event").unwrap_or(&Value::Null);
    let mut told = Vec::new();
    if let Some(pid) = number(event.get("PID")) {
        let ppid = number(event.get("PPID")).unwrap_or(0);
        told.push(Process {
            pid,
            ppid,
            name: text(event, "Comm"),
            exe: text(event, "Exe"),
            ..Process::default()
        });
    }
    for ancestor in alert.get("lineage").and_then(Value::as_array).into_iter().flatten().take(DEPTH) {
        let Some(pid) = number(ancestor.get("pid")) else { continue };
        told.push(Process {
            pid,
            name: text(ancestor, "name"),
            exe: text(ancestor, "exe"),
            ..Process::default()
        });
    }
    let mut chain: Vec<Process> = Vec::new();
    for process in told {
        let known = reader.process(node, process.pid, ts_ms.saturating_add(LATER))?;
        chain.push(complete(process, known));
    }
    // Parents follow each other in the alert.
    for place in 1..chain.len() {
        let parent = chain.get(place).map_or(0, |parent| parent.pid);
        if let Some(child) = chain.get_mut(place - 1) {
            child.ppid = parent;
        }
    }
    while let Some(last) = chain.last().filter(|last| last.ppid != 0 && chain.len() < DEPTH) {
        // An ancestor was there before: a pid that came later is another process.
        let Some(parent) = reader.process(node, last.ppid, ts_ms.saturating_add(LATER))? else { break };
        if chain.iter().any(|process| process.pid == parent.pid) {
            break;
        }
        chain.push(parent);
    }
    Ok(chain)
}

/// What the alert says, with what the store says beside it, if that is the same process.
fn complete(told: Process, known: Option<Process>) -> Process {
    let Some(known) = known else { return told };
    // Its threads may bear other names, its program not; pids are used again.
    let same = told.exe.is_empty() || known.exe.is_empty() || told.exe == known.exe;
    if !same {
        return told;
    }
    let or = |a: String, b: String| if a.is_empty() { b } else { a };
    Process {
        pid: told.pid,
        ppid: if told.ppid == 0 { known.ppid } else { told.ppid },
        start_ns: known.start_ns,
        ts_ms: known.ts_ms,
        name: or(told.name, known.name),
        exe: or(told.exe, known.exe),
        cmdline: known.cmdline,
    }
}
