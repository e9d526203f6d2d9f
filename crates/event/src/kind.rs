//! The kinds of events. One name from the kernel to the screen.

use std::{fmt, str::FromStr};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $Kind:ident = $name:literal,)*) => {
        /// What kind of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind { $($(#[doc = $doc])* $Kind,)* }

        impl Kind {
            /// Every kind there is, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$Kind,)*];

            /// The name in outputs, rules and metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Kind => $name,)* }
            }

            /// What the kind means, one sentence.
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$Kind => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// A program was started in a process (execve, execveat), or the attempt failed.
    Exec = "exec",
    /// A process was created (fork, vfork, clone, clone3).
    Fork = "fork",
    /// A process ended: its last thread has exited.
    Exit = "exit",
    /// A file was opened (open, openat, openat2, creat, open_by_handle_at), or the attempt failed.
    FileOpen = "file_open",
    /// A file that has a path was read.
    FileRead = "file_read",
    /// A file that has a path was written.
    FileWrite = "file_write",
    /// A process closed a file that it had written.
    FileClose = "file_close",
    /// A name was removed (unlink, unlinkat).
    FileUnlink = "file_unlink",
    /// A name was changed (rename, renameat, renameat2).
    FileRename = "file_rename",
    /// A socket was connected (connect), or the attempt failed.
    Connect = "connect",
    /// A connection was accepted (accept, accept4).
    Accept = "accept",
    /// A socket was given a local address (bind).
    Bind = "bind",
    /// A socket began to listen (listen).
    Listen = "listen",
    /// A process traced another (ptrace).
    Ptrace = "ptrace",
    /// A file without a name was made (memfd_create).
    MemfdCreate = "memfd_create",
    /// Memory was mapped executable (mmap with PROT_EXEC).
    MmapExec = "mmap_exec",
    /// Memory was made executable (mprotect, pkey_mprotect with PROT_EXEC).
    MprotectExec = "mprotect_exec",
    /// A descriptor was duplicated (dup, dup2, dup3, fcntl with F_DUPFD).
    Dup = "dup",
    /// A socket was made (socket), or the attempt failed.
    Socket = "socket",
    /// A process sent its first datagram to a peer on a socket (sendto, sendmsg, sendmmsg).
    Send = "send",
    /// A process received its first datagram from a peer on a socket (recvfrom, recvmsg, recvmmsg).
    Recv = "recv",
    /// A process received an answer to a question about a name (from port 53).
    Dns = "dns",
    /// User or group ids were changed (setuid, setresgid, setgroups and their like), or the attempt failed.
    Setuid = "setuid",
    /// Capabilities were changed (capset), or the attempt failed.
    Capset = "capset",
    /// A process changed its name, its privileges or who may look into it (prctl, some options).
    Prctl = "prctl",
    /// A signal was sent (kill, tkill, tgkill, pidfd_send_signal, rt_sigqueueinfo), or the attempt failed.
    Signal = "signal",
    /// A file was given a further name (link, linkat).
    FileLink = "file_link",
    /// A symbolic link was made (symlink, symlinkat).
    FileSymlink = "file_symlink",
    /// A directory was made (mkdir, mkdirat).
    FileMkdir = "file_mkdir",
    /// A directory was removed (rmdir, unlinkat).
    FileRmdir = "file_rmdir",
    /// Permissions were changed (chmod, fchmod, fchmodat, fchmodat2).
    FileChmod = "file_chmod",
    /// An owner was changed (chown, fchown, lchown, fchownat).
    FileChown = "file_chown",
    /// A file was cut or lengthened (truncate, ftruncate).
    FileTruncate = "file_truncate",
    /// A device, pipe or other special file was made (mknod, mknodat).
    FileMknod = "file_mknod",
    /// Something was mounted or moved (mount, move_mount, pivot_root).
    Mount = "mount",
    /// Something was unmounted (umount2).
    Umount = "umount",
    /// A process changed its root directory (chroot).
    Chroot = "chroot",
    /// A thread entered another namespace (setns).
    Setns = "setns",
    /// A thread left what it shared with others, often for a new namespace (unshare).
    Unshare = "unshare",
    /// A BPF program, map or link was made, found or attached (bpf, some commands).
    Bpf = "bpf",
    /// A kernel module was loaded (init_module, finit_module).
    ModuleLoad = "module_load",
    /// A process asked to handle page faults itself (userfaultfd).
    Userfaultfd = "userfaultfd",
    /// A process set up an io_uring (io_uring_setup).
    IoUringSetup = "io_uring_setup",
    /// A process wrote to the memory of another (process_vm_writev).
    ProcessVmWrite = "process_vm_write",
    /// A system call that a rule names and that has no kind of its own.
    Syscall = "syscall",
    /// Events of some kind were lost, how many and where.
    Loss = "loss",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No event kind has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no event kind is called {:?}", self.0)
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KindSet(u64);

impl KindSet {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Every kind.
    pub fn all() -> Self {
        Kind::ALL.iter().copied().collect()
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether the sets have a kind in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The kinds in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no kind is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds `kind`.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    /// The kinds, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        let mut set = Self::NONE;
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        assert_eq!("file".parse::<Kind>(), Err(UnknownKind("file".into())));
    }

    #[test]
    fn every_kind_fits_the_set() {
        assert!(Kind::ALL.len() <= 64);
        assert_eq!(KindSet::all().iter().count(), Kind::ALL.len());
        assert!(!KindSet::NONE.contains(Kind::Exec));
    }
}
