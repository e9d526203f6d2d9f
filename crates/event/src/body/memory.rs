//! Memory that can be run.

use crate::{Path, Text};

/// A file without a name was made, or the attempt failed.
///
/// Hook: `sys_exit_memfd_create`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemfdCreate {
    /// The name it carries in /proc, without `memfd:`. From the new file itself; user memory on failure.
    pub name: Text,
    /// `MFD_*` flags.
    pub flags: u32,
}

/// Memory was mapped executable, or the attempt failed. Mappings that exec itself makes are not calls.
///
/// Hook: `sys_exit_mmap`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MmapExec {
    /// The mapped file; empty for anonymous memory. Looked up by descriptor: see [`crate::PathFlags::SHARED`].
    pub path: Path,
    /// Inode number of the file, or 0.
    pub ino: u64,
    /// Start of the mapping; what was asked for on failure.
    pub addr: u64,
    /// Bytes.
    pub len: u64,
    /// `PROT_*`.
    pub prot: u32,
    /// `MAP_*`.
    pub flags: u32,
}

/// Memory was made executable, or the attempt failed.
///
/// Hook: `sys_exit_mprotect`, `sys_exit_pkey_mprotect`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MprotectExec {
    /// Start of the range.
    pub addr: u64,
    /// Bytes.
    pub len: u64,
    /// `PROT_*`.
    pub prot: u32,
}
