//! The command line of `sentinel-agent`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use tracing::error;

use crate::{AgentError, Config, Job, Rules, Sink, check_detection, init_logging, run};

/// Observes what processes do, raises alerts, and streams both: one JSON object a line on standard output.
///
/// Exit codes: 0 ok, 1 runtime failure, 2 usage or configuration, 3 the kernel or the privileges refuse.
#[derive(Debug, Parser)]
#[command(name = "sentinel-agent", version)]
struct Arguments {
    /// Configuration file [default: /etc/sentinel-ebpf/agent-config.yaml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Forward rules, instead of the configuration's rulesFile.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Check configuration and rules, say what is wrong, and end.
    #[arg(long)]
    check_config: bool,
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
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err((error, logged)) => {
            if logged {
                error!(%error, "Stopped.");
            } else {
                eprintln!("sentinel-agent: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// The error, and whether logging was set up to say it.
type Failed = (AgentError, bool);

fn work(arguments: Arguments) -> Result<(), Failed> {
    let before = |error: crate::ConfigError| (AgentError::from(error), false);
    let config = Config::load(arguments.config.as_deref()).map_err(before)?;
    let rules = match arguments.rules {
        Some(path) => Rules::File { path, required: true },
        None => Rules::File { path: config.rules_file.clone(), required: !config.rules_file_is_default() },
    };
    if arguments.check_config {
        let forward = rules.load().map_err(before)?;
        let detected = check_detection(&config.detection, &forward).map_err(before)?;
        for warning in &detected.warnings {
            eprintln!("warning: {warning}");
        }
        println!("configuration and rules are right: {} detection rules", detected.rules);
        return Ok(());
    }
    init_logging(config.log_level).map_err(before)?;
    run(&config, Job { rules, sink: Sink::Streams, alerts: None, listen: true })
        .map_err(|error| (error, true))
}
