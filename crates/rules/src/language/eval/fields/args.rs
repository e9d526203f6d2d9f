//! `evt.arg.*`: the parameters of an event, as text or as numbers.

mod calls;
mod flags;
mod numbers;
mod texts;

use super::{Row, built};
use crate::language::{
    Argument,
    eval::{
        json::print,
        value::{Scratch, Value},
        view::View,
    },
    evtnames::EVENTS,
};

/// How `evt.arg` is computed with this argument; none when no event fills the parameter.
pub(super) fn text(argument: &Argument) -> Option<Row> {
    match argument {
        Argument::Key(name) => text_row(name),
        Argument::Index(_) => Some(built("evt.arg", positional)),
        Argument::None => None,
    }
}

/// The same for `evt.rawarg`.
pub(super) fn raw(argument: &Argument) -> Option<Row> {
    match argument {
        Argument::Key(name) => number_row(name).or_else(|| text_row(name).filter(|row| is_text(row.name))),
        Argument::Index(_) => Some(built("evt.rawarg", positional)),
        Argument::None => None,
    }
}

fn is_text(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "path"
            | "filename"
            | "oldpath"
            | "newpath"
            | "exe"
            | "args"
            | "comm"
            | "cwd"
            | "tuple"
            | "trusted_exepath"
            | "target"
            | "linkpath"
            | "pathname"
            | "dir"
            | "type"
            | "uargs"
            | "arg2_str"
    )
}

fn text_row(name: &[u8]) -> Option<Row> {
    row(texts::TEXTS, name).or_else(|| row(calls::TEXTS, name))
}

fn number_row(name: &[u8]) -> Option<Row> {
    row(numbers::NUMBERS, name).or_else(|| row(calls::NUMBERS, name))
}

fn row(rows: &[Row], name: &[u8]) -> Option<Row> {
    rows.iter().find(|row| row.name.as_bytes() == name).copied()
}

/// The names of an event's parameters, in order.
fn parameters(call: &str) -> impl Iterator<Item = &'static str> {
    let found = EVENTS.binary_search_by_key(&call, |event| event.name).ok().and_then(|at| EVENTS.get(at));
    found.map_or("", |event| event.parameters).split_ascii_whitespace()
}

fn positional<'a>(view: &View<'a>, argument: &Argument, scratch: &mut Scratch) -> Value<'a> {
    let Argument::Index(index) = argument else { return Value::Missing };
    let name = usize::try_from(*index).ok().and_then(|index| parameters(view.call.name).nth(index));
    match name.and_then(|name| text_row(name.as_bytes())) {
        Some(row) => (row.get)(view, argument, scratch),
        None => Value::Missing,
    }
}

/// `name=value` of every parameter that has a value.
pub(super) fn all<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    // First every value, then the text: what values are built of must not come in between.
    let mut values = [Value::Missing; 32];
    for (slot, name) in values.iter_mut().zip(parameters(view.call.name)) {
        if let Some(row) = text_row(name.as_bytes()) {
            *slot = (row.get)(view, &Argument::None, scratch);
        }
    }
    let start = scratch.bytes.len();
    for (value, name) in values.into_iter().zip(parameters(view.call.name)) {
        if matches!(value, Value::Missing) {
            continue;
        }
        if scratch.bytes.len() > start {
            scratch.bytes.push(b' ');
        }
        print(&mut scratch.bytes, format_args!("{name}="));
        scratch.append(value);
    }
    scratch.tail(start)
}

/// Whether the event has a parameter of this name.
fn has(view: &View<'_>, name: &str) -> bool {
    parameters(view.call.name).any(|parameter| parameter == name)
}
