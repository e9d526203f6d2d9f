//! The configuration: one YAML file.
//!
//! [`Config`] is the only source of keys, defaults and documentation; `docs/reference/detector-config.md` is
//! written from it. Everything is checked before anything starts.

mod age;
mod check;
mod error;
mod reference;
mod url;
mod words;

use std::path::{Path, PathBuf};

use sentinel_service::SettingsError;
use sentinel_sink::{Bus, OutputsConfig, TlsFiles};

pub use age::Age;
pub use error::ConfigError;
pub use reference::reference;
pub use sentinel_service::LogLevel;
pub use url::PostgresUrl;
pub use words::EngineName;

/// Where the configuration is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/sentinel-ebpf/detector-config.yaml";

/// Overrides `http.token`, so that the secret need not be in the file.
const TOKEN_VARIABLE: &str = "SENTINEL_HTTP_TOKEN";

sentinel_service::sections! {
    /// The detector's configuration.
    Config {
        /// What is logged: error, warn, info, debug or trace. The environment variable SENTINEL_LOG overrides it.
        log_level: LogLevel = LogLevel::Info,
        /// The gRPC port: events, alerts and status reports come in.
        grpc: Grpc = Grpc::default(),
        /// The HTTP port: the feed `/events`, the API, `/healthz` and `/metrics`.
        http: Http = Http::default(),
        /// NATS, from which events come too.
        nats: Nats = Nats::default(),
        /// What judges events, any of `rules` (detection rules, for events that no node's rules have judged),
        /// `baseline` (learns what is normal and finds what is not), `external` (asks another detector) and
        /// `pass-through` (logs events at level debug, finds nothing). Every engine sees every event.
        engines: Vec<EngineName> = vec![EngineName::Rules],
        /// Rules of the engine `rules`, loaded in this order: files, directories (their `.yaml` and `.yml` files by
        /// name), and `builtin` for the shipped rules.
        rules: Vec<String> = vec![BUILTIN.into()],
        /// The engine `baseline`.
        baseline: Baseline = Baseline::default(),
        /// Whom the engine `external` asks.
        external: External = External::default(),
        /// What is remembered.
        history: History = History::default(),
        /// Where new alerts go, beside the feed: each output on its own.
        outputs: OutputsConfig = OutputsConfig::default(),
    }

    /// The gRPC port.
    Grpc {
        /// IP address to listen at; with 127.0.0.1 also at ::1.
        address: String = LOOPBACK.into(),
        /// TCP port; 0 lets the system choose, and the log tells.
        port: u16 = 50051,
        /// Encryption: on when `cert` is set.
        tls: Tls = Tls::default(),
        /// Largest message that is read, in bytes: 65536 to 67108864. A larger one ends its call.
        max_message_bytes: usize = 8 << 20,
        /// Connections that are served at a time, 1 to 65536. Others wait to be accepted.
        max_connections: usize = 4096,
    }

    /// Encryption of the gRPC port.
    Tls {
        /// Certificate chain, PEM.
        cert: Option<PathBuf> = None,
        /// Private key of `cert`, PEM.
        key: Option<PathBuf> = None,
        /// Authorities, PEM. Only clients with a certificate of one of them are served.
        client_ca: Option<PathBuf> = None,
    }

    /// NATS with JetStream, the durable bus of a fleet. Detectors of one stream share its events: each workload's go to one of
    /// them, and to another when that one ends.
    Nats {
        /// Servers of one NATS cluster: `nats://HOST:PORT`. Empty: events come over gRPC only.
        servers: Vec<String> = Vec::new(),
        /// The stream, one a cluster of nodes: letters, digits, `-` and `_`. It is made when it is missing. Agents and
        /// detectors must agree on it.
        stream: String = "sentinel".into(),
        /// User, with `password`.
        user: Option<String> = None,
        /// The user's password. The environment variable SENTINEL_NATS_PASSWORD overrides it, or systemd's
        /// credential `nats-password`.
        password: Option<String> = None,
        /// Encryption.
        tls: NatsTls = NatsTls::default(),
        /// Bytes that the stream may hold, when we make it; from then on agents keep what comes.
        max_bytes: u64 = 1 << 30,
        /// Servers that hold each event, when we make the stream: 1, 3 or 5.
        replicas: usize = 1,
    }

    /// Encryption of the connection to NATS.
    NatsTls {
        /// Whether it is used.
        enabled: bool = false,
        /// Authorities whom we trust, PEM; absent: the system's. Read anew with every connection.
        ca: Option<PathBuf> = None,
        /// Our certificate chain, PEM, for servers that ask.
        cert: Option<PathBuf> = None,
        /// Private key of `cert`, PEM.
        key: Option<PathBuf> = None,
    }

    /// The HTTP port.
    Http {
        /// IP address to listen at; with 127.0.0.1 also at ::1.
        address: String = LOOPBACK.into(),
        /// TCP port; 0 lets the system choose, and the log tells.
        port: u16 = 8090,
        /// What clients must send as `Authorization: Bearer …`; only `/healthz` goes without. At least 16
        /// characters. The environment variable SENTINEL_HTTP_TOKEN overrides it, or systemd's credential `http-token`.
        token: Option<String> = None,
        /// Origins whose pages may read the API in a browser, e.g. `http://localhost:5173`.
        cors_origins: Vec<String> = Vec::new(),
        /// Connections that are served at a time, 1 to 65536. Others wait to be accepted.
        max_connections: usize = 256,
    }

    /// The engine `baseline`.
    Baseline {
        /// From which score on an event is an anomaly, above 0 and up to 1: 20 bits of surprise are 1.
        threshold: f64 = 0.55,
        /// Where it keeps what it has learned, every 5 minutes and at the end; empty: it learns anew at every start.
        path: PathBuf = PathBuf::from("/var/lib/sentinel-ebpf/baseline.bin"),
    }

    /// Another detector.
    External {
        /// `http://HOST:PORT` or `https://HOST:PORT` of a `sentinel.v1.DetectorService`. Must not lead back here.
        endpoint: String = "http://localhost:50052".into(),
        /// How long it may take for a batch, milliseconds: 1 to 60000. Then events pass without its opinion.
        timeout_ms: u64 = 2000,
        /// Certificates, for `https`.
        tls: ClientTls = ClientTls::default(),
    }

    /// Certificates of a connection that we make.
    ClientTls {
        /// Authorities whom we trust, PEM.
        ca: Option<PathBuf> = None,
        /// Our certificate chain, PEM, for servers that ask.
        cert: Option<PathBuf> = None,
        /// Private key of `cert`, PEM.
        key: Option<PathBuf> = None,
    }

    /// What is remembered.
    History {
        /// The database, a file that is made when it is missing.
        path: PathBuf = PathBuf::from("/var/lib/sentinel-ebpf/history.db"),
        /// A database on a PostgreSQL server in its place, which several detectors may share:
        /// `postgresql://USER@HOST:PORT/DATABASE?sslmode=require`. Everything is in its schema `sentinel`, which is made when it is
        /// missing. The environment variable SENTINEL_POSTGRES_PASSWORD overrides a password in the address, or systemd's credential
        /// `postgres-password`.
        /// `sslmode` is `require` (encrypted, and the server's certificate must be right), `prefer` (if the server offers it) or `disable`.
        postgres_url: Option<PostgresUrl> = None,
        /// Certificates, for `sslmode=require` and `prefer`.
        postgres_tls: ClientTls = ClientTls::default(),
        /// When it is forgotten.
        retention: Retention = Retention::default(),
    }

    /// When something is forgotten.
    Retention {
        /// Alerts that came longer ago: a number with `s`, `m`, `h` or `d`.
        age: Age = Age::days(30),
        /// Size in bytes the database may have; what came first goes first. At least 16777216.
        bytes: u64 = 2 << 30,
        /// Processes, files and connections, from which the past of an alert is told.
        events_age: Age = Age::days(1),
        /// Share of `bytes` that they may take, in percent: 1 to 90.
        events_percent: u8 = 50,
    }
}

