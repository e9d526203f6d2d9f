//! What processes do to themselves, to each other and to the kernel.

use crate::{Comm, Text};

/// A process changed its name, its privileges or who may look into it, or the attempt failed.
///
/// Hook: `sys_exit_prctl`. Only PR_SET_NAME, PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS,
/// PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_MM, PR_SET_CHILD_SUBREAPER,
/// PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT and PR_SET_PTRACER are events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prctl {
    /// `PR_*`.
    pub option: u64,
    /// The arguments behind it.
    pub args: [u64; 4],
    /// PR_SET_NAME that succeeded: the name the thread has now, from the kernel.
    pub name: Option<Comm>,
}

/// A signal was sent, or the attempt failed.
///
/// Hook: `sys_exit_{kill,tkill,tgkill,pidfd_send_signal,rt_sigqueueinfo,rt_tgsigqueueinfo}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signal {
    /// As the caller named it, in its own pid namespace: a process, 0 or negative for groups. Of a pidfd the
    /// process behind it, in the host's pid namespace, or 0 on failure.
    pub target_pid: i32,
    /// The thread, in the caller's pid namespace; 0: the whole process.
    pub target_tid: i32,
    /// Number of the signal; 0 only asks whether the process is there.
    pub signal: u32,
    /// The pidfd; -1: none.
    pub pidfd: i32,
}

/// A BPF program, map or link was made, found or attached, or the attempt failed.
///
/// Hook: `sys_exit_bpf`. Reading and writing maps, test runs and questions are no events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bpf {
    /// `BPF_*` command.
    pub cmd: u32,
    /// `BPF_PROG_TYPE_*` of BPF_PROG_LOAD, `BPF_MAP_TYPE_*` of BPF_MAP_CREATE, from the caller's memory; else 0.
    pub object_type: u32,
    /// Name of the program or map, at most 15 bytes, from the caller's memory.
    pub name: Text,
}

/// A process asked to handle page faults itself: a way to stop the kernel where an exploit wants it.
///
/// Hook: `sys_exit_userfaultfd`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Userfaultfd {
    /// `O_CLOEXEC`, `O_NONBLOCK`, `UFFD_USER_MODE_ONLY`.
    pub flags: u32,
}

/// A process set up an io_uring, or the attempt failed. What it does through the ring is not a system call.
///
/// Hook: `sys_exit_io_uring_setup`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IoUringSetup {
    /// Entries asked for.
    pub entries: u32,
    /// `IORING_SETUP_*`, from the caller's memory, like all that follows.
    pub flags: u32,
    /// Entries of the submission queue.
    pub sq_entries: u32,
    /// Entries of the completion queue.
    pub cq_entries: u32,
    /// Processor of the submitting kernel thread.
    pub sq_thread_cpu: u32,
    /// Milliseconds until that thread sleeps.
    pub sq_thread_idle: u32,
    /// `IORING_FEAT_*`.
    pub features: u32,
    /// The caller's memory could not be read.
    pub unreadable: bool,
}

/// A process wrote to the memory of another, or the attempt failed. `head.result` is the number of bytes.
///
/// Hook: `sys_exit_process_vm_writev`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessVmWrite {
    /// The other process as the caller named it, in its own pid namespace.
    pub target_pid: u32,
    /// First address there, from the caller's memory; 0 when it could not be read.
    pub addr: u64,
    /// Pieces of memory there.
    pub pieces: u32,
}

/// A system call that a rule names and that has no kind of its own.
///
/// Hook: `sys_exit_*` of the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnyCall {
    /// The six arguments, as registers hold them; the call uses as many as it has.
    pub args: [u64; 6],
}
