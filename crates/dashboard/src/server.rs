//! The port: a thread of its own with tokio's single-threaded runtime.
//!
//! 256 connections are open at most and 32 of them are live views; a head may have 16 KiB and 5 s. Malformed,
//! slow and huge requests cost themselves.

use std::{
    net::{SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    thread,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use sentinel_service::{NotifyState, addresses, listen, tell, watchdog};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    Config, DashboardError, app,
    route::{Facts, answer},
};

const CONNECTIONS: usize = 256;
const LIVE_VIEWS: usize = 32;
const HEAD: Duration = Duration::from_secs(5);
const HEAD_BYTES: usize = 16 << 10;
/// How long answers under way may take once we are told to stop.
const STOP: Duration = Duration::from_secs(2);

/// A running dashboard. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Places for live views.
pub(crate) struct Readers {
    permits: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

/// The place of one live view.
pub(crate) struct Reading {
    pub(crate) stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    /// A place, when one is free.
    pub(crate) fn admit(&self) -> Option<Reading> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(Reading { stop: self.stop.clone(), _permit: permit })
    }
}

/// Returns once we are told to stop.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can tell us any more: the server is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Server {
    /// Opens the port and serves until [`Server::stop`].
    ///
    /// # Errors
    /// [`DashboardError`]: the configuration is wrong, the port is taken, or no thread can be had.
    pub fn start(config: &Config) -> Result<Self, DashboardError> {
        let warnings = config.warnings();
        let config = config.checked()?;
        let listeners = listen("http", config.address, config.port)?;
        let addresses = addresses(&listeners);
        let names: Vec<_> = config.detectors.iter().map(|one| one.name.as_str()).collect();
        info!(?addresses, prefix = config.prefix, detectors = ?names, "Listening.");
        for warning in warnings {
            warn!("{warning}");
        }
        if !app::is_built() {
            warn!("This program was compiled without the web app: run make web and compile it again.");
        }
        let failed = |source| DashboardError::System { what: "serving the dashboard", source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let (stop, told) = watch::channel(false);
        let readers = Readers { permits: Arc::new(Semaphore::new(LIVE_VIEWS)), stop: told.clone() };
        let facts = Arc::new(Facts { detectors: config.detectors.clone().into(), config, readers });
        let work = move || {
            runtime.block_on(serve(listeners, facts, told));
            // A name that is being looked up cannot be called back; it does not hold us.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("dashboard".into()).spawn(work).map_err(failed)?;
        Ok(Self { addresses, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Ends live views, lets other answers finish for up to 2 s, and closes the port.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("The dashboard's thread ended by itself; it is a bug worth a report.");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn serve(listeners: Vec<TcpListener>, facts: Arc<Facts>, stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                accepting.spawn(accept(listener, Arc::clone(&permits), Arc::clone(&facts), stop.clone()));
            }
            Err(error) => warn!(%error, "Cannot serve a port."),
        }
    }
    // The service manager is told that this thread turns, twice as often as it wants to hear it.
    if let Some(period) = watchdog() {
        accepting.spawn(async move {
            loop {
                sleep(period / 2).await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
    stopped(stop).await;
    accepting.shutdown().await;
    // Every connection holds a permit; all of them are back when all have ended.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    if timeout(STOP, permits.acquire_many(all)).await.is_err() {
        debug!("Some answers were not finished.");
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    permits: Arc<Semaphore>,
    facts: Arc<Facts>,
    stop: watch::Receiver<bool>,
) {
    loop {
        // Before accepting: who has to wait waits in the kernel's queue, which is bounded.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "Cannot accept a connection.");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Alerts are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let (facts, stop) = (Arc::clone(&facts), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&facts), peer.ip(), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(connection);
            let result = tokio::select! {
                result = connection.as_mut() => result,
                () = stopped(stop) => {
                    connection.as_mut().graceful_shutdown();
                    timeout(STOP, connection).await.unwrap_or(Ok(()))
                }
            };
            if let Err(error) = result {
                debug!(%error, "A connection failed.");
            }
            drop(permit);
        });
    }
}
