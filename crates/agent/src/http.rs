//! The health and metrics ports: one thread, few and short connections.
//!
//! hyper on tokio's single-threaded runtime: the gRPC outlet stands on the same two, and hyper is
//! hardened against what strangers send. A connection serves one request, has 3 s for its head and 5 s in all;
//! 64 connections are open at most, so malformed, slow and huge requests cost themselves.

mod metrics;

pub(crate) use metrics::numbers;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use sentinel_event::{Event, KindSet, Stage};
use sentinel_probe::{Counters, HookState, HookStatus};
use sentinel_service::{addresses, listen};
use sentinel_sink::Outputs;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use tracing::{debug, info};

use crate::{
    AgentError, Config,
    detect::Rulebook,
    identity::Registry,
    meters::Meters,
    parcel::Parcel,
    pipeline::Shared,
    queue::Gauge,
    run::{HANGS, Message},
};

const CONNECTIONS: usize = 64;
const HEAD: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// How long the main thread may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// The source of events, as the main thread sees it.
pub(crate) struct View {
    pub(crate) counters: Option<Counters>,
    pub(crate) hooks: Vec<HookStatus>,
    /// Kinds that somebody needs.
    pub(crate) captured: KindSet,
}

/// Opened ports that nobody serves yet.
pub(crate) struct Ports {
    health: Vec<TcpListener>,
    metrics: Vec<TcpListener>,
}

impl Ports {
    /// Opens the ports of the configuration.
    pub(crate) fn open(config: &Config) -> Result<Self, AgentError> {
        // The configuration was checked: these are addresses.
        let open = |key, address: &str, port| {
            listen(key, address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)
        };
        let health = open("health", &config.health.address, config.health.port)?;
        let metrics = match config.metrics.enabled {
            true => open("metrics", &config.metrics.address, config.metrics.port)?,
            false => Vec::new(),
        };
        Ok(Self { health, metrics })
    }
}

/// What requests are answered from.
pub(crate) struct Facts {
    pub(crate) meters: Arc<Meters>,
    pub(crate) books: Arc<Shared<Rulebook>>,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) events: Gauge<Vec<Event>>,
    pub(crate) parcels: Vec<(Stage, Gauge<Parcel>)>,
    pub(crate) registry: Registry,
    pub(crate) main: mpsc::Sender<Message>,
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Health,
    Metrics,
}

/// The served ports.
pub(crate) struct Server {
    pub(crate) health: Vec<SocketAddr>,
    pub(crate) metrics: Vec<SocketAddr>,
}

impl Server {
    /// Serves until the process ends.
    pub(crate) fn start(ports: Ports, facts: Arc<Facts>) -> Result<Self, AgentError> {
        let failed = |source| AgentError::System { what: "serving health and metrics", source };
        let server = Self { health: addresses(&ports.health), metrics: addresses(&ports.metrics) };
        info!(health = ?server.health, metrics = ?server.metrics, "Listening.");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let thread = move || {
            let all = ports.health.into_iter().map(|listener| (Port::Health, listener));
            let all = all.chain(ports.metrics.into_iter().map(|listener| (Port::Metrics, listener)));
            runtime.block_on(serve(all.collect(), facts));
        };
        thread::Builder::new().name("http".into()).spawn(thread).map_err(failed)?;
        Ok(server)
    }
}

async fn serve(listeners: Vec<(Port, TcpListener)>, facts: Arc<Facts>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut accepting = Vec::new();
    for (port, listener) in listeners {
        let (permits, facts) = (Arc::clone(&permits), Arc::clone(&facts));
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => accepting.push(tokio::spawn(accept(port, listener, permits, facts))),
            Err(error) => debug!(%error, "Cannot serve a port."),
        }
    }
    for port in accepting {
        // Only a panic ends it; the other ports go on.
        let _ = port.await;
    }
}

async fn accept(port: Port, listener: tokio::net::TcpListener, permits: Arc<Semaphore>, facts: Arc<Facts>) {
    loop {
        // Before accepting: who has to wait waits in the kernel's queue, which is bounded.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "Cannot accept a connection.");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let facts = Arc::clone(&facts);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(port, request, Arc::clone(&facts)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            match timeout(WHOLE, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%error, "A request failed."),
                Err(_) => debug!("A request took too long."),
            }
            drop(permit);
        });
    }
}

async fn answer(
    port: Port,
    request: Request<Incoming>,
    facts: Arc<Facts>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".into()));
    }
    Ok(match (port, request.uri().path()) {
        (Port::Health, "/healthz") => match facts.meters.since_poll() {
            idle if idle < HANGS => text(StatusCode::OK, "ok\n".into()),
            idle => text(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the reader hangs since {} s\n", idle.as_secs()),
            ),
        },
        (Port::Health, "/readyz") => ready(&facts, view(&facts).await),
        (Port::Metrics, "/metrics") => {
            let text_format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            let mut response = text(StatusCode::OK, metrics::render(&facts, view(&facts).await.as_ref()));
            response.headers_mut().insert(CONTENT_TYPE, text_format);
            response
        }
        (Port::Health, _) => text(StatusCode::NOT_FOUND, "try /healthz or /readyz\n".into()),
        (Port::Metrics, _) => text(StatusCode::NOT_FOUND, "try /metrics\n".into()),
    })
}

/// Capturing, with every hook that somebody needs attached. The probe has tested itself before we began. What
/// does not work, or failed its test, is listed: on a kernel that refuses a hook the rest is still worth having.
fn ready(facts: &Facts, view: Option<View>) -> Response<Full<Bytes>> {
    let not = |why: String| text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"));
    let Some(view) = view.filter(|_| facts.meters.started.load(Ordering::Acquire)) else {
        return not("not capturing".into());
    };
    let needed = || view.hooks.iter().filter(|hook| hook.kinds.intersects(view.captured));
    if !needed().any(|hook| matches!(hook.state, HookState::Attached { .. })) {
        return not("no hook is attached".into());
    }
    let waiting: Vec<_> =
        needed().filter(|hook| hook.state == HookState::Idle).map(|hook| hook.hook.as_str()).collect();
    if !waiting.is_empty() {
        return not(format!("needed and not attached: {}", waiting.join(", ")));
    }
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for hook in needed() {
        let reason = match &hook.state {
            HookState::Degraded(reason) => ("degraded", reason.trim_end()),
            HookState::Attached { verified: false } => ("unverified", "attached, and no test of it has run"),
            HookState::Attached { verified: true } | HookState::Idle | HookState::Absent => continue,
        };
        reasons.entry(reason).or_default().push(hook.hook.rsplit('/').next().unwrap_or_default());
    }
    let mut body = String::from("ok\n");
    for ((state, reason), hooks) in reasons {
        body.push_str(&format!("{state}: {reason}: {} ({})\n", hooks.len(), hooks.join(", ")));
    }
    text(StatusCode::OK, body)
}

/// What the main thread sees; none when it does not answer.
async fn view(facts: &Facts) -> Option<View> {
    let (reply, answer) = oneshot::channel();
    facts.main.send(Message::Look(reply)).ok()?;
    timeout(ANSWER, answer).await.ok()?.ok()
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
