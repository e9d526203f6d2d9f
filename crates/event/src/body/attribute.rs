//! What files are changed to.

use bstr::{BStr, ByteSlice as _};

use crate::{Path, UserPath};

/// A file that a call names by a descriptor or by a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTarget {
    /// By descriptor: absolute path in the host's view, from the kernel. Empty: by name, or no file was there.
    pub path: Path,
    /// By name: what the caller asked for; sources as for [`crate::FileUnlink`]. Empty: by descriptor.
    pub asked: UserPath,
    /// By descriptor: inode number, or 0.
    pub ino: u64,
    /// By descriptor: device number of the file system, or 0.
    pub dev: u32,
    /// The descriptor; -1: by name, or a file that only a ring of io_uring holds.
    pub fd: i32,
}

impl FileTarget {
    /// The best answer to "which file".
    pub fn best(&self) -> &BStr {
        if self.path.bytes.is_empty() { self.asked.best() } else { self.path.bytes.as_bstr() }
    }
}

/// Permissions were changed, or the attempt failed.
///
/// Hook: `sys_exit_{chmod,fchmod,fchmodat,fchmodat2}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChmod {
    /// The file.
    pub file: FileTarget,
    /// Permission bits.
    pub mode: u32,
    /// `AT_*` flags of fchmodat2.
    pub flags: u32,
}

/// An owner was changed, or the attempt failed.
///
/// Hook: `sys_exit_{chown,fchown,lchown,fchownat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChown {
    /// The file.
    pub file: FileTarget,
    /// New owner, in the caller's user namespace; `u32::MAX`: left as it is.
    pub uid: u32,
    /// New group, likewise.
    pub gid: u32,
    /// `AT_*` flags of fchownat.
    pub flags: u32,
}

/// A file was cut or lengthened, or the attempt failed. What `O_TRUNC` does is an open.
///
/// Hook: `sys_exit_{truncate,ftruncate}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTruncate {
    /// The file.
    pub file: FileTarget,
    /// New size in bytes.
    pub size: u64,
}
