//! The program `sentinel`: everything in one process, and the tools around it.
//!
//! Comes in: the command line. Goes out: text for people at a terminal, JSON for programs, and an exit
//! code: 0 ok, 1 findings or a failure at run time, 2 usage or configuration, 3 the kernel or the
//! privileges refuse. Whatever does not need a terminal lives in the other crates.

mod args;
mod choice;
mod decode;
mod doctor;
mod generate;
mod live;
mod progress;
mod replay;
mod rules;
mod run;
mod tail;

use std::process::ExitCode;

use clap::Parser as _;
use sentinel_agent::{AgentError, ConfigError};

use self::args::{Args, Command};

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Decode(args) => decode::decode(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Tail(args) => tail::tail(&args),
        Command::Rules(args) => rules::rules(&args),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { dir } => generate::man(dir.as_deref()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", message(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The error and its causes; messages that name their cause themselves are not followed by it.
fn message(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| {
        if told.is_empty() {
            cause
        } else if told.contains(&cause) {
            told
        } else {
            format!("{told}: {cause}")
        }
    })
}

/// The exit code of an error: that of its cause.
fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| {
            cause
                .downcast_ref::<AgentError>()
                .map(AgentError::exit_code)
                .or_else(|| cause.downcast_ref::<ConfigError>().map(|_| 2))
                .or_else(|| cause.downcast_ref::<choice::Usage>().map(|_| 2))
        })
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use sentinel_agent::SettingsError;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let missing = || std::io::Error::from_raw_os_error(2);
        let unreadable = SettingsError::Unreadable { file: "/f".into(), source: missing() };
        assert_eq!(message(&unreadable.into()).matches("No such file").count(), 1);
        let plain = anyhow::Error::from(missing()).context("/g");
        assert_eq!(message(&plain), "/g: No such file or directory (os error 2)");
    }

    #[test]
    fn the_exit_code_is_that_of_the_cause() {
        let config = || ConfigError::from(SettingsError::Syntax { file: "f".into(), message: "m".into() });
        assert_eq!(exit_code(&anyhow::Error::from(config()).context("while reading")), 2);
        assert_eq!(exit_code(&AgentError::from(config()).into()), 2);
        assert_eq!(exit_code(&anyhow::anyhow!("else")), 1);
    }
}
