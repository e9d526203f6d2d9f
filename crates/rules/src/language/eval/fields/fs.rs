//! `fs.path.*`: the paths an event names.

use sentinel_event::{Body, UserPath};

use super::{Row, plain, some};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("fs.path.name", |view, _, _| name(view)),
    plain("fs.path.nameraw", |view, _, _| match &view.observation.event.body {
        Body::FileOpen(open) => raw(&open.asked),
        Body::FileUnlink(unlink) => raw(&unlink.target),
        _ => Value::Missing,
    }),
    plain("fs.path.source", |view, _, _| sides(view).map_or(Value::Missing, |(from, _)| path(from))),
    plain("fs.path.sourceraw", |view, _, _| sides(view).map_or(Value::Missing, |(from, _)| raw(from))),
    plain("fs.path.target", |view, _, _| sides(view).map_or(Value::Missing, |(_, to)| path(to))),
    plain("fs.path.targetraw", |view, _, _| sides(view).map_or(Value::Missing, |(_, to)| raw(to))),
];

pub(super) fn name<'a>(view: &View<'a>) -> Value<'a> {
    match &view.observation.event.body {
        Body::FileOpen(_) => view.file().map_or(Value::Missing, Value::Text),
        Body::FileUnlink(unlink) => path(&unlink.target),
        _ => Value::Missing,
    }
}

/// Old and new name of a rename.
pub(super) fn sides<'a>(view: &View<'a>) -> Option<(&'a UserPath, &'a UserPath)> {
    match &view.observation.event.body {
        Body::FileRename(rename) => Some((&rename.from, &rename.to)),
        _ => None,
    }
}

/// A path made absolute. What could not be read from the caller's memory is `<NA>`.
pub(super) fn path(path: &UserPath) -> Value<'_> {
    if path.path.is_empty() { raw(path) } else { Value::Text(&path.path) }
}

pub(super) fn raw(path: &UserPath) -> Value<'_> {
    if path.unreadable { Value::Text(b"<NA>") } else { some(&path.name) }
}
