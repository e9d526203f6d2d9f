//! The connection: a thread with a runtime, which connects, speaks, and connects anew.

use std::{fs, io, path::Path, sync::mpsc as std_mpsc, thread, time::Duration};

use bytes::Bytes;
use sentinel_sink::Backoff;
use sentinel_wire::{
    Batch,
    rpc::{Answer, Sent, causes, converse, told},
    v1::{BatchAck, DetectionResponse},
};
use tokio::{runtime, sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::{AgentError, config::Grpc};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Pings: a detector that does not answer one is away.
const PING: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));
/// Shortest and longest wait before connecting anew.
pub(super) const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Messages between the books and the connection.
pub(super) const BATCHES: usize = 512;
const EVENTS: usize = 16_384;

/// What the connection says.
#[derive(Debug)]
pub(super) enum Said {
    /// It stands; this is the way to speak.
    Up(Stream),
    /// It does not, for this reason.
    Away(String),
    /// A batch has arrived.
    Acknowledged(BatchAck),
    /// An event is judged, by a detector of the old contract.
    Answered(DetectionResponse),
}

/// The way to speak to the detector.
#[derive(Debug)]
pub(super) enum Stream {
    /// Batches with acknowledgements.
    Batched(mpsc::Sender<Batch>),
    /// Event by event, which any detector understands.
    Single(mpsc::Sender<Bytes>),
}

impl Stream {
    /// Messages that can be sent now.
    pub(super) fn room(&self) -> usize {
        match self {
            Self::Batched(sender) => free(sender),
            Self::Single(sender) => free(sender),
        }
    }
}

fn free<M>(sender: &mpsc::Sender<M>) -> usize {
    if sender.is_closed() { 0 } else { sender.capacity() }
}

/// The running connection. It ends with this.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) said: std_mpsc::Receiver<Said>,
}

impl Link {
    pub(super) fn start(config: &Grpc) -> Result<Self, AgentError> {
        let failed = |source| AgentError::System { what: "starting the connection to the detector", source };
        // Wrong certificates are wrong at the start, too.
        endpoint(config).map_err(|reason| failed(io::Error::other(reason)))?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (sender, said) = std_mpsc::channel();
        let config = config.clone();
        let work = move || runtime.block_on(speak(&config, &sender));
        thread::Builder::new().name("grpc-link".into()).spawn(work).map_err(failed)?;
        Ok(Self { said })
    }
}

/// The books are closed.
struct Over;

async fn speak(config: &Grpc, to: &std_mpsc::Sender<Said>) {
    let mut backoff = Backoff::new(WAITS.0, WAITS.1);
    loop {
        let reason = match session(config, to, &mut backoff).await {
            Ok(reason) => reason,
            Err(Over) => return,
        };
        if to.send(Said::Away(reason)).is_err() {
            return;
        }
        sleep(backoff.wait()).await;
    }
}

/// One connection, from beginning to end; why it ended.
async fn session(config: &Grpc, to: &std_mpsc::Sender<Said>, backoff: &mut Backoff) -> Result<String, Over> {
    // Certificates are read and names resolved anew each time.
    let endpoint = match endpoint(config) {
        Ok(endpoint) => endpoint,
        Err(reason) => return Ok(reason),
    };
    let channel = match endpoint.connect().await {
        Ok(channel) => channel,
        Err(error) => return Ok(causes(&error)),
    };
    let batched = talk(&channel, to, backoff, Stream::Batched, BATCHES, Said::Acknowledged);
    let status = batched.await?;
    if status.code() != Code::Unimplemented {
        return Ok(told(&status));
    }
    let single = talk(&channel, to, backoff, Stream::Single, EVENTS, Said::Answered);
    Ok(told(&single.await?))
}

/// One stream, from beginning to end.
async fn talk<T: Answer, M: Into<Sent> + Send + 'static>(
    channel: &Channel,
    to: &std_mpsc::Sender<Said>,
    backoff: &mut Backoff,
    stream: fn(mpsc::Sender<M>) -> Stream,
    room: usize,
    say: fn(T) -> Said,
) -> Result<Status, Over> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    if let Err(error) = client.ready().await {
        return Ok(Status::unavailable(causes(&error)));
    }
    let (sender, receiver) = mpsc::channel(room);
    to.send(Said::Up(stream(sender))).map_err(|_| Over)?;
    // Some servers answer nothing, not even headers, before the first message.
    let mut answers = match converse::<T, _, _, _>(channel.clone(), ReceiverStream::new(receiver)).await {
        Ok(answers) => answers,
        Err(status) => return Ok(status),
    };
    loop {
        match answers.message().await {
            Ok(Some(answer)) => {
                backoff.reset();
                to.send(say(answer)).map_err(|_| Over)?;
            }
            Ok(None) => return Ok(Status::unavailable("the detector has ended the stream")),
            Err(status) => return Ok(status),
        }
    }
}

/// The detector's address with everything that a connection needs.
pub(in crate::outlet) fn endpoint(config: &Grpc) -> Result<Endpoint, String> {
    let scheme = if config.tls.enabled { "https" } else { "http" };
    let endpoint =
        Endpoint::from_shared(format!("{scheme}://{}", config.endpoint)).map_err(|error| causes(&error))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .keep_alive_while_idle(true);
    if !config.tls.enabled {
        return Ok(endpoint);
    }
    let mut tls = match &config.tls.ca {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem("ca", path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let (Some(cert), Some(key)) = (&config.tls.cert, &config.tls.key) {
        tls = tls.identity(Identity::from_pem(pem("cert", cert)?, pem("key", key)?));
    }
    if let Some(name) = &config.tls.server_name {
        tls = tls.domain_name(name);
    }
    endpoint.tls_config(tls).map_err(|error| format!("grpc.tls: {}", causes(&error)))
}

fn pem(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("grpc.tls.{key}: {}: {error}", path.display()))
}
