//! The agent's program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sentinel_agent::main(std::env::args_os())
}
