//! Starts, ends and interference.

use crate::{Capabilities, Path, ProcessKey, Text};

/// A program was started, or the attempt failed (`head.result < 0`).
///
/// Hook: `tp_btf/sched_process_exec` for success (5.5), after the new image is in place, so nobody but
/// the new program can rewrite `argv`, and it has not run yet; `sys_exit_execve[at]` for failure, whose
/// `filename` is user memory that another thread may have rewritten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exec {
    /// What was asked for, as the caller wrote it: relative, a symlink, `/dev/fd/N` for execveat.
    pub filename: Text,
    /// Interpreter of a script; equal to `filename` for a binary, empty on failure.
    pub interpreter: Text,
    /// The program that runs, from the new mm. For a script this is its interpreter.
    pub exe: Path,
    /// Arguments, the first included. Empty when the caller passed none, and on failure.
    pub argv: Vec<Text>,
    /// `argv` holds only the first 4096 bytes of the arguments.
    pub argv_truncated: bool,
    /// The file of `exe`, when the program runs. All zero on failure.
    pub executable: Executable,
    /// Working directory at exec.
    pub cwd: Path,
    /// What the program may do; none on failure, and where nobody told.
    pub capabilities: Option<Capabilities>,
    /// The environment, `NAME=value`, at most 4096 bytes of it. Environments hold secrets: it is read only while a
    /// rule asks for it, and leaves the node only in that rule's output. Empty otherwise.
    pub env: Vec<Text>,
}

/// The file of a program: what tells one that belongs there from one that was put there. From the inode of
/// `mm->exe_file`; nothing in it is the process's word, but the times are the file system's, which whoever mounted it
/// may have made up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executable {
    /// Inode number.
    pub ino: u64,
    /// Last change of the inode (ctime), nanoseconds since the Unix epoch.
    pub changed_ns: u64,
    /// Last change of the content (mtime), nanoseconds since the Unix epoch.
    pub modified_ns: u64,
    /// Start of the first process of the process's pid namespace, nanoseconds since boot. 0: not known.
    pub pid_namespace_ns: u64,
    /// A file without a name (memfd_create, O_TMPFILE): it has no links.
    pub memfd: bool,
    /// In the writable layer of an overlay: it is not part of the container's image.
    pub upper_layer: bool,
    /// In a read-only layer of an overlay.
    pub lower_layer: bool,
    /// Who runs it may write it, by its mode and the process's groups (sixteen of them) or capabilities. Access lists
    /// and mounts with ids of their own are not looked at.
    pub writable: bool,
}

/// A process was created. `head` is the parent. Threads are not processes and give no event.
///
/// Hook: `tp_btf/sched_process_fork` (5.5), before the child first runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fork {
    /// The new process.
    pub child: ProcessKey,
    /// Its pid in its own pid namespace.
    pub child_vpid: u32,
}

/// A process ended: its last thread has exited.
///
/// Hook: `tp_btf/sched_process_exit` (5.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exit {
    /// Exit status, 0 to 255; 0 when a signal ended the process.
    pub status: u32,
    /// Signal that ended it, or 0.
    pub signal: u32,
    /// A core was dumped.
    pub core_dumped: bool,
}

/// A process traced another, or the attempt failed.
///
/// Hook: `sys_exit_ptrace`. Only requests that attach to, write to or take over another process are
/// events: TRACEME, ATTACH, SEIZE, POKETEXT, POKEDATA, POKEUSER, SETREGS, SETFPREGS, SETREGSET.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ptrace {
    /// `PTRACE_*`, ptrace(2).
    pub request: u64,
    /// The traced process as the caller named it: a pid in the caller's pid namespace. 0 for TRACEME.
    pub target_pid: u32,
}
