//! The configuration: one YAML file.
//!
//! [`Config`] is the only source of keys, defaults and documentation;
//! `docs/reference/dashboard-config.md` is written from it. Everything is checked before anything starts.

mod check;
mod error;
mod reference;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

pub(crate) use check::{Checked, Rule, Upstream};
pub use error::ConfigError;
pub use reference::reference;

/// Where the configuration is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/sentinel-ebpf/dashboard-config.yaml";

/// Structs whose documentation can be asked for.
macro_rules! sections {
    ($($(#[doc = $about:literal])* $Section:ident { $($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
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

sections! {
    /// The dashboard's configuration.
    Config {
        /// What is logged: error, warn, info, debug or trace. The environment variable SENTINEL_LOG overrides it.
        log_level: LogLevel = LogLevel::Info,
        /// The port that browsers open.
        http: Http = Http::default(),
        /// Whose alerts are shown; each with the keys of `detectors[]`. Absent: the detector of this host, http://127.0.0.1:8090.
        detectors: Vec<Detector> = vec![Detector::default()],
        /// Who may look.
        access: Access = Access::default(),
    }

    /// The port that browsers open.
    Http {
        /// IP address to listen at; with 127.0.0.1 also at ::1.
        address: String = "127.0.0.1".into(),
        /// TCP port; 0 lets the system choose, and the log tells.
        port: u16 = 8080,
        /// What a reverse proxy leaves before every path, e.g. `/sentinel`.
        path_prefix: String = String::new(),
        /// Names under which browsers reach it, besides IP addresses and localhost. Without access control other names are refused, so that no web site can reach it through a name of its own (DNS rebinding).
        hosts: Vec<String> = Vec::new(),
    }

    /// A detector.
    Detector {
        /// What it is called in the app; letters, digits and `.:-_[]`. Absent: host and port of its URL.
        name: String = String::new(),
        /// Its alerts API: `http://HOST:PORT`.
        url: String = "http://127.0.0.1:8090".into(),
        /// File with the token it asks for. Absent: the environment variable SENTINEL_DETECTOR_TOKEN, else none.
        token_file: Option<PathBuf> = None,
    }

    /// Who may look.
    Access {
        /// `open`: whoever reaches the port. `token`: who knows the token (page to enter it, or `Authorization: Bearer`). `header`: whom a reverse proxy vouches for by a header.
        mode: AccessMode = AccessMode::Open,
        /// `token`: file with the token, at least 16 characters. Absent: the environment variable SENTINEL_DASHBOARD_TOKEN.
        token_file: Option<PathBuf> = None,
        /// `header`: its name; it must not be empty in a request.
        header: String = "X-Forwarded-User".into(),
        /// `header`: IP addresses of the proxies that may set it; from anybody else it is refused.
        proxies: Vec<String> = vec!["127.0.0.1".into(), "::1".into()],
    }
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the names say it
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// Whoever reaches the port.
    Open,
    /// Who knows the token.
    Token,
    /// Whom a reverse proxy vouches for.
    Header,
}

impl Config {
    /// The configuration in `path`, not yet checked. `None`: the default path, where a missing file means
    /// defaults.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, is not YAML, or has keys or values that cannot be.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_PATH));
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&file.display().to_string(), &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_none() => Ok(Self::default()),
            Err(source) => Err(ConfigError::Unreadable { file: file.to_owned(), source }),
        }
    }

    /// The configuration in a text; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let value: Value = serde_yaml::from_str(text)
            .map_err(|error| ConfigError::Syntax { file: file.to_owned(), message: error.to_string() })?;
        // An empty file is valid, and so is a section without keys.
        let value = without_nulls(value).unwrap_or_else(|| Value::Mapping(Default::default()));
        serde_path_to_error::deserialize(value).map_err(|error| error::explain(file, &error))
    }
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

#[cfg(test)]
mod tests;
