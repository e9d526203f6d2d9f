//! The gRPC port: `sentinel.v1.DetectorService`, health and reflection.

mod connection;
mod service;
mod streams;

use std::{fs, net::TcpListener, path::Path, sync::Arc, time::Duration};

use sentinel_wire::{DESCRIPTORS, raw::detector_service_server::DetectorServiceServer};
use tokio::sync::{Semaphore, watch};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig, server::Router};
use tracing::error;

use self::{connection::Connections, service::Service};
use crate::{Config, DetectorError, Tls, intake::Intake};

/// How often a connection that is silent is asked whether it lives, and how long the answer may take.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// How long a client may take to greet, and for the TLS handshake.
const GREETING: Duration = Duration::from_secs(10);
/// Calls at a time on one connection.
const CALLS: u32 = 256;
/// Bytes that may be under way: of one call, of one connection.
const WINDOWS: (u32, u32) = (1 << 20, 4 << 20);
/// Bytes of a piece of a message: a batch has some hundred kilobytes, and each piece costs.
const FRAME: u32 = 128 << 10;

/// The service, ready to serve.
pub(crate) struct Grpc {
    listeners: Vec<TcpListener>,
    router: Router,
    permits: Arc<Semaphore>,
    intake: Arc<Intake>,
}

impl Grpc {
    /// Sets the service up; reads the files of TLS.
    pub(crate) async fn new(
        config: &Config,
        listeners: Vec<TcpListener>,
        intake: Arc<Intake>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, DetectorError> {
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE.0))
            .http2_keepalive_timeout(Some(KEEPALIVE.1))
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .max_frame_size(Some(FRAME))
            .max_concurrent_streams(Some(CALLS));
        if let Some(tls) = encryption(&config.grpc.tls)? {
            server = server.tls_config(tls).map_err(|error| DetectorError::Tls(described(&error)))?;
        }
        let (health, healthy) = tonic_health::server::health_reporter();
        health.set_serving::<DetectorServiceServer<Service>>().await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let broken = |error: tonic_reflection::server::Error| DetectorError::System {
            what: "serving reflection",
            source: std::io::Error::other(error),
        };
        let service = DetectorServiceServer::new(Service::new(Arc::clone(&intake), stop))
            .max_decoding_message_size(config.grpc.max_message_bytes);
        let router = server
            .add_service(healthy)
            .add_service(reflection().build_v1().map_err(broken)?)
            .add_service(reflection().build_v1alpha().map_err(broken)?)
            .add_service(service);
        Ok(Self { listeners, router, permits: Arc::new(Semaphore::new(config.grpc.max_connections)), intake })
    }

    /// Serves until `stop` says true, and then for as long as open calls take to end.
    pub(crate) async fn serve(self, stop: watch::Receiver<bool>) {
        let mut serving = tokio::task::JoinSet::new();
        for listener in self.listeners {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { continue };
            let meters = Arc::clone(&self.intake.meters);
            let incoming = Connections::new(listener, Arc::clone(&self.permits), meters, GREETING);
            let mut stop = stop.clone();
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            serving.spawn(self.router.clone().serve_with_incoming_shutdown(incoming, stopped));
        }
        while let Some(ended) = serving.join_next().await {
            if let Ok(Err(error)) = ended {
                error!(error = described(&error), "Serving gRPC ended.");
            }
        }
    }
}

fn encryption(tls: &Tls) -> Result<Option<ServerTlsConfig>, DetectorError> {
    let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else { return Ok(None) };
    let identity = Identity::from_pem(read("grpc.tls.cert", cert)?, read("grpc.tls.key", key)?);
    let config = ServerTlsConfig::new().identity(identity).timeout(GREETING);
    Ok(Some(match &tls.client_ca {
        Some(ca) => config.client_ca_root(Certificate::from_pem(read("grpc.tls.clientCa", ca)?)),
        None => config,
    }))
}

pub(crate) fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, DetectorError> {
    fs::read(path).map_err(|error| DetectorError::File {
        key,
        path: path.to_owned(),
        problem: format!("{error}; correct the path, or make it readable for this user"),
    })
}

/// tonic's own words are few; the causes tell.
fn described(error: &tonic::transport::Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
