//! What a configuration says about outputs: the section `outputs` of agent and detector (design.md, 4.6), and
//! `dedup` and `rateLimit` beside it.

mod suppression;
mod values;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

pub use suppression::{Dedup, OrOff, RateLimit, Suppression};
pub use values::Facility;

use crate::{Format, SinkError};

/// Structs whose keys can be listed.
macro_rules! sections {
    ($($(#[doc = $about:literal])* $Section:ident $place:literal { $($(#[doc = $doc:literal])* $field:ident / $key:literal: $type:ty = $default:expr,)* })*) => {
        $(
            $(#[doc = $about])*
            #[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $Section { $($(#[doc = $doc])* #[serde(rename = $key)] pub $field: $type,)* }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $($field: $default,)* }
                }
            }
        )*

        /// Every key of the outputs: its place below `outputs`, and what it means.
        const KEYS: &[(&str, &str)] = &[$($((concat!($place, ".", $key), concat!($($doc,)*)),)*)*];
    };
}

/// Where alerts go, each part on its own. The default is standard output.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutputsConfig {
    /// Standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<StdoutOutput>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileOutput>,
    /// An HTTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpOutput>,
    /// A syslog server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syslog: Option<SyslogOutput>,
    /// systemd's journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journald: Option<JournaldOutput>,
}

impl Default for OutputsConfig {
    fn default() -> Self {
        Self { stdout: Some(StdoutOutput::default()), ..Self::none() }
    }
}

impl OutputsConfig {
    /// No output at all.
    pub const fn none() -> Self {
        Self { stdout: None, file: None, http: None, syslog: None, journald: None }
    }

    /// Looks for what types cannot say, without touching anything.
    ///
    /// # Errors
    /// [`SinkError::Invalid`] with the key.
    pub fn check(&self) -> Result<(), SinkError> {
        if let Some(file) = &self.file {
            absolute("file.path", &file.path)?;
            positive("file.rotateMaxBytes", file.rotate_max_bytes)?;
            positive("file.rotateMaxFiles", file.rotate_max_files.into())?;
        }
        if let Some(http) = &self.http {
            crate::output::http::check(http)?;
            positive("http.batch.alerts", http.batch.alerts.into())?;
            positive("http.timeoutSeconds", http.timeout_seconds)?;
            if let Some(path) = &http.spool.path {
                absolute("http.spool.path", path)?;
            }
        }
        if let Some(syslog) = &self.syslog {
            crate::output::syslog::check(syslog)?;
        }
        if let Some(journald) = &self.journald {
            absolute("journald.socket", &journald.socket)?;
        }
        Ok(())
    }
}

fn absolute(key: &str, path: &Path) -> Result<(), SinkError> {
    if path.is_absolute() {
        return Ok(());
    }
    let problem = format!("expected an absolute path, found {:?}", path.display().to_string());
    Err(SinkError::Invalid { key: key.into(), problem })
}

fn positive(key: &str, value: u64) -> Result<(), SinkError> {
    if value > 0 {
        return Ok(());
    }
    Err(SinkError::Invalid { key: key.into(), problem: "expected 1 or more, found 0".into() })
}

sections! {
    /// Standard output, an alert a line.
    StdoutOutput "stdout" {
        /// `sentinel`, `falco` or `text`.
        format / "format": Format = Format::Sentinel,
    }

    /// A file, an alert a line.
    FileOutput "file" {
        /// Its path.
        path / "path": PathBuf = PathBuf::from("/var/log/sentinel-ebpf/alerts.json"),
        /// `sentinel`, `falco` or `text`.
        format / "format": Format = Format::Sentinel,
        /// Size in bytes at which a new file is begun.
        rotate_max_bytes / "rotateMaxBytes": u64 = 52_428_800,
        /// Files that are kept, the active one included.
        rotate_max_files / "rotateMaxFiles": u32 = 3,
    }

    /// An HTTP server, by POST.
    HttpOutput "http" {
        /// `http://…` or `https://…`.
        url / "url": String = String::new(),
        /// `sentinel`, `falco` or `text`.
        format / "format": Format = Format::Sentinel,
        /// Certificates of `https`.
        tls / "tls": TlsFiles = TlsFiles::default(),
        /// Headers of every request, e.g. Authorization.
        headers / "headers": BTreeMap<String, String> = BTreeMap::new(),
        /// Constant fields of every alert: in Sentinel's object, in `output_fields` of Falco's.
        extra_fields / "extraFields": BTreeMap<String, String> = BTreeMap::new(),
        /// How many alerts a request holds.
        batch / "batch": Batch = Batch::default(),
        /// How long the server may take for a request.
        timeout_seconds / "timeoutSeconds": u64 = 10,
        /// Where alerts wait while the server is away.
        spool / "spool": SpoolConfig = SpoolConfig::default(),
    }

    /// Certificates, files in PEM. They are read again when they change.
    TlsFiles "http.tls" {
        /// Whom to trust; absent: the system's authorities.
        ca / "ca": Option<PathBuf> = None,
        /// Our certificate, for servers that ask; with `key`.
        cert / "cert": Option<PathBuf> = None,
        /// Its key.
        key / "key": Option<PathBuf> = None,
    }

    /// How many alerts a request holds.
    Batch "http.batch" {
        /// Most alerts in a request. 1: the body is the alert. More: a JSON array, in text a line each.
        alerts / "alerts": u32 = 1,
    }

    /// A queue on disk, which outlives the program.
    SpoolConfig "http.spool" {
        /// Its directory; absent: no spool, and alerts wait in memory.
        path / "path": Option<PathBuf> = None,
        /// Most bytes in it; what comes on top is lost and counted.
        max_bytes / "maxBytes": u64 = 64 << 20,
    }

    /// A syslog server or daemon, RFC 5424 with structured data.
    SyslogOutput "syslog" {
        /// `udp://HOST:PORT`, `tcp://HOST:PORT` (octet counting, RFC 6587) or the path of a socket.
        address / "address": String = "/dev/log".into(),
        /// Facility, by name: daemon, auth, authpriv, user, local0 …
        facility / "facility": Facility = Facility::DAEMON,
        /// Form of the message: `text` is the rule's output alone; `sentinel` and `falco` are the objects.
        format / "format": Format = Format::Text,
    }

    /// systemd's journal, with fields of its own: RULE_ID, SEVERITY, RISK_SCORE, and the alert's.
    JournaldOutput "journald" {
        /// The journal's socket.
        socket / "socket": PathBuf = PathBuf::from("/run/systemd/journal/socket"),
    }
}

/// Every key of the outputs for a reference: its place below `outputs`, what it is when its output is named without
/// keys, what it means.
pub fn documented() -> Vec<(&'static str, Value, &'static str)> {
    let all = OutputsConfig {
        stdout: Some(Default::default()),
        file: Some(Default::default()),
        http: Some(Default::default()),
        syslog: Some(Default::default()),
        journald: Some(Default::default()),
    };
    let all = serde_yaml::to_value(all).unwrap_or_default();
    let default = |place: &str| place.split('.').try_fold(&all, |value, key| value.get(key)).cloned();
    KEYS.iter().map(|(place, meaning)| (*place, default(place).unwrap_or_default(), *meaning)).collect()
}
