//! The command line of `sentinel-detector`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use sentinel_service::{Ended, Failed, NotifyState, init_logging, tell, watchdog};
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use crate::{Config, ConfigError, Detector, DetectorError, Pace, engine};

/// Takes events and alerts from nodes, judges, remembers, and tells: one feed, one history, one API.
///
/// Exit codes: 0 ok, 1 runtime failure, 2 usage or configuration.
#[derive(Debug, Parser)]
#[command(name = "sentinel-detector", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
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

#[derive(Debug, Subcommand)]
enum Command {
    /// Evaluate the engine `baseline` on recordings: learn the first part, judge the rest, and tell the ROC-AUC, false
    /// alarms and attacks found.
    ///
    /// Attacks are what `sentinel-simulate run NAME` did in the last part. `scripts/evaluate.sh` makes a recording.
    Evaluate {
        /// Logs of events (EVT1, gzip or not), in the order of time.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Configuration file, for `baseline.threshold` [default: as without a file].
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Share of the time that is learned and not judged, above 0 and below 1.
        #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
        learn: f64,
        /// Pass over what the simulator's benign twins did; then it is a program that nobody has seen before.
        #[arg(long)]
        without_twins: bool,
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        Ok(_) | Err(_) => Err("expected a number above 0 and below 1".into()),
    }
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
    if let Some(command) = &arguments.command {
        return evaluate(command);
    }
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

fn evaluate(Command::Evaluate { files, config, learn, without_twins, json }: &Command) -> Result<(), Failed> {
    let failed = |source| Failed::early(DetectorError::System { what: "evaluating", source });
    let config = match config {
        Some(path) => Config::load(Some(path)).map_err(|error| Failed::early(DetectorError::from(error)))?,
        None => Config::default(),
    };
    let evaluation =
        engine::evaluate(files, *learn, config.baseline.threshold, !without_twins).map_err(failed)?;
    if *json {
        let text = serde_json::to_string(&evaluation).map_err(|error| failed(error.into()))?;
        println!("{text}");
    } else {
        print!("{evaluation}");
    }
    Ok(())
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