/// The shipped rules, in a list of rule files.
pub(crate) const BUILTIN: &str = "builtin";
const LOOPBACK: &str = "127.0.0.1";
const NATS_PASSWORD: &str = "SENTINEL_NATS_PASSWORD";

impl Nats {
    /// How to reach it; none when events do not come from there.
    pub(crate) fn bus(&self) -> Option<Bus> {
        let password = sentinel_service::secret(NATS_PASSWORD).or_else(|| self.password.clone());
        let NatsTls { enabled, ca, cert, key } = self.tls.clone();
        (!self.servers.is_empty()).then(|| Bus {
            servers: self.servers.clone(),
            stream: self.stream.clone(),
            login: self.user.clone().map(|user| (user, password.unwrap_or_default())),
            tls: enabled.then_some(TlsFiles { ca, cert, key }),
            max_bytes: self.max_bytes,
            replicas: self.replicas,
        })
    }
}

impl ClientTls {
    /// The same for who opens the files.
    pub(crate) fn files(&self) -> TlsFiles {
        let Self { ca, cert, key } = self.clone();
        TlsFiles { ca, cert, key }
    }
}

impl Config {
    /// The configuration in `path`. `None`: the default path, where a missing file means defaults.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, is not YAML, or says what cannot be.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_PATH));
        let token = sentinel_service::secret(TOKEN_VARIABLE);
        sentinel_service::load::<Self>(path, DEFAULT_PATH)?.checked(&file.display().to_string(), token)
    }

    /// The configuration in a text; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        sentinel_service::parse::<Self>(file, text)?.checked(file, None)
    }

    /// With the `token` of the environment, which goes before the file's.
    fn checked(mut self, file: &str, token: Option<String>) -> Result<Self, ConfigError> {
        self.http.token = token.or(self.http.token);
        self.check().map_err(|(key, problem)| SettingsError::Invalid {
            file: file.to_owned(),
            key,
            problem,
        })?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
