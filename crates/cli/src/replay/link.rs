//! The connection to the detector, on a thread of its own: sends batches, and keeps each until it is acknowledged.

mod session;

use std::{fs, path::PathBuf, thread, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use clap::ValueHint;
use tokio::{runtime, sync::mpsc};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use self::session::Session;

/// Batches that wait for the connection, and that are sent and not acknowledged.
const WINDOW: usize = 64;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Whom to send to.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Target {
    /// Host and port of the detector; with https:// before it, encrypted.
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:50051", value_hint = ValueHint::Hostname)]
    target: String,
    /// Authorities that are trusted, PEM; else those of the system.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Our certificate chain, PEM, for detectors that ask.
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,
    /// Private key of --cert, PEM.
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
}

impl Target {
    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let bare = !self.target.contains("://");
        let address = if bare { format!("http://{}", self.target) } else { self.target.clone() };
        let wrong = || format!("--target {}: expected HOST:PORT", self.target);
        let endpoint = Endpoint::from_shared(address.clone()).with_context(wrong)?;
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .initial_stream_window_size(4 << 20)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5));
        if !address.starts_with("https://") {
            return Ok(endpoint);
        }
        let read = |path: &PathBuf| fs::read(path).with_context(|| path.display().to_string());
        let mut tls = match &self.ca {
            Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            tls = tls.identity(Identity::from_pem(read(cert)?, read(key)?));
        }
        endpoint.tls_config(tls).context("--ca, --cert, --key")
    }
}

/// Events that travel together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// As `sentinel_wire::Transcoder::batched` writes them.
    pub(super) bytes: Vec<u8>,
    pub(super) events: usize,
}

impl Batch {
    pub(super) fn add(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(message);
        self.events += 1;
    }
}

/// What became of the events.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Events that the detector has.
    pub(super) arrived: u64,
    /// Of these, those that it finds strange.
    pub(super) anomalies: u64,
    /// Events that a detector without acknowledgements did not answer.
    pub(super) unanswered: u64,
}

/// The running connection.
pub(super) struct Link {
    batches: mpsc::Sender<(Bytes, usize)>,
    thread: thread::JoinHandle<anyhow::Result<Done>>,
}

impl Link {
    pub(super) fn start(target: &Target) -> anyhow::Result<Self> {
        let endpoint = target.endpoint()?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (batches, receiver) = mpsc::channel(WINDOW);
        let session = Session::new(endpoint, target.target.clone(), receiver);
        let work = move || runtime.block_on(session.run());
        let thread = thread::Builder::new().name("link".into()).spawn(work)?;
        Ok(Self { batches, thread })
    }

    /// Hands a batch over, waiting for room; false when the connection has ended.
    pub(super) fn send(&self, batch: Batch) -> bool {
        self.batches.blocking_send((batch.bytes.into(), batch.events)).is_ok()
    }

    pub(super) fn is_over(&self) -> bool {
        self.batches.is_closed()
    }

    /// Waits until everything has arrived.
    pub(super) fn finish(self) -> anyhow::Result<Done> {
        drop(self.batches);
        self.thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the connection's thread died")))
    }
}
