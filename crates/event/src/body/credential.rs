//! Who one is.

/// Ids and capabilities of a thread, as the initial user namespace sees them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Real user.
    pub uid: u32,
    /// Effective user: what permission checks use.
    pub euid: u32,
    /// Saved user: what may be taken on again.
    pub suid: u32,
    /// User for access to files.
    pub fsuid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// Group for access to files.
    pub fsgid: u32,
    /// Inheritable capabilities, bit `CAP_*`.
    pub inheritable: u64,
    /// Permitted capabilities.
    pub permitted: u64,
    /// Effective capabilities.
    pub effective: u64,
}

impl Credentials {
    /// What one may do beyond what the ids allow.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities { inheritable: self.inheritable, permitted: self.permitted, effective: self.effective }
    }
}

/// Capabilities of a thread, bit `CAP_*` of `linux/capability.h`. They count in the user namespace of the thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// Kept over the start of a program that has them, too.
    pub inheritable: u64,
    /// What it may take on.
    pub permitted: u64,
    /// What permission checks look at.
    pub effective: u64,
}

/// User or group ids were changed, or the attempt failed. The ids in `head` are those of before: of who asked.
///
/// Hook: `sys_enter_*` and `sys_exit_*` of setuid, setreuid, setresuid, setfsuid, the same of groups, and
/// setgroups. Threads change one by one: a C library that changes a process makes one event a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setuid {
    /// Before the call; none when it had begun before the hook was attached.
    pub before: Option<Credentials>,
    /// After the call.
    pub after: Credentials,
    /// The first three arguments, of which the call uses as many as it has; of setgroups the first is how many.
    pub asked: [u32; 3],
}

/// Capabilities were changed, or the attempt failed.
///
/// Hook: `sys_enter_capset` and `sys_exit_capset`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capset {
    /// Before the call; none when it had begun before the hook was attached.
    pub before: Option<Credentials>,
    /// After the call.
    pub after: Credentials,
}
