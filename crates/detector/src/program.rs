//! The command line of `sentinel-detector`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use sentinel_service::{Ended, Failed, NotifyState, init_logging, tell, watchdog};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::{Config, ConfigError, Detector, DetectorError, Pace, engine};

/// Takes events and alerts from nodes, judges, remembers, and tells: one feed, one history, one API.
///
/// Exit codes: 0 ok, 1 runtime failure, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "sentinel-detector", version)]
struct Arguments {
    /// Configuration file [default: /etc/sentinel-ebpf/detector-config.yaml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration, say what is wrong, and end.
    #[arg(long)]
    check_config: bool,
    /// Replay this log of events (EVT1, gzip or not) into the detector, beside everything else.
    #[arg(long, value_name = "FILE")]
    replay_log: Option<PathBuf>,
    /// How fast.
    #[arg(long, value_name = "PACE", default_value = "realtime", requires = "replay_log")]
    replay_pace: Pace,
}

/// The program: arguments in (the first is its own name), exit code out.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    sentinel_service::main(arguments, work)
}

impl Ended for DetectorError {
    fn exit_code(&self) -> u8 {
        self.exit_code()
    }
}

fn work(arguments: Arguments) -> Result<(), Failed> {
    let early = |error: ConfigError| Failed::early(DetectorError::from(error));
    let config = Config::load(arguments.config.as_deref()).map_err(early)?;
    if arguments.check_config {
        engine::check(&config).map_err(Failed::early)?;
        println!("configuration is right");
        for warning in config.warnings() {
            println!("warning: {warning}");
        }
        return Ok(());
    }
    init_logging(config.log_level).map_err(Failed::early)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failed::late(DetectorError::System { what: "starting threads", source }))?;
    let ended = runtime.block_on(serve(&config, &arguments)).map_err(Failed::late);
    // A question to the store may still be under way; nobody waits for its answer.
    runtime.shutdown_background();
    ended
}

async fn serve(config: &Config, arguments: &Arguments) -> Result<(), DetectorError> {
    let failed = |source| DetectorError::System { what: "handling signals", source };
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let detector = Detector::start(config).await?;
    let remote = detector.remote();
    if let Some(log) = &arguments.replay_log {
        remote.replay(log, arguments.replay_pace)?;
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("Told to stop.");
        tell(&[NotifyState::Stopping]);
        remote.stop();
    });
    tell(&[NotifyState::Ready, NotifyState::Status("Taking events and alerts.")]);
    keep_alive();
    detector.run().await
}

/// Tells the service manager that the runtime turns, twice as often as it wants to hear it.
fn keep_alive() {
    let Some(period) = watchdog() else { return };
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(period / 2).await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}
