//! `docs/reference/*config.md`: a table of all keys, written from the structs.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde_yaml::Value;

/// A page about a configuration.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// Its head, up to the table.
    pub introduction: &'a str,
    /// The documentation of every section by its place: empty for the top, `http`, `detectors[]`.
    pub sections: &'a [(&'a str, &'a [&'a str])],
    /// A section that another crate documents: its place and its rows.
    pub foreign: Option<(&'a str, &'a [Row])>,
}

/// A row of a foreign section: the key below the section's place, its default, what it means.
pub type Row = (&'static str, Value, &'static str);

impl Reference<'_> {
    /// The text, Markdown, with `defaults` for the values.
    ///
    /// # Errors
    /// A section without documentation.
    pub fn write(&self, defaults: &impl Serialize) -> Result<String, fmt::Error> {
        let mut text = format!("{}\n| key | default | meaning |\n|---|---|---|\n", self.introduction);
        let defaults = serde_yaml::to_value(defaults).map_err(|_| fmt::Error)?;
        self.section(&mut text, "", &defaults)?;
        Ok(text)
    }

    fn section(&self, text: &mut String, place: &str, values: &Value) -> fmt::Result {
        let docs = self.sections.iter().find(|(name, _)| *name == place);
        let docs = docs.map(|(_, docs)| *docs).ok_or(fmt::Error)?;
        let keys = values.as_mapping().ok_or(fmt::Error)?;
        for ((key, value), doc) in keys.iter().zip(docs) {
            let key = key.as_str().ok_or(fmt::Error)?;
            let path = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
            row(text, &path, value, doc)?;
            let first = value.as_sequence().and_then(|list| list.first()).filter(|first| first.is_mapping());
            match (self.foreign, first) {
                (Some((foreign, rows)), _) if foreign == path => {
                    for (key, default, meaning) in rows {
                        row(text, &format!("{path}.{key}"), default, meaning)?;
                    }
                }
                (_, Some(first)) => self.section(text, &format!("{path}[]"), first)?,
                (_, None) if value.as_mapping().is_some_and(|keys| !keys.is_empty()) => {
                    self.section(text, &path, value)?;
                }
                (_, None) => {}
            }
        }
        Ok(())
    }
}

fn row(text: &mut String, path: &str, default: &Value, doc: &str) -> fmt::Result {
    writeln!(text, "| `{path}` | {} | {} |", shown(default)?, doc.trim())
}

/// A default as the table has it; sections have none of their own.
fn shown(value: &Value) -> Result<String, fmt::Error> {
    Ok(match value {
        Value::Mapping(keys) if !keys.is_empty() => String::new(),
        Value::Sequence(list) if list.iter().any(Value::is_mapping) => String::new(),
        Value::Null => "absent".into(),
        Value::Sequence(list) => {
            format!("`[{}]`", list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        other => format!("`{}`", serde_yaml::to_string(other).map_err(|_| fmt::Error)?.trim()),
    })
}
