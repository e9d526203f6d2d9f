//! The dashboard's program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sentinel_dashboard::main(std::env::args_os())
}
