//! Names that are made, and directories that are removed. Sources as for [`crate::FileUnlink`].

use crate::{Text, UserPath};

/// A file was given a further name, or the attempt failed.
///
/// Hook: `sys_exit_{link,linkat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileLink {
    /// The name there was.
    pub from: UserPath,
    /// The new name.
    pub to: UserPath,
    /// `AT_*` flags.
    pub flags: u32,
}

/// A symbolic link was made, or the attempt failed.
///
/// Hook: `sys_exit_{symlink,symlinkat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSymlink {
    /// The new name.
    pub link: UserPath,
    /// What it leads to, as the caller wrote it; at most 4095 bytes.
    pub target: Text,
    /// `target` could not be read.
    pub target_unreadable: bool,
}

/// A directory was made, or the attempt failed.
///
/// Hook: `sys_exit_{mkdir,mkdirat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileMkdir {
    /// The new directory.
    pub target: UserPath,
    /// Permission bits asked for.
    pub mode: u32,
}

/// A directory was removed, or the attempt failed.
///
/// Hook: `sys_exit_{rmdir,unlinkat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRmdir {
    /// What was removed.
    pub target: UserPath,
}

/// A device, pipe or other special file was made, or the attempt failed.
///
/// Hook: `sys_exit_{mknod,mknodat}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileMknod {
    /// The new name.
    pub target: UserPath,
    /// `S_IF*` and permission bits.
    pub mode: u32,
    /// Device number as the caller encodes it, makedev(3).
    pub rdev: u32,
}
