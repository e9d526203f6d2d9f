//! The configuration: one YAML file (design.md, 4.6).
//!
//! [`Config`] is the only source of keys, defaults and documentation; `docs/reference/config.md` is written
//! from it. Everything is checked before anything starts.

mod check;
mod detection;
mod error;
mod mode;
mod reference;
mod warn;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sentinel_event::Priority;
use sentinel_service::SettingsError;
use sentinel_sink::{Bus, Dedup, OrOff, OutputsConfig, RateLimit, TlsFiles};

pub use detection::{AppendMatch, AppendOutput, ExtraField, Matching, PriorityName, Select, Which};
pub use error::ConfigError;
pub use mode::{Kubernetes, StreamMode, StreamModes, SyncSeconds};
pub use reference::reference;
pub use sentinel_service::LogLevel;

/// Where the configuration is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/sentinel-ebpf/agent-config.yaml";

sentinel_service::sections! {
    /// The agent's configuration.
    Config {
        /// What is logged: error, warn, info, debug or trace. The environment variable SENTINEL_LOG overrides it.
        log_level: LogLevel = LogLevel::Info,
        /// Forward rules. `--rules` overrides it. A missing file at the default path means the default rules.
        rules_file: PathBuf = PathBuf::from(DEFAULT_RULES),
        /// Detection rules on the node.
        detection: Detection = Detection::default(),
        /// Where forwarded events go.
        stream: Stream = Stream::default(),
        /// The detector, for `stream.mode: grpc`.
        grpc: Grpc = Grpc::default(),
        /// The NATS servers, for `stream.mode: nats`. Alerts and status reports go to `grpc.endpoint` then, too.
        nats: Nats = Nats::default(),
        /// What is captured, and how.
        capture: Capture = Capture::default(),
        /// Who is asked about containers and users.
        enrichment: Enrichment = Enrichment::default(),
        /// The health port: `/healthz` and `/readyz`.
        health: Health = Health::default(),
        /// The metrics port: `/metrics` for Prometheus.
        metrics: Metrics = Metrics::default(),
    }

    /// Detection rules on the node.
    Detection {
        /// Rule files, and directories of which every `.yaml` and `.yml` file is read in the order of names;
        /// `builtin` is the shipped set, compiled in. Later ones may change what earlier ones define. `[]`
        /// detects nothing.
        rules: Vec<String> = vec![BUILTIN.into()],
        /// Read rule files again when they change, the forward rules' too.
        watch: bool = true,
        /// `first`: an event raises the alert of the first rule that matches, in the order of definition;
        /// `all`: those of all that match.
        matching: Matching = Matching::First,
        /// Rules of a lower priority are not used: emergency, alert, critical, error, warning, notice,
        /// informational or debug.
        minimum_priority: PriorityName = PriorityName(Priority::Debug),
        /// Switches rules on and off, step by step, on top of what the files say: `{enable: {rule: NAME}}`,
        /// `{disable: {tag: TAG}}` and so on; `*` in a name stands for anything.
        select: Vec<Select> = Vec::new(),
        /// Tells alerts of one rule that say the same once in a window: `off` or `{windowSeconds: 60}`. What was
        /// held back is told at the end of the window.
        dedup: OrOff<Dedup> = OrOff::default(),
        /// Most alerts of one rule: `off` or `{alerts: 10, perSeconds: 60}`. What was held back is told.
        rate_limit: OrOff<RateLimit> = OrOff::default(),
        /// Where alerts go: any of the following. When one is named, the others are off.
        outputs: OutputsConfig = OutputsConfig::default(),
        /// Adds text and fields to the outputs of rules:
        /// `{match: {rule: NAME, source: syscall, tags: [TAG]}, extraOutput: "cwd=%proc.cwd"}`. `extraFields:
        /// [proc.cwd, {where: "%proc.name in %proc.cwd"}]` adds to `output_fields` instead, a field with its type or
        /// a text under a name; `suggestedOutput: true` adds container and pod.
        append_output: Vec<AppendOutput> = Vec::new(),
        /// Constants of every alert, `static.KEY` in its `output_fields`: `{cluster: east}`.
        static_fields: BTreeMap<String, String> = BTreeMap::new(),
    }

    /// Where forwarded events go.
    Stream {
        /// `stdout`: one JSON object a line. `file`: the log of `stream.file`. `grpc`: the detector of `grpc`.
        /// `nats`: the stream of `nats`. Or a list of them.
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
        /// How long written events may wait in memory for the disk, seconds; 0: not at all; `never`: as long as the
        /// system likes. They outlive the agent in any case, this is about the power.
        sync_seconds: SyncSeconds = SyncSeconds(Some(5)),
    }

    /// The detector.
    Grpc {
        /// Host and port.
        endpoint: String = "localhost:50051".into(),
        /// Encryption.
        tls: Tls = Tls::default(),
        /// Where events wait while the detector is away.
        spool: GrpcSpool = GrpcSpool::default(),
    }

    /// A queue on disk, which outlives the agent.
    GrpcSpool {
        /// Its directory, of this agent alone.
        path: String = DEFAULT_SPOOL.into(),
        /// Most bytes in it; what comes on top is lost, counted and reported. 0: no spool.
        max_bytes: u64 = 256 << 20,
    }

    /// NATS with JetStream, the durable bus of a fleet.
    Nats {
        /// Servers of one NATS cluster: `nats://HOST:PORT`.
        servers: Vec<String> = vec!["nats://localhost:4222".into()],
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
        /// Where events wait while NATS is away or full.
        spool: NatsSpool = NatsSpool::default(),
    }

    /// Encryption of the connection to NATS.
    NatsTls {
        /// Whether it is used.
        enabled: bool = false,
        /// Whom to trust, a file in PEM; absent: the system's authorities. Read anew with every connection.
        ca: Option<PathBuf> = None,
        /// Our certificate, for servers that ask; with `key`.
        cert: Option<PathBuf> = None,
        /// Its key.
        key: Option<PathBuf> = None,
    }

    /// A queue on disk, which outlives the agent.
    NatsSpool {
        /// Its directory, of this agent alone.
        path: String = DEFAULT_NATS_SPOOL.into(),
        /// Most bytes in it; what comes on top is lost, counted and reported. 0: no spool.
        max_bytes: u64 = 256 << 20,
    }

    /// Encryption of a connection.
    Tls {
        /// Whether it is used.
        enabled: bool = false,
        /// Whom to trust, a file in PEM; absent: the system's authorities. Read anew with every connection, as are
        /// the others.
        ca: Option<PathBuf> = None,
        /// Our certificate, for detectors that ask; with `key`.
        cert: Option<PathBuf> = None,
        /// Its key.
        key: Option<PathBuf> = None,
        /// The name in the detector's certificate, if it is not the host of the endpoint.
        server_name: Option<String> = None,
    }

    /// What is captured, and how.
    Capture {
        /// Sum reads and writes per open file in the kernel. Off gives one event per call.
        aggregate: bool = true,
        /// Record the first 80 bytes of what is read, written, sent and received, secrets included, where a rule asks
        /// for them (`evt.buffer`); while one does, what a stream moves first is an event too. They leave the node in that
        /// rule's output only. Needs Linux 5.17. Off: nobody looks, and such rules never match by it.
        buffers: bool = false,
        /// Look at answers about names (from port 53), where a rule asks for names of addresses (`fd.sip.name`) or for `dns`
        /// events. Names and addresses are kept, nothing else of them. Off: nobody looks, whatever rules ask.
        dns: bool = true,
        /// See 32-bit system calls (`int 0x80`, 32-bit programs) too, on x86-64: every system call of the machine pays for it, some
        /// 50 to 70 ns. Off: they are a blind spot, which `sentinel doctor` names.
        compat: bool = false,
        /// Size in bytes of the ring between the kernel and the agent: a power of two, 64 KiB to 1 GiB. A larger
        /// one bears longer bursts; it counts as the agent's memory.
        ring_bytes: u32 = 4 << 20,
    }

    /// Who is asked about containers and users.
    Enrichment {
        /// Ask container runtimes for names, images, labels and pods. Only calls that read are made.
        runtimes: bool = true,
        /// Their sockets, where they are not at the usual places; what is named here replaces those, and may belong to
        /// another user than root. What a socket speaks shows in its path: docker, podman, containerd or crio.
        sockets: Option<Vec<PathBuf>> = None,
        /// Watch the node's pods at Kubernetes' API server, for owners, labels and service accounts: `auto` when we run in
        /// a pod with a service account (KUBERNETES_SERVICE_HOST and a token tell), `on` or `off`. The node is NODE_NAME.
        kubernetes: Kubernetes = Kubernetes::Auto,
        /// Directory with `token` and `ca.crt` for the API server, if it is not where Kubernetes puts them.
        kubernetes_credentials: Option<PathBuf> = None,
        /// Read names of users and groups from `passwd` and `group` of the process's own root directory.
        users: bool = true,
        /// How long events of a container wait at most for what is asked about it, milliseconds, 0 to 10000; other
        /// events do not wait. Afterwards they go on marked `metadata: pending`.
        wait_milliseconds: u64 = 500,
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

const DEFAULT_SPOOL: &str = "/var/lib/sentinel-ebpf/spool";
const DEFAULT_NATS_SPOOL: &str = "/var/lib/sentinel-ebpf/spool-nats";
const NATS_PASSWORD: &str = "SENTINEL_NATS_PASSWORD";

impl Nats {
    /// How to reach it.
    pub(crate) fn bus(&self) -> Bus {
        let password = sentinel_service::secret(NATS_PASSWORD).or_else(|| self.password.clone());
        let NatsTls { enabled, ca, cert, key } = self.tls.clone();
        Bus {
            servers: self.servers.clone(),
            stream: self.stream.clone(),
            login: self.user.clone().map(|user| (user, password.unwrap_or_default())),
            tls: enabled.then_some(TlsFiles { ca, cert, key }),
            max_bytes: self.max_bytes,
            replicas: self.replicas,
        }
    }
}

impl GrpcSpool {
    /// Whether nobody chose the directory.
    pub(crate) fn is_default(&self) -> bool {
        self.path == DEFAULT_SPOOL || self.path == DEFAULT_NATS_SPOOL
    }
}

/// What `detection.rules` calls the shipped set.
pub const BUILTIN: &str = "builtin";
const LOOPBACK: &str = "127.0.0.1";
const DEFAULT_RULES: &str = "/etc/sentinel-ebpf/rules.yaml";

impl Config {
    /// The configuration in `path`. `None`: the default path, where a missing file means defaults.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, is not YAML, or says what cannot be.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_PATH));
        sentinel_service::load::<Self>(path, DEFAULT_PATH)?.checked(&file.display().to_string())
    }

    /// The configuration in a text; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        sentinel_service::parse::<Self>(file, text)?.checked(file)
    }

    fn checked(self, file: &str) -> Result<Self, ConfigError> {
        self.check().map_err(|(key, problem)| SettingsError::Invalid {
            file: file.to_owned(),
            key,
            problem,
        })?;
        Ok(self)
    }

    /// Whether `rulesFile` is what it is when nobody sets it: then the file may be missing.
    pub fn rules_file_is_default(&self) -> bool {
        self.rules_file == Path::new(DEFAULT_RULES)
    }
}

#[cfg(test)]
mod tests;
