//! What each field is worth on an event, by family.

mod args;
pub(super) mod container;
mod descriptor;
mod dns;
mod evt;
mod executable;
mod fd;
mod fs;
mod leader;
mod missing;
mod place;
mod privilege;
mod proc;
mod thread;
mod user;

use std::{collections::HashMap, sync::LazyLock};

use super::{
    value::{Scratch, Value},
    view::View,
};
use crate::language::{Argument, FieldRef};

pub use missing::{MISSING, why_missing};
pub(super) use proc::{arguments, line_of};

/// Computes a field.
pub(super) type Get = for<'a> fn(&View<'a>, &Argument, &mut Scratch) -> Value<'a>;

/// A field that has values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    name: &'static str,
    pub(super) get: Get,
    /// It is put together, and so is worth remembering.
    pub(super) built: bool,
}

/// A field whose value lies in the observation.
const fn plain(name: &'static str, get: Get) -> Row {
    Row { name, get, built: false }
}

/// A field whose value is put together.
const fn built(name: &'static str, get: Get) -> Row {
    Row { name, get, built: true }
}

static ROWS: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    let families = [
        evt::FIELDS,
        executable::FIELDS,
        leader::FIELDS,
        proc::FIELDS,
        privilege::FIELDS,
        user::FIELDS,
        fd::FIELDS,
        descriptor::FIELDS,
        thread::FIELDS,
        dns::FIELDS,
        fs::FIELDS,
        container::FIELDS,
        place::FIELDS,
    ];
    families.into_iter().flatten().map(|row| (row.name, *row)).collect()
});

/// How a field is computed; none when no event fills it.
pub(super) fn find(field: &FieldRef) -> Option<Row> {
    let row = ROWS.get(field.id.field().name)?;
    match field.id.field().name {
        "evt.arg" => args::text(&field.argument),
        "evt.rawarg" => args::raw(&field.argument),
        _ => Some(*row),
    }
}

/// Whether some event fills the field of this name.
pub fn filled(name: &str) -> bool {
    ROWS.contains_key(name)
}

/// Text that there is.
fn some(text: &[u8]) -> Value<'_> {
    if text.is_empty() { Value::Missing } else { Value::Text(text) }
}

/// A value that may be missing.
fn or_missing<'a, T>(value: Option<T>, of: impl FnOnce(T) -> Value<'a>) -> Value<'a> {
    value.map_or(Value::Missing, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Field;

    #[test]
    fn every_field_is_filled_or_said_to_be_missing() {
        let unfilled: Vec<_> = Field::all().map(|field| field.name).filter(|name| !filled(name)).collect();
        let said: Vec<_> = MISSING.iter().map(|(name, _)| *name).collect();
        let mut found = unfilled;
        found.sort_unstable();
        assert_eq!(found, said, "in the order of names");
        assert!(why_missing("thread.vmrss").is_some() && why_missing("proc.name").is_none());
        let known: Vec<_> = Field::all().map(|field| field.name).collect();
        for name in ROWS.keys() {
            assert!(known.contains(name), "{name}");
        }
    }
}
