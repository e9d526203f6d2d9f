//! What can be attached, and what is chosen: data, not code. A job is something we want to see; its
//! variants are ways to see it, the best first. A cheaper hook for newer kernels is one more variant.

use std::borrow::Cow;

use sentinel_event::{Kind, KindSet};

use crate::support::{Facts, Name};

/// Something to observe.
#[derive(Debug)]
pub(crate) struct Job {
    /// Events it gives.
    pub(crate) kinds: &'static [Kind],
    /// How, best first.
    pub(crate) variants: &'static [Variant],
}

/// One way to observe it.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Program in `bpf/`.
    pub(crate) program: &'static str,
    /// Where it goes.
    pub(crate) hooks: &'static [Hook],
    /// Facts without which it does not load.
    pub(crate) needs: &'static [Name],
}

/// A place in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hook {
    /// `tracepoint/syscalls/NAME`: costs other system calls 5–7 ns, its own 35–60 ns. Not there on an
    /// architecture that lacks the call; silent for 32-bit calls.
    Syscall(Cow<'static, str>),
    /// `tp_btf/NAME`: costs nothing to anybody else.
    Typed(&'static str),
    /// `fentry/NAME`: the beginning of a function of the kernel, whoever calls it; costs nothing to anybody else.
    Called(&'static str),
    /// `fexit/NAME`: the end of one.
    Returned(&'static str),
    /// `lsm/NAME`: what the kernel asks its security modules; we refuse nothing. Costs nothing to anybody else.
    Security(&'static str),
    /// `tracepoint/raw_syscalls/NAME`: every system call of the machine pays for it.
    Every(&'static str),
}

impl Hook {
    /// As `SEC()` would name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Syscall(name) => format!("tracepoint/syscalls/{name}"),
            Self::Typed(name) => format!("tp_btf/{name}"),
            Self::Called(name) => format!("fentry/{name}"),
            Self::Returned(name) => format!("fexit/{name}"),
            Self::Security(name) => format!("lsm/{name}"),
            Self::Every(name) => format!("tracepoint/raw_syscalls/{name}"),
        }
    }
}

/// Kinds that the process table lives on: always captured.
pub(crate) const STATE: &[Kind] = &[Kind::Exec, Kind::Fork, Kind::Exit];

/// How programs are called that give no events: what they see goes into maps, or on to other programs.
pub(crate) const SILENT: &[&str] = &["cgroup_", "guard", "compat_", "used_", "entered_"];

use Hook::Typed;
use Name::{BpfLoop, BpfLsm, Fentry, TpBtf, Tracefs};
use forms::{compat, entered, noted, requests, submissions, syscalls};
use requests::{OVERFLOWING, REQUESTED, SUBMITTED};

/// The calls that open files.
const OPENS: &[Hook] = &[
    Hook::Syscall(Cow::Borrowed("sys_exit_open")),
    Hook::Syscall(Cow::Borrowed("sys_exit_openat")),
    Hook::Syscall(Cow::Borrowed("sys_exit_openat2")),
    Hook::Syscall(Cow::Borrowed("sys_exit_creat")),
];

/// Everything there is. Fork and exit come first: whoever else is attached finds them counting.
pub(crate) const JOBS: &[Job] = &[
    Job {
        kinds: &[Kind::Fork],
        variants: &[Variant { program: "fork", hooks: &[Typed("sched_process_fork")], needs: &[TpBtf] }],
    },
    // No events: the paths of cgroups, which everything that a container does is told with.
    Job {
        kinds: &[Kind::Fork],
        variants: &[Variant { program: "cgroup_born", hooks: &[Typed("cgroup_mkdir")], needs: &[TpBtf] }],
    },
    Job {
        kinds: &[Kind::Fork],
        variants: &[Variant { program: "cgroup_died", hooks: &[Typed("cgroup_rmdir")], needs: &[TpBtf] }],
    },
    // No events either: they hand 32-bit calls on, see `crate::compat`.
    compat!([Fork], "compat_exit", "sys_exit"),
    // To the second of two programs at one call.
    compat!([FileWrite, Dns, Bpf], "compat_exit_again", "sys_exit"),
    compat!(
        [
            FileRead,
            FileWrite,
            FileClose,
            Setuid,
            Capset,
            FileUnlink,
            FileRmdir,
            FileRename,
            FileLink,
            FileSymlink,
            FileMkdir,
            FileMknod,
            FileChmod,
            FileChown,
            FileTruncate,
            Mount,
            Umount
        ],
        "compat_enter",
        "sys_enter"
    ),
    // Nor here: who else opens our maps.
    Job {
        kinds: &[Kind::Fork],
        variants: &[
            Variant { program: "guard", hooks: &[Hook::Security("bpf_map")], needs: &[BpfLsm] },
            Variant {
                program: "guard_asked",
                hooks: &[Hook::Syscall(Cow::Borrowed("sys_exit_bpf"))],
                needs: &[Tracefs],
            },
        ],
    },
    syscalls!([Fork], "guard_taken", ["sys_exit_pidfd_getfd"]),
    Job {
        kinds: &[Kind::Exit],
        variants: &[Variant {
            program: "process_exit",
            hooks: &[Typed("sched_process_exit")],
            needs: &[TpBtf],
        }],
    },
    Job {
        kinds: &[Kind::Exec],
        variants: &[
            Variant { program: "exec", hooks: &[Typed("sched_process_exec")], needs: &[TpBtf, BpfLoop] },
            Variant { program: "exec_old", hooks: &[Typed("sched_process_exec")], needs: &[TpBtf] },
        ],
    },
    syscalls!([Exec], "exec_failed", "exec_failed_old", ["sys_exit_execve", "sys_exit_execveat"]),
    Job {
        kinds: &[Kind::FileOpen],
        variants: &[
            Variant {
                program: "file_open_direct",
                hooks: &[Hook::Returned("do_sys_openat2")],
                needs: &[Tracefs, BpfLoop, Fentry],
            },
            Variant { program: "file_open", hooks: OPENS, needs: &[Tracefs, BpfLoop] },
            Variant { program: "file_open_old", hooks: OPENS, needs: &[Tracefs] },
        ],
    },
    syscalls!([FileOpen], "file_open_handle", "file_open_handle_old", ["sys_exit_open_by_handle_at"]),
    syscalls!(
        [FileRead],
        "file_read",
        "file_read_old",
        ["sys_exit_read", "sys_exit_pread64", "sys_exit_readv", "sys_exit_preadv", "sys_exit_preadv2"]
    ),
    syscalls!(
        [FileWrite, FileClose],
        "file_write",
        "file_write_old",
        ["sys_exit_write", "sys_exit_pwrite64", "sys_exit_writev", "sys_exit_pwritev", "sys_exit_pwritev2"]
    ),
    syscalls!(
        [FileRead],
        "file_copy_read",
        "file_copy_read_old",
        ["sys_exit_sendfile64", "sys_exit_splice", "sys_exit_copy_file_range"]
    ),
    syscalls!(
        [FileWrite, FileClose],
        "file_copy_write",
        "file_copy_write_old",
        ["sys_exit_sendfile64", "sys_exit_splice", "sys_exit_copy_file_range"]
    ),
    syscalls!([FileRead, FileWrite, FileClose], "file_close", "file_close_old", ["sys_enter_close"]),
    // No events: what the names of the calls below lead to. First, so that who is attached to their end finds it.
    noted!(FileUnlink, "used_unlink", "security_path_unlink", "entered_unlink", ["unlink", "unlinkat"]),
    noted!(FileRmdir, "used_rmdir", "security_path_rmdir", "entered_rmdir", ["rmdir", "unlinkat"]),
    noted!(
        FileRename,
        "used_rename",
        "security_path_rename",
        "entered_rename",
        ["rename", "renameat", "renameat2"]
    ),
    noted!(FileLink, "used_link", "security_path_link", "entered_link", ["link", "linkat"]),
    noted!(FileSymlink, "used_symlink", "security_path_symlink", "entered_symlink", ["symlink", "symlinkat"]),
    noted!(FileMkdir, "used_mkdir", "security_path_mkdir", "entered_mkdir", ["mkdir", "mkdirat"]),
    noted!(FileMknod, "used_mknod", "security_path_mknod", "entered_mknod", ["mknod", "mknodat"]),
    noted!(
        FileChmod,
        "used_chmod",
        "security_path_chmod",
        "entered_chmod",
        ["chmod", "fchmodat", "fchmodat2"]
    ),
    noted!(FileChown, "used_chown", "security_path_chown", "entered_chown", ["chown", "lchown", "fchownat"]),
    noted!(FileTruncate, "used_truncate", "security_path_truncate", "entered_truncate", ["truncate"]),
    syscalls!(
        [FileUnlink, FileRmdir],
        "file_unlink",
        "file_unlink_old",
        ["sys_exit_unlink", "sys_exit_unlinkat", "sys_exit_rmdir"]
    ),
    syscalls!(
        [FileRename],
        "file_rename",
        "file_rename_old",
        ["sys_exit_rename", "sys_exit_renameat", "sys_exit_renameat2"]
    ),
    syscalls!([Connect], "connect", ["sys_exit_connect"]),
    syscalls!([Accept], "accept", ["sys_exit_accept", "sys_exit_accept4"]),
    syscalls!([Bind], "bind", ["sys_exit_bind"]),
    syscalls!([Listen], "listen", ["sys_exit_listen"]),
    syscalls!([Ptrace], "ptrace", ["sys_exit_ptrace"]),
    syscalls!([MemfdCreate], "memfd_create", ["sys_exit_memfd_create"]),
    syscalls!([MmapExec], "mmap_exec", "mmap_exec_old", ["sys_exit_mmap"]),
    syscalls!([MprotectExec], "mprotect_exec", ["sys_exit_mprotect", "sys_exit_pkey_mprotect"]),
    syscalls!([Dup], "dup", "dup_old", ["sys_exit_dup", "sys_exit_dup2", "sys_exit_dup3", "sys_exit_fcntl"]),
    syscalls!([Socket], "socket", ["sys_exit_socket"]),
    syscalls!([Send], "send", "send_old", ["sys_exit_sendto", "sys_exit_sendmsg", "sys_exit_sendmmsg"]),
    // Who wants to hear of what is sent must know to whom it is an answer.
    syscalls!(
        [Recv, Send],
        "recv",
        "recv_old",
        ["sys_exit_recvfrom", "sys_exit_recvmsg", "sys_exit_recvmmsg"]
    ),
    syscalls!([Dns], "dns", ["sys_exit_recvfrom", "sys_exit_recvmsg", "sys_exit_recvmmsg", "sys_exit_read"]),
    // The entry first: what is attached to the exit finds it counting.
    syscalls!(
        [Setuid, Capset],
        "credentials",
        [
            "sys_enter_setuid",
            "sys_enter_setgid",
            "sys_enter_setreuid",
            "sys_enter_setregid",
            "sys_enter_setresuid",
            "sys_enter_setresgid",
            "sys_enter_setfsuid",
            "sys_enter_setfsgid",
            "sys_enter_setgroups",
            "sys_enter_capset",
        ]
    ),
    syscalls!(
        [Setuid],
        "setuid",
        [
            "sys_exit_setuid",
            "sys_exit_setgid",
            "sys_exit_setreuid",
            "sys_exit_setregid",
            "sys_exit_setresuid",
            "sys_exit_setresgid",
            "sys_exit_setfsuid",
            "sys_exit_setfsgid",
            "sys_exit_setgroups",
        ]
    ),
    syscalls!([Capset], "capset", ["sys_exit_capset"]),
    syscalls!([Prctl], "prctl", ["sys_exit_prctl"]),
    syscalls!(
        [Signal],
        "signal",
        [
            "sys_exit_kill",
            "sys_exit_tkill",
            "sys_exit_tgkill",
            "sys_exit_pidfd_send_signal",
            "sys_exit_rt_sigqueueinfo",
            "sys_exit_rt_tgsigqueueinfo",
        ]
    ),
    syscalls!([FileLink], "file_link", "file_link_old", ["sys_exit_link", "sys_exit_linkat"]),
    syscalls!([FileSymlink], "file_symlink", "file_symlink_old", ["sys_exit_symlink", "sys_exit_symlinkat"]),
    syscalls!([FileMkdir], "file_mkdir", "file_mkdir_old", ["sys_exit_mkdir", "sys_exit_mkdirat"]),
    syscalls!(
        [FileChmod],
        "file_chmod",
        "file_chmod_old",
        ["sys_exit_chmod", "sys_exit_fchmod", "sys_exit_fchmodat", "sys_exit_fchmodat2"]
    ),
    syscalls!(
        [FileChown],
        "file_chown",
        "file_chown_old",
        ["sys_exit_chown", "sys_exit_fchown", "sys_exit_lchown", "sys_exit_fchownat"]
    ),
    syscalls!(
        [FileTruncate],
        "file_truncate",
        "file_truncate_old",
        ["sys_exit_truncate", "sys_exit_ftruncate"]
    ),
    syscalls!([FileMknod], "file_mknod", "file_mknod_old", ["sys_exit_mknod", "sys_exit_mknodat"]),
    entered!(Mount, "entered_mount", ["mount", "move_mount", "pivot_root"]),
    entered!(Umount, "entered_umount", ["umount"]),
    syscalls!(
        [Mount],
        "mount",
        "mount_old",
        ["sys_exit_mount", "sys_exit_move_mount", "sys_exit_pivot_root"]
    ),
    syscalls!([Umount], "umount", "umount_old", ["sys_exit_umount"]),
    syscalls!([Chroot], "chroot", "chroot_old", ["sys_exit_chroot"]),
    syscalls!([Setns], "setns", ["sys_exit_setns"]),
    syscalls!([Unshare], "unshare", ["sys_exit_unshare"]),
    syscalls!([Bpf], "bpf", ["sys_exit_bpf"]),
    syscalls!(
        [ModuleLoad],
        "module_load",
        "module_load_old",
        ["sys_exit_init_module", "sys_exit_finit_module"]
    ),
    syscalls!([Userfaultfd], "userfaultfd", ["sys_exit_userfaultfd"]),
    syscalls!([IoUringSetup], "io_uring_setup", ["sys_exit_io_uring_setup"]),
    syscalls!([ProcessVmWrite], "process_vm_write", ["sys_exit_process_vm_writev"]),
    // The end first: what is submitted finds it listening.
    requests!(REQUESTED, "uring_done", "io_uring_complete"),
    requests!(OVERFLOWING, "uring_overflow", "io_uring_cqe_overflow"),
    submissions!(SUBMITTED, "uring_submit", "uring_submit_old"),
    requests!(&[Kind::FileRead], "uring_read", "io_uring_complete"),
    requests!(&[Kind::FileWrite, Kind::FileClose], "uring_write", "io_uring_complete"),
    requests!(&[Kind::Send], "uring_send", "io_uring_complete"),
    requests!(&[Kind::Recv, Kind::Send], "uring_recv", "io_uring_complete"),
    submissions!(&[Kind::FileRead], "uring_read_silent", "uring_read_silent_old"),
    submissions!(&[Kind::FileWrite, Kind::FileClose], "uring_write_silent", "uring_write_silent_old"),
    submissions!(&[Kind::Send], "uring_send_silent", "uring_send_silent_old"),
    submissions!(&[Kind::Recv, Kind::Send], "uring_recv_silent", "uring_recv_silent_old"),
    // Its hooks are those of the calls that rules name: see `tracepoint_of`.
    Job {
        kinds: &[Kind::Syscall],
        variants: &[Variant { program: "syscall", hooks: &[], needs: &[Tracefs] }],
    },
];

/// The tracepoint at the exit of a call, by the name that the manual gives it.
pub(crate) fn tracepoint_of(call: &str) -> Hook {
    let kernel = match call {
        "stat" | "fstat" | "lstat" | "uname" => return Hook::Syscall(format!("sys_exit_new{call}").into()),
        "sendfile" | "pread" | "pwrite" => return Hook::Syscall(format!("sys_exit_{call}64").into()),
        "umount2" => "umount",
        "_sysctl" => "sysctl",
        other => other,
    };
    Hook::Syscall(format!("sys_exit_{kernel}").into())
}

impl Job {
    /// The best variant that this kernel takes; else the fact that the last one misses.
    pub(crate) fn choose(&self, facts: &Facts) -> Result<&'static Variant, Name> {
        let mut missing = Name::Btf;
        for variant in self.variants {
            match variant.needs.iter().find(|need| !facts.has(**need)) {
                None => return Ok(variant),
                Some(need) => missing = *need,
            }
        }
        Err(missing)
    }

    /// The kinds as a set.
    pub(crate) fn kind_set(&self) -> KindSet {
        self.kinds.iter().copied().collect()
    }
}

mod forms;
mod requests;
#[cfg(test)]
mod tests;
