//! Which fields of some values are empty in all of them, found in what `Debug` writes.

use std::{collections::BTreeMap, fmt::Debug};

/// What an empty field looks like; the last is a path.
const EMPTY: [&str; 7] = ["0", "false", "None", "[]", "\"\"", "", "\"\" []"];

/// Paths of the fields that have never been anything but empty, sorted.
pub fn untold<T: Debug>(values: &[T]) -> Vec<String> {
    let mut told = BTreeMap::<String, bool>::new();
    for value in values {
        fields(&format!("{value:#?}"), &mut told);
    }
    let inner = |path: &str| {
        told.keys().any(|other| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    };
    let empty = told.iter().filter(|(path, told)| !**told && !inner(path));
    empty.map(|(path, _)| path.clone()).collect()
}

/// Notes each field of one value, and whether it has a value.
fn fields(text: &str, told: &mut BTreeMap<String, bool>) {
    // Names of what is open: a struct within `Some` or a list adds none.
    let mut open: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_end_matches(',');
        if ["}", ")", "]"].contains(&line) {
            open.pop();
            continue;
        }
        let (name, value) = match line.split_once(": ") {
            Some((name, value)) if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                (name, value)
            }
            _ => ("", line),
        };
        if let Some(outer) = value.strip_suffix(['{', '(', '[']) {
            // The variant of the body says which kind it is.
            let name = if open.is_empty() && outer.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                outer
            } else {
                name
            };
            open.push(name);
            continue;
        }
        let path: Vec<_> = open.iter().chain([&name]).filter(|name| !name.is_empty()).copied().collect();
        *told.entry(path.join(".")).or_default() |= !EMPTY.contains(&value);
    }
    assert!(open.is_empty(), "{text}");
}
