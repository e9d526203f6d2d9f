//! From the kernel to [`sentinel_event::Event`]: builds, loads and attaches the programs in `bpf/` and
//! decodes what they send. The only crate that needs clang and libbpf. It knows no containers, no rules
//! and no network, and starts no threads: the caller owns the thread that calls [`Reader::poll`].
//!
//! ```text
//! Options ─► Probe::load ─┬─► Probe   attach, detach, count, list processes
//!                         └─► Reader  ring ─decode─► records ─ledger─► events
//! ```

#[cfg(target_pointer_width = "32")]
compile_error!("the wire aligns 64-bit integers to 8 bytes; 32-bit targets do not");

mod abi;
mod attach;
mod calls;
mod canary;
mod capabilities;
mod cgroups;
mod compat;
mod counters;
#[cfg(test)]
mod coverage;
pub mod decode;
mod error;
mod filter;
mod ledger;
mod load;
mod mounts;
mod plan;
mod probe;
mod reader;
mod selftest;
mod skel;
mod support;
mod uring;
mod verdict;

use std::time::Duration;

pub use attach::{HookFault, HookState, HookStatus};
pub use capabilities::{Admin, give_up_admin};
pub use cgroups::CgroupBook;
pub use counters::{Counters, KindCounters};
pub use decode::process::OpenFd;
pub use error::ProbeError;
pub use mounts::{Mount, mount_missing};
pub use probe::Probe;
pub use reader::Reader;
use sentinel_event::KindSet;
pub use support::{Fact, Support};

/// What to capture and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kinds that somebody wants. Programs that nothing needs are not attached.
    pub kinds: KindSet,
    /// Calls that are events of kind `syscall`, by name: those that rules name and that have no kind of their own.
    pub syscalls: Vec<String>,
    /// Exec events carry the environment of the program: up to 4096 bytes, secrets included.
    pub environment: bool,
    /// Reads, writes and messages carry their first 80 bytes, secrets included, and what a stream moves first is a
    /// message too. Needs Linux 5.17.
    pub buffers: bool,
    /// See 32-bit calls (`int 0x80`, 32-bit programs) too, on x86-64: every system call of the machine pays for it.
    pub compat: bool,
    /// Sum reads and writes per open file in the kernel; off gives one event per call.
    pub aggregate: bool,
    /// How often sums of files still open are reported.
    pub sweep: Duration,
    /// Size of the ring in bytes: a power of two, at least 64 KiB.
    pub ring_bytes: u32,
    /// Descriptors of this process that carry our own output: what we read and write there is excluded.
    pub own_fds: Vec<i32>,
    /// Report this process alone (pid in the initial namespace): for measurements, where the rest of the
    /// machine must not count.
    pub only_tgid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kinds: KindSet::all(),
            syscalls: Vec::new(),
            environment: false,
            buffers: false,
            compat: false,
            aggregate: true,
            sweep: Duration::from_secs(1),
            ring_bytes: 8 << 20,
            own_fds: Vec::new(),
            only_tgid: None,
        }
    }
}
