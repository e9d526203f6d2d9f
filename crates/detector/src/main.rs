//! The detector's program; everything is in the library.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Batches are large and live for milliseconds: glibc takes fresh pages from the kernel for each. How it is set:
/// `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    sentinel_detector::main(std::env::args_os())
}
