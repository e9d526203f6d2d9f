//! The configuration: one YAML file (design.md, 4.6).
//!
//! [`Config`] is the only source of keys, defaults and documentation; `docs/reference/config.md` is written
//! from it. Everything is checked before anything starts.

mod check;
mod error;
mod mode;
mod reference;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_yaml::Value;

pub use error::ConfigError;
pub use mode::{LogLevel, StreamMode, StreamModes};
pub use reference::reference;

/// Where the configuration is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/sentinel-ebpf/agent-config.yaml";

/// Structs whose documentation can be asked for.
macro_rules! sections {
    ($($(#[doc = $about:literal])* $Section:ident { $($(#[doc = $doc:literal])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
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
    /// The agent's configuration.
    Config {
        /// What is logged: error, warn, info, debug or trace. The environment variable SENTINEL_LOG overrides it.
        log_level: LogLevel = LogLevel::Info,
        /// Forward rules. `--rules` overrides it. A missing file at the default path means the default rules.
        rules_file: PathBuf = PathBuf::from(DEFAULT_RULES),
        /// Detection rules on the node; they arrive with a later version.
        detection: Detection = Detection::default(),
        /// Where forwarded events go.
        stream: Stream = Stream::default(),
        /// The detector, for `stream.mode: grpc`.
        grpc: Grpc = Grpc::default(),
        /// What is captured, and how.
        capture: Capture = Capture::default(),
        /// The health port: `/healthz` and `/readyz`.
        health: Health = Health::default(),
        /// The metrics port: `/metrics` for Prometheus.
        metrics: Metrics = Metrics::default(),
    }

    /// Detection rules on the node.
    Detection {
        /// Rule files. Arrives with a later version.
        rules: Value = Value::Null,
        /// Whether all rules are tried or the first that matches ends it. Arrives with a later version.
        matching: Value = Value::Null,
        /// Least priority that is reported. Arrives with a later version.
        minimum_priority: Value = Value::Null,
        /// Whether repeated alerts are merged. Arrives with a later version.
        dedup: Value = Value::Null,
        /// Most alerts a second. Arrives with a later version.
        rate_limit: Value = Value::Null,
        /// Where alerts go. Arrives with a later version.
        outputs: Value = Value::Null,
    }

    /// Where forwarded events go.
    Stream {
        /// `stdout`: one JSON object a line. `grpc` and `file` arrive with a later version.
        mode: StreamModes = StreamModes::default(),
        /// Most events in a batch, 1 to 4096.
        batch_size: usize = 64,
        /// Batches that wait for the output, 1 to 65536; what comes on top is lost and counted. Whatever this
        /// says, at most 4 MiB wait.
        queue_length: usize = 1024,
        /// The log, for `stream.mode: file`.
        file: StreamFile = StreamFile::default(),
    }

    /// The log of `stream.mode: file`.
    StreamFile {
        /// Its path.
        path: PathBuf = PathBuf::from("/var/log/sentinel-ebpf/events.bin"),
        /// Size in bytes at which a new file is begun.
        rotate_max_bytes: u64 = 52_428_800,
        /// Files that are kept, the active one included.
        rotate_max_files: u32 = 3,
        /// Whether files are gzip.
        compress: bool = false,
    }

    /// The detector.
    Grpc {
        /// Host and port.
        endpoint: String = "localhost:50051".into(),
        /// Encryption.
        tls: Tls = Tls::default(),
    }

    /// Encryption of a connection.
    Tls {
        /// Whether it is used.
        enabled: bool = false,
    }

    /// What is captured, and how.
    Capture {
        /// Sum reads and writes per open file in the kernel. Off gives one event per call.
        aggregate: bool = true,
        /// Record up to 80 bytes of buffers. Arrives with a later version.
        buffers: bool = false,
        /// Follow DNS answers, once `dns` events exist; no effect in this version.
        dns: bool = true,
        /// See 32-bit system calls too. Arrives with a later version.
        compat: bool = false,
        /// Size in bytes of the ring between the kernel and the agent: a power of two, 64 KiB to 1 GiB. A larger
        /// one bears longer bursts; it counts as the agent's memory.
        ring_bytes: u32 = 8 << 20,
    }

    /// The health port.
    Health {
        /// IP address to listen at; with 127.0.0.1 also at ::1.
        address: String = LOOPBACK.into(),
        /// TCP port; 0 lets the system choose, and the log tells.
        port: u16 = 9101,
    }

    /// The metrics port.
    Metrics {
        /// Whether metrics are served.
        enabled: bool = true,
        /// IP address to listen at; with 127.0.0.1 also at ::1.
        address: String = LOOPBACK.into(),
        /// TCP port; 0 lets the system choose, and the log tells.
        port: u16 = 9102,
    }
}

const LOOPBACK: &str = "127.0.0.1";
const DEFAULT_RULES: &str = "/etc/sentinel-ebpf/rules.yaml";

impl Config {
    /// The configuration in `path`. `None`: the default path, where a missing file means defaults.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, is not YAML, or says what cannot be.
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
        let config: Self =
            serde_path_to_error::deserialize(value).map_err(|error| error::explain(file, &error))?;
        config.check().map_err(|(key, problem)| ConfigError::Invalid {
            file: file.to_owned(),
            key,
            problem,
        })?;
        Ok(config)
    }

    /// Whether `rulesFile` is what it is when nobody sets it: then the file may be missing.
    pub fn rules_file_is_default(&self) -> bool {
        self.rules_file == Path::new(DEFAULT_RULES)
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
