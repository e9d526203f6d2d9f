//! The frame of a service's `main`: arguments in, exit code out, errors told once and where they are looked for.

use std::{ffi::OsString, fmt::Display, process::ExitCode};

use clap::Parser;
use tracing::error;

/// An error that ends a service.
pub trait Ended: Display {
    /// What the program exits with: 1 runtime failure, 2 configuration, 3 the kernel or the privileges refuse.
    fn exit_code(&self) -> u8;
}

impl Ended for crate::SettingsError {
    fn exit_code(&self) -> u8 {
        2
    }
}

/// How a service failed.
#[derive(Debug)]
pub struct Failed {
    message: String,
    code: u8,
    logged: bool,
}

impl Failed {
    /// Before logging was set up: told on standard error.
    pub fn early(error: impl Ended) -> Self {
        Self { message: error.to_string(), code: error.exit_code(), logged: false }
    }

    /// Afterwards: told in the log.
    pub fn late(error: impl Ended) -> Self {
        Self { logged: true, ..Self::early(error) }
    }
}

/// Runs `work` with the arguments (the first is the program's own name).
pub fn main<A: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(A) -> Result<(), Failed>,
) -> ExitCode {
    let arguments = match A::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(shown) => {
            // Help and version are such errors too; a closed output does not matter to them.
            let _ = shown.print();
            return ExitCode::from(u8::try_from(shown.exit_code()).unwrap_or(2));
        }
    };
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { message, code, logged }) => {
            if logged {
                error!(error = %message, "Stopped.");
            } else {
                eprintln!("{}: {message}", A::command().get_name());
            }
            ExitCode::from(code)
        }
    }
}
