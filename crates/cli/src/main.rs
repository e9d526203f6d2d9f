//! The program `sentinel`. See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sentinel_cli::main()
}
