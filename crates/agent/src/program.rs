//! The command line of `sentinel-agent`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Parser;
use sentinel_service::{Ended, Failed, init_logging};

use crate::{AgentError, Config, ConfigError, Job, Rules, Sink, check_detection, run};

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
    sentinel_service::main(arguments, work)
}

impl Ended for AgentError {
    fn exit_code(&self) -> u8 {
        self.exit_code()
    }
}

impl Ended for ConfigError {
    fn exit_code(&self) -> u8 {
        2
    }
}

fn work(arguments: Arguments) -> Result<(), Failed> {
    let config = Config::load(arguments.config.as_deref()).map_err(Failed::early)?;
    let rules = match arguments.rules {
        Some(path) => Rules::File { path, required: true },
        None => Rules::File { path: config.rules_file.clone(), required: !config.rules_file_is_default() },
    };
    if arguments.check_config {
        let forward = rules.load().map_err(Failed::early)?;
        let detected = check_detection(&config, &forward).map_err(Failed::early)?;
        for warning in config.warnings().iter().chain(&detected.warnings) {
            eprintln!("warning: {warning}");
        }
        println!("configuration and rules are right: {} detection rules", detected.rules);
        return Ok(());
    }
    init_logging(config.log_level).map_err(Failed::early)?;
    run(&config, Job { rules, sink: Sink::Streams, alerts: None, listen: true }).map_err(Failed::late)
}
