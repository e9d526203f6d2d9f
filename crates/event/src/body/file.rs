//! Files and names.

use std::fmt;

use bstr::{BStr, ByteSlice as _};

use crate::Text;

/// A file was opened, or the attempt failed.
///
/// Hook: `sys_exit_{open,openat,openat2,creat,open_by_handle_at}`. The path is read from the opened file; on failure, or
/// when another thread may have swapped the descriptor, `asked` tells what the caller named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOpen {
    /// Absolute path of the opened file in the host's view; empty when no file was found at the descriptor.
    pub path: Path,
    /// What the caller asked for. Always there on failure, when the descriptor table is shared, and
    /// when no file was found; else empty.
    pub asked: UserPath,
    /// `O_*` flags.
    pub flags: u32,
    /// Permission bits for a file to be created.
    pub mode: u32,
    /// Device number of the file system, or 0.
    pub dev: u32,
    /// Inode number, or 0.
    pub ino: u64,
    /// The file was created by this call (`O_CREAT` and it is new), as `FMODE_CREATED` tells.
    pub created: bool,
}

impl FileOpen {
    /// The best answer to "which file": the kernel's, else the caller's.
    pub fn best(&self) -> &BStr {
        if self.path.bytes.is_empty() { self.asked.path.as_bstr() } else { self.path.bytes.as_bstr() }
    }
}

/// A file was read or written. With aggregation the first call of a process on an open file is an event
/// at once; later ones are summed and reported when the file is closed, or at every sweep.
///
/// Hook: `sys_exit_{read,pread64,readv,preadv,preadv2,…}` and `sys_enter_close`. Regular files, devices
/// and named pipes; sockets, anonymous pipes and anonymous inodes have no path and give no event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileIo {
    /// Absolute path of the file in the host's view.
    pub path: Path,
    /// Bytes that this event accounts for.
    pub bytes: u64,
    /// Calls that this event accounts for; the first of an open file is reported as 1.
    pub calls: u64,
    /// Descriptor of the first call, as the caller named it.
    pub fd: i32,
    /// Device number of the file system.
    pub dev: u32,
    /// Inode number.
    pub ino: u64,
    /// The first bytes of what the first call moved, at most 80; from the caller's memory at its exit. Read only while
    /// `capture.buffers` is on and a rule asks for it, and leaves the node only in that rule's output. Empty otherwise,
    /// for what the sum of calls tells, for sendfile, splice and io_uring, and before Linux 5.17.
    pub data: Text,
}

/// A process closed a file that it had written.
///
/// Hook: `sys_enter_close`; for files that exit, exec, dup2 or close_range closed, the sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileClose {
    /// Absolute path of the file in the host's view.
    pub path: Path,
    /// Bytes this process wrote to the open file in all.
    pub bytes: u64,
    /// Write calls in all.
    pub calls: u64,
    /// Device number of the file system.
    pub dev: u32,
    /// Inode number.
    pub ino: u64,
}

/// A name was removed, or the attempt failed.
///
/// Hook: `sys_exit_{unlink,unlinkat}`; which name it was: `fentry/security_path_unlink`, else `sys_enter_*`, see
/// [`UserPath`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileUnlink {
    /// What was removed.
    pub target: UserPath,
}

/// A name was changed, or the attempt failed. Sources as for [`FileUnlink`].
///
/// Hook: `sys_exit_{rename,renameat,renameat2}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRename {
    /// The old name.
    pub from: UserPath,
    /// The new name.
    pub to: UserPath,
    /// `RENAME_*` flags.
    pub flags: u32,
}

/// An absolute path, walked from the file up through its mounts to the root of the mount namespace, so
/// bind mounts, overlays and chroots do not hide anything.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Path {
    /// The path; components may hold any byte but NUL and `/`. Empty: no file.
    pub bytes: Text,
    /// What is special about it.
    pub flags: PathFlags,
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.bytes, self.flags)
    }
}

impl From<&str> for Path {
    fn from(path: &str) -> Self {
        Self { bytes: path.into(), flags: PathFlags::default() }
    }
}

/// A path as the caller gave it.
///
/// It lies in the caller's memory, where another thread can rewrite it between the kernel's look at it and ours. Where
/// the kernel lets functions of its own be traced (and has `CONFIG_SECURITY_PATH`), it tells what it used; elsewhere
/// the memory is read twice if others share it, as the call begins and as it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPath {
    /// Absolute: `name` put behind the directory it is relative to, `.` and `..` resolved by name alone
    /// (a symlink before `..` is not followed).
    pub path: Text,
    /// The bytes in the caller's memory, at most 4095.
    pub name: Text,
    /// `name` could not be read: its page was not in memory, or the pointer was wild.
    pub unreadable: bool,
    /// Others share the caller's memory and the kernel does not tell what it used: nobody can be sure. So it is of
    /// every call that failed, as the kernel tells of those that succeed.
    pub shared: bool,
    /// Another path that it may have been. When `shared`, what the memory held as the call began, where that is
    /// something else and at most 255 bytes long; else what the kernel used: the name was rewritten, or led
    /// through symbolic links.
    pub second: Option<Box<Text>>,
}

impl UserPath {
    /// The best answer to "which file": the kernel's, else the caller's.
    pub fn best(&self) -> &BStr {
        match &self.second {
            Some(used) if !self.shared => used.as_bstr(),
            _ => self.path.as_bstr(),
        }
    }

    /// What else it may have been.
    pub fn other(&self) -> Option<&BStr> {
        let second = self.second.as_deref()?;
        Some(if self.shared { second.as_bstr() } else { self.path.as_bstr() })
    }
}

/// What is special about a [`Path`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PathFlags(u32);

macro_rules! path_flags {
    ($($(#[doc = $doc:literal])* $NAME:ident = $bit:literal, $name:literal;)*) => {
        impl PathFlags {
            $($(#[doc = $doc])* pub const $NAME: Self = Self($bit);)*
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$NAME, $name),)*];
        }
    };
}

path_flags! {
    /// The file has been unlinked.
    DELETED = 1, "deleted";
    /// The walk ended in a mount outside the namespace (open_tree, lazy umount).
    DETACHED = 2, "detached";
    /// Not in the tree: a pipe, a socket, memfd.
    PSEUDO = 4, "pseudo";
    /// Too long or too deep: the top of the path is missing.
    CUT = 8, "cut";
    /// The tree changed during the walk.
    TORN = 16, "torn";
    /// Opened by handle: the parents are not known.
    DISCONNECTED = 64, "disconnected";
    /// Others share the descriptor table: another thread may have swapped the file before the hook
    /// looked (7 of 100 opens under attack).
    SHARED = 128, "shared";
}

impl PathFlags {
    /// From the kernel's bits; unknown ones are dropped.
    pub fn from_bits(bits: u32) -> Self {
        Self(Self::ALL.iter().fold(0, |known, (flag, _)| known | flag.0) & bits)
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Names of the set flags.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

impl fmt::Debug for PathFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_path_flags_are_dropped() {
        assert_eq!(PathFlags::from_bits(u32::MAX).names().count(), PathFlags::ALL.len());
        assert_eq!(format!("{:?}", PathFlags::from_bits(1 | 1 << 31)), r#"["deleted"]"#);
    }
}
