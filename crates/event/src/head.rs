//! Who and when: the part every event has.

use std::fmt;

use bstr::{BStr, ByteSlice as _};

/// Who did it, when, and how it ended. Every field but `comm` is read from kernel objects that the
/// process cannot rewrite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Nanoseconds since boot, suspend included (`CLOCK_BOOTTIME`).
    pub boot_ns: u64,
    /// Nanoseconds since the Unix epoch. Derived from `boot_ns`, so a step of the wall clock between
    /// two events does not reorder them.
    pub real_ns: u64,
    /// The process that acted.
    pub process: ProcessKey,
    /// The thread that acted, in the host's pid namespace.
    pub tid: u32,
    /// The acting process's pid in its own pid namespace.
    pub vpid: u32,
    /// Parent at the time of the event (the reaper, once the real parent has died).
    pub parent: ProcessKey,
    /// Which execution the process is at, see [`crate::ExecId`]; at an exec that succeeded the new one.
    pub execution: u16,
    /// Real user id, as the initial user namespace sees it.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective user id: what permission checks use.
    pub euid: u32,
    /// Effective group id.
    pub egid: u32,
    /// User who logged in, kept over su and sudo; `u32::MAX` when nobody did (daemons).
    pub loginuid: u32,
    /// Process group: pid of its leader, host's pid namespace.
    pub group: u32,
    /// Session id: pid of the session leader, host's pid namespace.
    pub session: u32,
    /// Controlling terminal as the kernel's device number, 0 for none.
    pub tty: u32,
    /// cgroup v2 id (inode number of its directory).
    pub cgroup_id: u64,
    /// Namespaces the thread is in.
    pub namespaces: Namespaces,
    /// Name of the thread. Chosen by the process: `prctl(PR_SET_NAME)` takes any 15 bytes.
    pub comm: Comm,
    /// System call that led here; none for events that the scheduler reports.
    pub syscall: Option<Syscall>,
    /// What the system call returned: a result, or a negated errno. 0 where there is no call.
    pub result: i64,
}

impl Head {
    /// Whether the operation failed. Failed attempts are events too.
    pub fn failed(&self) -> bool {
        self.result < 0
    }
}

/// Names one process for good: pids are reused, starts are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessKey {
    /// Process id (thread group id) in the host's pid namespace.
    pub tgid: u32,
    /// Start of the process, nanoseconds since boot (`CLOCK_BOOTTIME`). 0 where the kernel names no process.
    pub start_ns: u64,
}

/// Inode numbers of the namespaces, as in `/proc/PID/ns`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Namespaces {
    /// pid namespace.
    pub pid: u32,
    /// Mount namespace.
    pub mnt: u32,
    /// Network namespace.
    pub net: u32,
}

/// Task name: up to 15 bytes, any value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Comm([u8; 16]);

impl Comm {
    /// From the kernel's NUL-padded array.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The name of a task that is called exactly so; none when the kernel calls no task so: it is longer than 15
    /// bytes, or holds a NUL.
    pub fn exactly(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes.get_mut(..15)?.get_mut(..name.len())?.copy_from_slice(name);
        (!name.contains(&0)).then_some(Self(bytes))
    }

    /// As the kernel has it, NUL-padded.
    pub fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The name without its padding.
    pub fn as_bstr(&self) -> &BStr {
        self.0.split(|b| *b == 0).next().unwrap_or_default().as_bstr()
    }
}

impl From<&str> for Comm {
    /// Keeps the first 15 bytes, as the kernel does.
    fn from(name: &str) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().take(15).zip(name.bytes()) {
            *to = from;
        }
        Self(bytes)
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_bstr(), f)
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_bstr(), f)
    }
}

/// A system call by the number of the host's own architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Syscall(pub u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_its_first_nul() {
        assert_eq!(Comm::new(*b"sh\0left over...\0").as_bstr(), "sh");
        assert_eq!(Comm::new(*b"sixteen bytes!!!").as_bstr(), "sixteen bytes!!!");
    }

    #[test]
    fn no_task_has_a_long_name() {
        assert_eq!(Comm::exactly(b"fifteen letters"), Some(Comm::from("fifteen letters")));
        assert_eq!(Comm::exactly(b""), Some(Comm::default()));
        assert_eq!(Comm::exactly(b"sixteen letters!"), None);
        assert_eq!(Comm::exactly(b"a\0b"), None);
    }

    #[test]
    fn a_long_name_is_cut_as_the_kernel_cuts_it() {
        assert_eq!(Comm::from("a name of many letters").as_bstr(), "a name of many ");
    }
}
