//! `proc.*` of the program's file: of the program that an exec starts, else of the one that runs.

use sentinel_event::{Body, Executable};

use super::{
    Row, or_missing, plain,
    proc::{head, started},
};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("proc.is_exe_upper_layer", |view, _, _| flag(view, |file| file.upper_layer)),
    plain("proc.is_exe_lower_layer", |view, _, _| flag(view, |file| file.lower_layer)),
    plain("proc.is_exe_from_memfd", |view, _, _| flag(view, |file| file.memfd)),
    plain("proc.is_exe_writable", |view, _, _| flag(view, |file| file.writable)),
    plain("proc.exe_ino", |view, _, _| {
        or_missing(of(view).and_then(|file| i64::try_from(file.ino).ok()), Value::Signed)
    }),
    plain("proc.exe_ino.ctime", |view, _, _| time(view, |file| file.changed_ns)),
    plain("proc.exe_ino.mtime", |view, _, _| time(view, |file| file.modified_ns)),
    plain("proc.exe_ino.ctime_duration_proc_start", |view, _, _| {
        between(of(view).map(|file| file.changed_ns), start(view, head(view).process.start_ns))
    }),
    plain("proc.exe_ino.ctime_duration_pidns_start", |view, _, _| {
        between(namespace_start(view), of(view).map(|file| file.changed_ns))
    }),
    plain("proc.pidns_init_start_ts", |view, _, _| {
        or_missing(of(view), |file| started(view, file.pid_namespace_ns))
    }),
];

/// None when nobody has told, and on a failed start.
pub(super) fn of<'a>(view: &View<'a>) -> Option<&'a Executable> {
    match &view.observation.event.body {
        Body::Exec(_) => view.exec().map(|exec| &exec.executable),
        _ => view.process()?.executable.as_ref(),
    }
}

fn flag<'a>(view: &View<'a>, get: impl FnOnce(&Executable) -> bool) -> Value<'a> {
    or_missing(of(view), |file| Value::Bool(get(file)))
}

fn time<'a>(view: &View<'a>, get: impl FnOnce(&Executable) -> u64) -> Value<'a> {
    match of(view).map_or(0, get) {
        0 => Value::Missing,
        time => Value::Unsigned(time),
    }
}

/// When the first process of the process's pid namespace started, nanoseconds since the epoch.
pub(super) fn namespace_start(view: &View<'_>) -> Option<u64> {
    of(view).and_then(|file| start(view, file.pid_namespace_ns))
}

/// A start, nanoseconds since the epoch.
fn start(view: &View<'_>, start_ns: u64) -> Option<u64> {
    match started(view, start_ns) {
        Value::Unsigned(start) => Some(start),
        _ => None,
    }
}

/// From one time to the other; missing when they were not in this order.
fn between<'a>(from: Option<u64>, to: Option<u64>) -> Value<'a> {
    let span = from.filter(|from| *from != 0).zip(to).and_then(|(from, to)| to.checked_sub(from));
    or_missing(span, Value::Unsigned)
}
