//! The detector and the dashboard of `sentinel run`, in this process and for as long as it runs.
//!
//! The agent reaches the detector as any agent does, over gRPC on the loopback: what is seen here is what a fleet
//! would see. The history is a temporary directory that only its owner may read.

use std::net::SocketAddr;

use anyhow::Context as _;
use sentinel_dashboard::{DashboardError, Server};
use sentinel_detector::{Detector, DetectorError, Remote};
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};

/// Where the dashboard and the hub are looked for first.
const PORT: u16 = 8080;

/// Both, running.
pub(super) struct Hub {
    /// Where the agent finds the detector: `HOST:PORT`.
    pub(super) endpoint: String,
    /// Where a browser finds the dashboard.
    pub(super) url: String,
    remote: Remote,
    dashboard: Server,
    ended: JoinHandle<Result<(), DetectorError>>,
    runtime: Runtime,
    /// Deleted when all the others are gone.
    _history: TempDir,
}

impl Hub {
    /// Starts both. With a `port` the dashboard is there or this fails; without, it is at 8080 or, when somebody
    /// else is, anywhere.
    pub(super) fn start(port: Option<u16>) -> anyhow::Result<Self> {
        let history = tempfile::Builder::new().prefix("sentinel-").tempdir();
        let history =
            history.context("a directory for the history; set TMPDIR to one that can be written")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let detector = runtime.block_on(detector(&history)).context("the detector of this run")?;
        let at = |addresses: &[SocketAddr]| addresses.first().copied().context("no address");
        let (grpc, hub) = (at(detector.grpc())?, at(detector.http())?);
        let dashboard = dashboard(port, hub).context("the dashboard of this run")?;
        let url = format!("http://{}", at(dashboard.addresses())?);
        let remote = detector.remote();
        let ended = runtime.spawn(detector.run());
        Ok(Self { endpoint: grpc.to_string(), url, remote, dashboard, ended, runtime, _history: history })
    }

    /// Ends both; what the agent has pushed is taken first.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.dashboard.stop();
        self.remote.stop();
        self.runtime.block_on(self.ended).context("the detector of this run")??;
        Ok(())
    }
}

/// At its own ports where they are free, so that whoever knows them finds it.
async fn detector(history: &TempDir) -> Result<Detector, DetectorError> {
    let mut config = sentinel_detector::Config::default();
    config.history.path = history.path().join("history.db");
    config.grpc.port = 0;
    match Detector::start(&config).await {
        Err(DetectorError::Listen(error)) if error.is_taken() => {
            config.http.port = 0;
            Detector::start(&config).await
        }
        started => started,
    }
}

fn dashboard(port: Option<u16>, hub: SocketAddr) -> Result<Server, DashboardError> {
    let mut config = sentinel_dashboard::Config::default();
    for detector in &mut config.detectors {
        detector.url = format!("http://{hub}");
    }
    config.http.port = port.unwrap_or(PORT);
    match Server::start(&config) {
        Err(DashboardError::Listen(error)) if port.is_none() && error.is_taken() => {
            config.http.port = 0;
            Server::start(&config)
        }
        started => started,
    }
}
