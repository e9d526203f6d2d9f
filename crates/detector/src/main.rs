//! The detector's program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sentinel_detector::main(std::env::args_os())
}
