//! What a process sees of the system, and what runs in the kernel.

use crate::{Path, Text, UserPath};

/// Something was mounted or moved, or the attempt failed.
///
/// Hook: `sys_exit_{mount,move_mount,pivot_root}`. Names as for [`crate::FileUnlink`], read after the call: a
/// name that leads into the new mount is shown as it leads now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// Device, or any word (`tmpfs`): `name` alone. What is bound or moved: a path. pivot_root: the new root.
    pub source: UserPath,
    /// Where. pivot_root: where the old root goes.
    pub target: UserPath,
    /// Type of the file system, at most 63 bytes, from the caller's memory; empty when none was named.
    pub fstype: Text,
    /// `MS_*`; of move_mount `MOVE_MOUNT_*`.
    pub flags: u64,
}

/// Something was unmounted, or the attempt failed.
///
/// Hook: `sys_exit_umount` (umount2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Umount {
    /// What was unmounted.
    pub target: UserPath,
    /// `MNT_*`, `UMOUNT_NOFOLLOW`.
    pub flags: u32,
}

/// A process changed its root directory, or the attempt failed.
///
/// Hook: `sys_exit_chroot`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chroot {
    /// The root directory after the call, from the kernel, in the host's view.
    pub root: Path,
    /// What the caller asked for. On success only its `name`: the path is `root`.
    pub asked: UserPath,
}

/// A thread entered another namespace, or the attempt failed. `head.namespaces` are those of after the call.
///
/// Hook: `sys_exit_setns`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setns {
    /// Descriptor of the namespace, or a pidfd.
    pub fd: i32,
    /// `CLONE_NEW*`; 0: whatever it is.
    pub nstype: u32,
    /// Inode number of the namespace, as in `/proc/PID/ns`; of a pidfd its own. 0: nothing is at the descriptor.
    pub ino: u64,
}

/// A thread left what it shared with others, or the attempt failed. `head.namespaces` are those of after the call.
///
/// Hook: `sys_exit_unshare`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unshare {
    /// `CLONE_*`.
    pub flags: u64,
}

/// A kernel module was loaded, or the attempt failed.
///
/// Hook: `sys_exit_{init_module,finit_module}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleLoad {
    /// finit_module: the file, from the kernel. Empty: from memory.
    pub path: Path,
    /// finit_module: inode number of the file, or 0.
    pub ino: u64,
    /// finit_module: device number of its file system, or 0.
    pub dev: u32,
    /// init_module: bytes of the image.
    pub size: u64,
    /// Parameters of the module, at most 255 bytes, from the caller's memory.
    pub args: Text,
    /// `MODULE_INIT_*`.
    pub flags: u32,
    /// finit_module: the descriptor. -1: from memory.
    pub fd: i32,
}
