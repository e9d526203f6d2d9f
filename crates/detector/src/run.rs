//! The life of the detector.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use sentinel_service::{addresses, listen};
use sentinel_sink::{Outputs, Suppression};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    Config, DetectorError,
    bus::Source,
    engine,
    grpc::Grpc,
    history::{self, Opened},
    http,
    hub::Hub,
    intake::Intake,
    meters::Meters,
    nodes::Nodes,
    replay::{self, Pace},
    traces::Known,
};

/// How often engines save what they have learned.
const SAVE: Duration = Duration::from_secs(300);
/// How long open calls may take to end when we stop.
const STOP: Duration = Duration::from_secs(5);

/// A started detector.
pub struct Detector {
    grpc: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    serving: JoinSet<&'static str>,
    history: oneshot::Receiver<()>,
    intake: Arc<Intake>,
    outputs: Arc<Outputs>,
}

/// Controls a detector from anywhere.
#[derive(Clone)]
pub struct Remote {
    stop: watch::Sender<bool>,
    intake: Arc<Intake>,
}

impl Remote {
    /// Ends open calls, makes safe what was taken, ends.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Replays a log of events into the detector, beside everything else that it does. Call it within its runtime.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub fn replay(&self, log: &Path, pace: Pace) -> Result<(), DetectorError> {
        replay::start(log, pace, Arc::clone(&self.intake), self.stop.subscribe())
    }
}

impl Detector {
    /// Opens the history and the ports, and serves. Needs a runtime with more than one thread.
    ///
    /// # Errors
    /// [`DetectorError`]: a port is in use, a file cannot be used.
    pub async fn start(config: &Config) -> Result<Self, DetectorError> {
        let failed = |source| DetectorError::System { what: "starting a thread", source };
        for warning in config.warnings() {
            warn!("{warning}");
        }
        // The configuration was checked: these are addresses.
        let open = |key, address: &str, port| {
            listen(key, address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port)
        };
        let grpc = open("grpc", &config.grpc.address, config.grpc.port)?;
        let web = open("http", &config.http.address, config.http.port)?;
        let meters = Arc::new(Meters::default());
        let engines = engine::build(config, &meters)?;
        let Opened { writer, library, shared, place } = history::open(&config.history).await?;
        let outputs = Outputs::start(&config.outputs, &Suppression::default(), &hostname())
            .map_err(|error| DetectorError::Outputs(error.to_string()))?;
        let outputs = Arc::new(outputs);
        let told = (Arc::clone(&meters), Arc::clone(&outputs));
        let (hub, history) = Hub::start(writer, library, shared, told, &Handle::current()).map_err(failed)?;
        let (nodes, known) = (Nodes::default(), Known::default());
        let intake = Arc::new(Intake { engines, hub, outputs: Arc::clone(&outputs), nodes, meters, known });
        let (stop, stopped) = watch::channel(false);
        let mut detector = Self {
            grpc: addresses(&grpc),
            http: addresses(&web),
            stop,
            serving: JoinSet::new(),
            history,
            intake: Arc::clone(&intake),
            outputs,
        };
        info!(grpc = ?detector.grpc, http = ?detector.http, history = place, "Listening.");
        let rpc = Grpc::new(config, grpc, Arc::clone(&intake), stopped.clone()).await?;
        let on = stopped.clone();
        detector.serving.spawn(async move {
            rpc.serve(on).await;
            "gRPC service"
        });
        if let Some(bus) = config.nats.bus() {
            let source = Source { bus, intake: Arc::clone(&intake), stop: stopped.clone() };
            detector.serving.spawn(async move {
                source.run().await;
                "NATS source"
            });
        }
        let config = config.clone();
        detector.serving.spawn(async move {
            http::serve(&config, web, intake, stopped).await;
            "HTTP service"
        });
        Ok(detector)
    }

    /// Addresses of the gRPC port.
    pub fn grpc(&self) -> &[SocketAddr] {
        &self.grpc
    }

    /// Addresses of the HTTP port.
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// What controls it.
    pub fn remote(&self) -> Remote {
        Remote { stop: self.stop.clone(), intake: Arc::clone(&self.intake) }
    }

    /// Lets every engine put on the disk what it has learned.
    async fn save(&self) {
        let intake = Arc::clone(&self.intake);
        // Only a panic of an engine could end it; the others are none the worse.
        let _ =
            tokio::task::spawn_blocking(move || intake.engines.iter().for_each(|engine| engine.save())).await;
    }

    /// Runs until it is stopped, or until a part ends that must not.
    ///
    /// # Errors
    /// [`DetectorError::Died`].
    pub async fn run(mut self) -> Result<(), DetectorError> {
        info!(version = env!("CARGO_PKG_VERSION"), "Started.");
        let mut stopped = self.stop.subscribe();
        let died = loop {
            tokio::select! {
                () = told(&mut stopped) => break None,
                _ = &mut self.history => break Some("history thread"),
                Some(ended) = self.serving.join_next() => break Some(ended.unwrap_or("service")),
                () = sleep(SAVE) => self.save().await,
            }
        };
        // A service ends when it is told to; then nothing died.
        let told = self.stop.send_replace(true);
        // What was taken and is not safe yet was not acknowledged: nothing is lost when this takes too long.
        let all = async { while self.serving.join_next().await.is_some() {} };
        if timeout(STOP, all).await.is_err() {
            info!("Calls were still open; they are cut off.");
            self.serving.shutdown().await;
        }
        self.save().await;
        match died {
            Some(part) if !told => Err(DetectorError::Died(part)),
            Some(_) | None => {
                // They were given every alert that was acknowledged.
                let outputs = self.outputs;
                let _ = tokio::task::spawn_blocking(move || outputs.stop(STOP)).await;
                info!("Stopped.");
                Ok(())
            }
        }
    }
}

/// Waits until we are told to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// What outputs call this machine.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_default()
}
