//! The configuration: one YAML file.
//!
//! [`Config`] is the only source of keys, defaults and documentation;
//! `docs/reference/dashboard-config.md` is written from it. Everything is checked before anything starts.

mod check;
mod error;
mod reference;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use check::{Checked, Rule, Upstream};
pub use error::ConfigError;
pub use reference::reference;
pub use sentinel_service::LogLevel;

/// Where the configuration is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/sentinel-ebpf/dashboard-config.yaml";

sentinel_service::sections! {
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
        /// File with the token it asks for. Absent: the environment variable SENTINEL_DETECTOR_TOKEN, systemd's credential
        /// `detector-token`, else none.
        token_file: Option<PathBuf> = None,
    }

    /// Who may look.
    Access {
        /// `open`: whoever reaches the port. `token`: who knows the token (page to enter it, or `Authorization: Bearer`). `header`: whom a reverse proxy vouches for by a header.
        mode: AccessMode = AccessMode::Open,
        /// `token`: file with the token, at least 16 characters. Absent: the environment variable SENTINEL_DASHBOARD_TOKEN, or
        /// systemd's credential `dashboard-token`.
        token_file: Option<PathBuf> = None,
        /// `header`: its name; it must not be empty in a request.
        header: String = "X-Forwarded-User".into(),
        /// `header`: IP addresses of the proxies that may set it; from anybody else it is refused.
        proxies: Vec<String> = vec!["127.0.0.1".into(), "::1".into()],
    }
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
        Ok(sentinel_service::load(path, DEFAULT_PATH)?)
    }

    /// The configuration in a text; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        Ok(sentinel_service::parse(file, text)?)
    }
}

#[cfg(test)]
mod tests;
