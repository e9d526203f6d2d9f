//! Configurations: one YAML file each. A missing key means its default, an unknown one is an error.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use serde_yaml::Value;

/// Structs of a configuration: keys, defaults and documentation in one place. Keys are in camelCase; `DOCS` says
/// what each means, in order, and [`crate::Reference`] makes a page of it.
#[macro_export]
macro_rules! sections {
    ($($(#[doc = $about:literal])* $Section:ident { $($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, $crate::serde::Deserialize, $crate::serde::Serialize)]
        #[serde(crate = "sentinel_service::serde", default, deny_unknown_fields, rename_all = "camelCase")]
        pub struct $Section { $($(#[doc = $doc])* pub $field: $type,)* }

        impl Default for $Section {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $Section {
            /// What each field means, in order.
            const DOCS: &[&str] = &[$(concat!($($doc,)*),)*];
        }
    )*};
}

/// Why a configuration was refused. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file could not be read.
    #[error("{}: {source}; create it, correct the path, or run as a user who may read it", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Not YAML.
    #[error(
        "{file}: no YAML: {message}; close every bracket and quote before it, and indent with blanks, not tabs"
    )]
    Syntax {
        /// The file.
        file: String,
        /// What the YAML reader says, with line and column.
        message: String,
    },
    /// YAML, but not a configuration.
    #[error("{file}: {key}: {problem}")]
    Invalid {
        /// The file.
        file: String,
        /// The key, e.g. `health.port`.
        key: String,
        /// What is wrong with its value, and what would do.
        problem: String,
    },
    /// The environment variable is wrong.
    #[error("SENTINEL_LOG={value:?}: expected error, warn, info, debug or trace")]
    LogLevel {
        /// What it is set to.
        value: String,
    },
}

/// The configuration in `path`, not yet checked. `None`: in `default`, where a missing file means defaults.
///
/// # Errors
/// [`SettingsError`]: the file cannot be read, is not YAML, or has keys or values that cannot be.
pub fn load<T: DeserializeOwned>(path: Option<&Path>, default: &str) -> Result<T, SettingsError> {
    let file = path.unwrap_or(Path::new(default));
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_none() => String::new(),
        Err(source) => return Err(SettingsError::Unreadable { file: file.to_owned(), source }),
    };
    parse(&file.display().to_string(), &text)
}

/// The configuration in a text; `file` is what errors call it.
///
/// # Errors
/// As [`load`].
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, SettingsError> {
    let value: Value = serde_yaml::from_str(text)
        .map_err(|error| SettingsError::Syntax { file: file.to_owned(), message: error.to_string() })?;
    // An empty file is valid, and so is a section without keys.
    let value = without_nulls(value).unwrap_or_else(|| Value::Mapping(Default::default()));
    serde_path_to_error::deserialize(value).map_err(|error| explain(file, &error))
}

/// Keys without a value mean their default.
fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Mapping(mapping) => Some(Value::Mapping(
            mapping.into_iter().filter_map(|(key, value)| Some((key, without_nulls(value)?))).collect(),
        )),
        other => Some(other),
    }
}

/// Adds the nearest known word to what serde says.
fn explain(file: &str, error: &serde_path_to_error::Error<serde_yaml::Error>) -> SettingsError {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.starts_with(start));
    let near = match words.next() {
        Some(word) if unknown => nearest(word, words),
        _ => None,
    };
    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    // serde's path of an unknown field ends with the field; its section is the place to look at.
    let key = if path == "." { "top level".to_owned() } else { path };
    SettingsError::Invalid { file: file.to_owned(), key, problem: format!("{message}{hint}") }
}

/// The known word that is most like `word`, if one is like it at all: a third of its letters may differ.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::osa_distance(&word.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests;
