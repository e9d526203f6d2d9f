//! The HTTP port: the feed, the API, health and metrics.
//!
//! hyper serves connections with limits of time and size; axum, which tonic brings anyway, finds the handler. A
//! connection has 5 s for a request's head and gives way when it is idle; a reader of the feed that does not
//! read is cut off, so nobody holds a place for nothing.

mod alerts;
mod answer;
mod feed;
mod guard;
mod lineage;
mod metrics;
mod nodes;
mod openapi;
mod stats;
mod tally;

use std::{net::TcpListener, sync::Arc, time::Duration};

use axum::{Router, extract::Request, routing::get};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::sync::{Notify, Semaphore, watch};
use tracing::debug;

use crate::{Config, intake::Intake};

/// How long a request's head may take, and how long a connection may be idle between two requests.
const HEAD: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// Pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(100);

/// What requests are answered from.
#[derive(Clone)]
struct Facts {
    intake: Arc<Intake>,
    stop: watch::Receiver<bool>,
}

/// Ends the connection that a request came over.
#[derive(Clone)]
struct Cut(Arc<Notify>);

fn routes(config: &Config, facts: Facts) -> Router {
    let guard = Arc::new(guard::Guard::new(&config.http, Arc::clone(&facts.intake.meters)));
    Router::new()
        .route("/events", get(feed::events))
        .route("/api/alerts", get(alerts::alerts))
        .route("/api/lineage/{alert_id}", get(lineage::lineage))
        .route("/api/nodes", get(nodes::nodes))
        .route("/api/rules", get(nodes::rules))
        .route("/api/stats", get(stats::stats))
        .route("/openapi.json", get(openapi::document))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(answer::health))
        .fallback(answer::nowhere)
        .method_not_allowed_fallback(answer::only_get)
        .with_state(facts)
        .layer(axum::middleware::from_fn_with_state(guard, guard::check))
}

/// Serves until `stop` says true.
pub(crate) async fn serve(
    config: &Config,
    listeners: Vec<TcpListener>,
    intake: Arc<Intake>,
    mut stop: watch::Receiver<bool>,
) {
    let router = routes(config, Facts { intake, stop: stop.clone() });
    let permits = Arc::new(Semaphore::new(config.http.max_connections));
    let mut accepting = tokio::task::JoinSet::new();
    for listener in listeners {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => drop(accepting.spawn(accept(listener, router.clone(), Arc::clone(&permits)))),
            Err(error) => debug!(%error, "Cannot serve a port."),
        }
    }
    // Only a panic ends them; the other port goes on.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(listener: tokio::net::TcpListener, router: Router, permits: Arc<Semaphore>) {
    loop {
        // Before accepting: who has to wait waits in the kernel's queue, which is bounded.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "Cannot accept a connection.");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without it small messages of the feed wait for others.
        let _ = stream.set_nodelay(true);
        let cut = Cut(Arc::new(Notify::new()));
        let (router, told) = (TowerToHyperService::new(router.clone()), cut.clone());
        tokio::spawn(async move {
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(told.clone());
                hyper::service::Service::call(&router, request.map(axum::body::Body::new) as Request)
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                served = connection => if let Err(error) = served {
                    debug!(%error, "A request failed.");
                },
                () = cut.0.notified() => {}
            }
            drop(permit);
        });
    }
}
