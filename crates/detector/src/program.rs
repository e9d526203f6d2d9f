//! The command line of `sentinel-detector`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, error, info};

use crate::{Config, Detector, DetectorError, Pace, engine, telemetry};

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
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(shown) => {
            // Help and version are such errors too; a closed output does not matter to them.
            let _ = shown.print();
            return ExitCode::from(u8::try_from(shown.exit_code()).unwrap_or(2));
        }
    };
    match work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((error, logged)) => {
            if logged {
                error!(%error, "Stopped.");
            } else {
                eprintln!("sentinel-detector: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// The error, and whether logging was set up to say it.
type Failed = (DetectorError, bool);

fn work(arguments: &Arguments) -> Result<(), Failed> {
    let config = Config::load(arguments.config.as_deref()).map_err(|error| (error.into(), false))?;
    if arguments.check_config {
        engine::check(&config).map_err(|error| (error, false))?;
        println!("configuration is right");
        for warning in config.warnings() {
            println!("warning: {warning}");
        }
        return Ok(());
    }
    telemetry::init(config.log_level).map_err(|error| (error.into(), false))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| (DetectorError::System { what: "starting threads", source }, true))?;
    let ended = runtime.block_on(serve(&config, arguments)).map_err(|error| (error, true));
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
    watchdog();
    detector.run().await
}

/// Outside systemd this does nothing.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "Cannot reach the service manager.");
    }
}

/// Tells the service manager that the runtime turns, twice as often as it wants to hear it.
fn watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(period / 2).await;
            tell(&[NotifyState::Watchdog]);
        }
    });
}
