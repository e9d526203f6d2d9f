//! NATS JetStream, the bus between the agents and the detectors of a cluster: what both sides must agree on.
//!
//! One stream a cluster, `NAME`, of the subjects `NAME.events.0` to `NAME.events.31`. A workload's events have one
//! subject. A message is a `sentinel.v1.EventBatch` and leaves the stream when a detector has acknowledged it. A full
//! stream refuses what is new, so that the senders keep and count it; nothing in it is overwritten.

use std::time::Duration;

use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{
        self, Context, ErrorCode,
        context::{ContextBuilder, CreateStreamError, CreateStreamErrorKind},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use tokio::sync::watch;

use crate::TlsFiles;

/// Subjects of a stream. The same everywhere: a workload must not change its subject.
pub const PARTITIONS: u32 = 32;
/// How long connecting may take, and an answer of the server.
const PATIENCE: Duration = Duration::from_secs(5);
/// Within so long a message that comes again is recognized by its id.
const DUPLICATES: Duration = Duration::from_secs(120);
/// Messages that are published and not acknowledged.
const INFLIGHT: usize = 4096;

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BusError(String);

/// How to reach the bus.
#[derive(Debug, Clone)]
pub struct Bus {
    /// `nats://HOST:PORT` or `tls://HOST:PORT`, of one cluster of servers.
    pub servers: Vec<String>,
    /// The stream's name.
    pub stream: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// Encryption, when it is wanted.
    pub tls: Option<TlsFiles>,
    /// Bytes that the stream may hold.
    pub max_bytes: u64,
    /// Servers that hold each message.
    pub replicas: usize,
}

/// A connection. It ends when `gone` says true.
#[derive(Debug, Clone)]
pub struct Connected {
    /// For messages that need not be kept.
    pub client: Client,
    /// For messages that must.
    pub context: Context,
    /// The stream, which exists.
    pub stream: Stream,
    /// True once the connection is lost.
    pub gone: watch::Receiver<bool>,
}

impl Bus {
    /// The subject of a partition.
    pub fn subject(&self, partition: u32) -> String {
        format!("{}.events.{partition}", self.stream)
    }

    /// Whether names can be a stream's: they are part of subjects.
    pub fn is_name(text: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=64).contains(&text.len()) && text.bytes().all(fits)
    }

    /// Connects once, and makes the stream when it is missing. Certificates are read and names resolved anew.
    ///
    /// # Errors
    /// [`BusError`]: who or what is wrong.
    pub async fn connect(&self, name: &str) -> Result<Connected, BusError> {
        let (tell, gone) = watch::channel(false);
        let mut options = ConnectOptions::new()
            .name(name)
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            // Whoever uses this keeps what is not acknowledged, and connects anew himself.
            .max_reconnects(1)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    tell.send_replace(true);
                }
                std::future::ready(())
            });
        if let Some((user, password)) = &self.login {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if let Some(files) = &self.tls {
            let config = files.client("nats.tls").map_err(|error| BusError(error.to_string()))?;
            options = options.require_tls(true).tls_client_config(config);
        }
        let failed = |what: &str, error: &dyn std::fmt::Display| BusError(format!("{what}: {error}"));
        let connecting = tokio::time::timeout(PATIENCE, options.connect(self.servers.clone())).await;
        let client = connecting
            .map_err(|_| BusError("connecting: no answer".into()))?
            .map_err(|error| failed("connecting", &error))?;
        let context = ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(INFLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let stream = context.get_or_create_stream(self.config()).await;
        let stream = stream.map_err(|error| {
            let remedy = if lacks_room(&error) {
                format!(
                    ": JetStream promises less room than nats.maxBytes ({}): make that smaller, or jetstream.max_file_store \
                     of the server larger (when unset: three quarters of its free disk)",
                    self.max_bytes
                )
            } else {
                String::new()
            };
            BusError(format!("stream {}: {error}{remedy}", self.stream))
        })?;
        Ok(Connected { client, context, stream, gone })
    }

    fn config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            description: Some("Sentinel: events for detectors".into()),
            subjects: vec![format!("{}.events.*", self.stream)],
            max_bytes: i64::try_from(self.max_bytes).unwrap_or(i64::MAX),
            discard: DiscardPolicy::New,
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            num_replicas: self.replicas,
            duplicate_window: DUPLICATES,
            ..jetstream::stream::Config::default()
        }
    }
}

/// Whether the server, or our account there, has no room for a stream so large.
fn lacks_room(error: &CreateStreamError) -> bool {
    let CreateStreamErrorKind::JetStream(error) = error.kind() else { return false };
    [ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::ACCOUNT_RESOURCES_EXCEEDED]
        .contains(&error.error_code())
}
