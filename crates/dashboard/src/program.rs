//! The command line of `sentinel-dashboard`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use sentinel_service::{Ended, Failed, NotifyState, init_logging, tell};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tracing::info;

use crate::{Config, ConfigError, DashboardError, Detector, Server};

/// Shows the alerts of one or several detectors in a browser: http://127.0.0.1:8080 unless told otherwise.
///
/// Exit codes: 0 ok, 1 runtime failure, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "sentinel-dashboard", version)]
struct Arguments {
    /// Configuration file [default: /etc/sentinel-ebpf/dashboard-config.yaml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A detector's alerts API, e.g. http://127.0.0.1:8090 or hub=http://10.0.0.7:8090; may be repeated.
    /// Replaces the configuration's detectors.
    #[arg(long = "detector", value_name = "[NAME=]URL")]
    detectors: Vec<String>,
    /// IP address to listen at, instead of the configuration's.
    #[arg(long, value_name = "IP")]
    address: Option<String>,
    /// Port to listen at, instead of the configuration's.
    #[arg(long)]
    port: Option<u16>,
    /// What a reverse proxy leaves before every path, instead of the configuration's.
    #[arg(long, value_name = "PATH")]
    path_prefix: Option<String>,
    /// Check the configuration, say what is wrong, and end.
    #[arg(long)]
    check_config: bool,
}

/// The program: arguments in (the first is its own name), exit code out.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    sentinel_service::main(arguments, work)
}

impl Ended for DashboardError {
    fn exit_code(&self) -> u8 {
        self.exit_code()
    }
}

fn work(arguments: Arguments) -> Result<(), Failed> {
    let early = |error: ConfigError| Failed::early(DashboardError::from(error));
    let mut config = Config::load(arguments.config.as_deref()).map_err(early)?;
    if !arguments.detectors.is_empty() {
        config.detectors = arguments.detectors.iter().map(|text| detector(text)).collect();
    }
    if let Some(address) = arguments.address {
        config.http.address = address;
    }
    if let Some(port) = arguments.port {
        config.http.port = port;
    }
    if let Some(prefix) = arguments.path_prefix {
        config.http.path_prefix = prefix;
    }
    config.check().map_err(early)?;
    if arguments.check_config {
        println!("configuration is right");
        for warning in config.warnings() {
            println!("warning: {warning}");
        }
        return Ok(());
    }
    init_logging(config.log_level).map_err(Failed::early)?;
    run(&config).map_err(Failed::late)
}

fn detector(text: &str) -> Detector {
    let (name, url) = match text.split_once('=') {
        Some((name, url)) if !name.contains('/') => (name, url),
        _ => ("", text),
    };
    Detector { name: name.into(), url: url.into(), token_file: None }
}

/// Serves until SIGINT or SIGTERM.
fn run(config: &Config) -> Result<(), DashboardError> {
    let failed = |source| DashboardError::System { what: "handling signals", source };
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let server = Server::start(config)?;
    tell(&[NotifyState::Ready, NotifyState::Status("Serving.")]);
    let _ = signals.forever().next();
    tell(&[NotifyState::Stopping]);
    server.stop();
    info!("Stopped.");
    Ok(())
}
