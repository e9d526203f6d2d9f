//! What can be attached, and what is chosen: data, not code. A job is something we want to see; its
//! variants are ways to see it, the best first. A cheaper hook for newer kernels is one more variant.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// `tracepoint/syscalls/NAME`: costs other system calls 5–7 ns, its own 35–60 ns. Not there on an
    /// architecture that lacks the call; silent for 32-bit calls.
    Syscall(&'static str),
    /// `tp_btf/NAME`: costs nothing to anybody else.
    Typed(&'static str),
}

impl Hook {
    /// As `SEC()` would name it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Syscall(name) => format!("tracepoint/syscalls/{name}"),
            Self::Typed(name) => format!("tp_btf/{name}"),
        }
    }
}

/// Kinds that the process table lives on: always captured.
pub(crate) const STATE: &[Kind] = &[Kind::Exec, Kind::Fork, Kind::Exit];

use Hook::{Syscall, Typed};
use Name::{BpfLoop, TpBtf, Tracefs};

/// A program, and its twin for kernels before 5.17.
macro_rules! syscalls {
    ([$($kind:ident),+], $program:literal, $old:literal, [$($hook:literal),+ $(,)?]) => {
        Job {
            kinds: &[$(Kind::$kind),+],
            variants: &[
                Variant { program: $program, hooks: &[$(Syscall($hook)),+], needs: &[Tracefs, BpfLoop] },
                Variant { program: $old, hooks: &[$(Syscall($hook)),+], needs: &[Tracefs] },
            ],
        }
    };
    ([$($kind:ident),+], $program:literal, [$($hook:literal),+ $(,)?]) => {
        Job {
            kinds: &[$(Kind::$kind),+],
            variants: &[Variant { program: $program, hooks: &[$(Syscall($hook)),+], needs: &[Tracefs] }],
        }
    };
}

/// Everything there is. Fork and exit come first: whoever else is attached finds them counting.
pub(crate) const JOBS: &[Job] = &[
    Job {
        kinds: &[Kind::Fork],
        variants: &[Variant { program: "fork", hooks: &[Typed("sched_process_fork")], needs: &[TpBtf] }],
    },
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
    syscalls!(
        [FileOpen],
        "file_open",
        "file_open_old",
        ["sys_exit_open", "sys_exit_openat", "sys_exit_openat2", "sys_exit_creat"]
    ),
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
    syscalls!(
        [FileUnlink],
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
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_loss_has_a_job() {
        let covered = JOBS.iter().fold(KindSet::NONE, |set, job| set.union(job.kind_set()));
        for kind in Kind::ALL {
            assert_eq!(covered.contains(*kind), *kind != Kind::Loss, "{kind}");
        }
    }

    #[test]
    fn a_kernel_without_bpf_loop_gets_the_old_program() {
        let open = JOBS.iter().find(|job| job.kinds == [Kind::FileOpen]).unwrap();
        let program = |facts: &[Name]| open.choose(&Facts::of(facts)).map(|variant| variant.program);
        assert_eq!(program(&[Tracefs, BpfLoop]), Ok("file_open"));
        assert_eq!(program(&[Tracefs]), Ok("file_open_old"));
        assert_eq!(program(&[BpfLoop]), Err(Tracefs));
    }
}
