//! `container.*`. What a runtime would have to be asked for is missing.

use super::{Row, plain};
use crate::language::eval::{value::Value, view::View};

const HOST: Value<'static> = Value::Text(b"host");
const DIGITS: usize = 12; // of an id, as runtimes show it

pub(super) const FIELDS: &[Row] = &[
    plain("container.id", |view, _, _| match &view.observation.container_id {
        Some(id) => Value::Text(short(id)),
        None => HOST,
    }),
    plain("container.full_id", |view, _, _| match &view.observation.container_id {
        Some(id) => Value::Text(id.as_bytes()),
        None => HOST,
    }),
    plain("container.name", |view, _, _| on_host(view)),
    plain("container.type", |view, _, _| on_host(view)),
];

/// The first digits of a container's id.
pub(super) fn short(id: &str) -> &[u8] {
    id.as_bytes().get(..DIGITS).unwrap_or(id.as_bytes())
}

fn on_host<'a>(view: &View<'a>) -> Value<'a> {
    if view.observation.container_id.is_some() { Value::Missing } else { HOST }
}
