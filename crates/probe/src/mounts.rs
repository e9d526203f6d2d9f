//! The kernel's file systems that the programs need. A minimal container or an early boot has not mounted
//! them; who may load programs may mount them, too.

use std::path::Path;

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};

/// A file system that was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Type: `tracefs`, `bpf` or `securityfs`.
    pub kind: &'static str,
    /// Where it belongs.
    pub target: &'static str,
    /// Whether it is there now; else why not.
    pub result: Result<(), Errno>,
}

/// Type, place, and a file that shows that it is mounted.
const NEEDED: [(&str, &str, &str); 3] = [
    ("tracefs", "/sys/kernel/tracing", "/sys/kernel/tracing/events"),
    ("bpf", "/sys/fs/bpf", "/proc/self/mountinfo"),
    ("securityfs", "/sys/kernel/security", "/sys/kernel/security/lsm"),
];

/// Mounts what is missing and tells what it has done; nothing when all is there. tracefs is needed to
/// attach, securityfs only to read which LSMs are active, bpffs only for others to see our programs.
pub fn mount_missing() -> Vec<Mount> {
    NEEDED
        .into_iter()
        .filter(|(kind, target, witness)| !is_mounted(kind, target, Path::new(witness)))
        .map(|(kind, target, _)| {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            Mount { kind, target, result: mount(Some(kind), target, Some(kind), flags, None::<&str>) }
        })
        .collect()
}

fn is_mounted(kind: &str, target: &str, witness: &Path) -> bool {
    if witness != Path::new("/proc/self/mountinfo") {
        return witness.exists();
    }
    // bpffs is empty when nothing is pinned: only the table of mounts tells.
    let mounts = std::fs::read_to_string(witness).unwrap_or_default();
    mounts.lines().any(|line| {
        line.split_once(" - ").is_some_and(|(left, right)| {
            left.split(' ').nth(4) == Some(target) && right.split(' ').next() == Some(kind)
        })
    })
}
