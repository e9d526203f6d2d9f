//! 32-bit system calls of x86: their numbers, and the programs that they are handed on to. See
//! `bpf/include/compat.h`.

use std::{borrow::Cow, collections::BTreeMap};

use sentinel_event::Syscall;

use crate::plan::{Hook, JOBS, tracepoint_of};

/// Entries of the tables, as in `bpf/include/compat.h`.
const CALLS: u32 = 544;
/// Entry of the first call that `socketcall()` makes.
const SOCKETCALLS: u16 = 512;
/// From here on up to that a call has the same number on every architecture.
const COMMON: u16 = 424;

/// By number, what the same call is called with 64 bits; `-`: there is none, or none that is told.
const NAMES: &str = "
restart_syscall exit fork read write open close wait4 creat link unlink execve chdir time mknod chmod lchown -
stat lseek getpid mount umount2 setuid getuid - ptrace alarm fstat pause utime - - access - - sync kill rename
mkdir rmdir dup pipe times - brk setgid getgid - geteuid getegid acct umount2 - ioctl fcntl - setpgid - uname
umask chroot ustat dup2 getppid getpgrp setsid rt_sigaction - - setreuid setregid rt_sigsuspend rt_sigpending
sethostname setrlimit getrlimit getrusage gettimeofday settimeofday getgroups setgroups select symlink lstat
readlink uselib swapon reboot getdents mmap munmap truncate ftruncate fchmod fchown getpriority setpriority -
statfs fstatfs ioperm - syslog setitimer getitimer stat lstat fstat uname iopl vhangup - - wait4 swapoff
sysinfo - fsync rt_sigreturn clone setdomainname uname modify_ldt adjtimex mprotect rt_sigprocmask -
init_module delete_module - quotactl getpgid fchdir - sysfs personality afs_syscall setfsuid setfsgid lseek
getdents select flock msync readv writev getsid fdatasync _sysctl mlock munlock mlockall munlockall
sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_yield sched_get_priority_max
sched_get_priority_min sched_rr_get_interval nanosleep mremap setresuid getresuid - - poll nfsservctl
setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait
rt_sigqueueinfo rt_sigsuspend pread64 pwrite64 chown getcwd capget capset sigaltstack sendfile getpmsg putpmsg
vfork getrlimit mmap truncate ftruncate stat lstat fstat lchown getuid getgid geteuid getegid setreuid
setregid getgroups setgroups fchown setresuid getresuid setresgid getresgid chown setuid setgid setfsuid
setfsgid pivot_root mincore madvise getdents64 fcntl - - gettid readahead setxattr lsetxattr fsetxattr
getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr tkill
sendfile futex sched_setaffinity sched_getaffinity set_thread_area get_thread_area io_setup io_destroy
io_getevents io_submit io_cancel fadvise64 - exit_group lookup_dcookie epoll_create epoll_ctl epoll_wait
remap_file_pages set_tid_address timer_create timer_settime timer_gettime timer_getoverrun timer_delete
clock_settime clock_gettime clock_getres clock_nanosleep statfs fstatfs tgkill utimes fadvise64 vserver mbind
get_mempolicy set_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr kexec_load
waitid - add_key request_key keyctl ioprio_set ioprio_get inotify_init inotify_add_watch inotify_rm_watch
migrate_pages openat mkdirat mknodat fchownat futimesat newfstatat unlinkat renameat linkat symlinkat
readlinkat fchmodat faccessat pselect6 ppoll unshare set_robust_list get_robust_list splice sync_file_range
tee vmsplice move_pages getcpu epoll_pwait utimensat signalfd timerfd_create eventfd fallocate timerfd_settime
timerfd_gettime signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo
perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at open_by_handle_at
clock_adjtime syncfs sendmmsg setns process_vm_readv process_vm_writev kcmp finit_module sched_setattr
sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat socket socketpair bind connect listen
accept4 getsockopt setsockopt getsockname getpeername sendto sendmsg recvfrom recvmsg shutdown userfaultfd
membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx arch_prctl - rseq
- - - - - - semget semctl shmget shmctl shmat shmdt msgget msgsnd msgrcv msgctl clock_gettime clock_settime
clock_adjtime clock_getres clock_nanosleep timer_gettime timer_settime timerfd_gettime timerfd_settime
utimensat pselect6 ppoll - - recvmmsg mq_timedsend mq_timedreceive semtimedop rt_sigtimedwait futex
sched_rr_get_interval
";

/// The same of the calls that `socketcall()` makes.
const SOCKET_NAMES: &str = "
- socket bind connect listen accept getsockname getpeername socketpair sendto recvfrom sendto recvfrom shutdown
setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg
";

/// A 32-bit call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place in the tables.
    pub(crate) index: u16,
    /// What the same call is with 64 bits.
    pub(crate) call: Syscall,
    /// The name of that.
    name: &'static str,
}

/// Every 32-bit call that has a counterpart.
pub(crate) fn entries() -> Vec<Entry> {
    let named = |names: &'static str, from: u16| (from..).zip(names.split_whitespace());
    let common = Syscall::named().filter(|(call, _)| (COMMON..SOCKETCALLS).contains(&call.0));
    named(NAMES, 0)
        .chain(common.map(|(call, name)| (call.0, name)))
        .chain(named(SOCKET_NAMES, SOCKETCALLS))
        .filter_map(|(index, name)| {
            let (call, name) = Syscall::named().find(|(_, known)| *known == name)?;
            Some(Entry { index, call, name })
        })
        .collect()
}

/// Whether `program` is attached to calls, and can be to those of 32 bits.
pub(crate) fn has_twin(program: &str) -> bool {
    let mut variants = JOBS.iter().flat_map(|job| job.variants);
    program == "syscall"
        || variants.any(|variant| {
            variant.program == program && variant.hooks.iter().any(|hook| matches!(hook, Hook::Syscall(_)))
        })
}

/// A slot of one of the two tables of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// Of `compat_enters`.
    Enter(u32),
    /// Of `compat_exits`.
    Exit(u32),
}

/// Which program goes where, given what is attached to calls of 64 bits. Two programs may look at the exit of a call,
/// one at its entry: the tables have no room for more.
pub(crate) fn slots<'a>(entries: &[Entry], attached: &[(&Hook, &'a str)]) -> BTreeMap<Slot, &'a str> {
    let mut slots = BTreeMap::new();
    for entry in entries {
        let Hook::Syscall(exit) = tracepoint_of(entry.name) else { continue };
        let enter = Hook::Syscall(Cow::Owned(exit.replacen("sys_exit_", "sys_enter_", 1)));
        let exit = Hook::Syscall(exit);
        let at = |hook: &Hook| {
            let programs = attached.iter().filter(|(known, _)| **known == *hook);
            programs.map(|(_, program)| *program).collect::<Vec<_>>()
        };
        let index = u32::from(entry.index);
        let enters = at(&enter).into_iter().take(1).map(|program| (Slot::Enter(index), program));
        let exits = (0..2).zip(at(&exit)).map(|(half, program)| (Slot::Exit(half * CALLS + index), program));
        slots.extend(enters.chain(exits));
    }
    slots
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn number(index: u16) -> Option<u16> {
        entries().iter().find(|entry| entry.index == index).map(|entry| entry.call.0)
    }

    #[test]
    fn calls_of_32_bits_have_their_counterparts() {
        for (index, call) in [
            (3, Some(libc::SYS_read)),
            (5, Some(libc::SYS_open)),
            (11, Some(libc::SYS_execve)),
            (102, None), // what socketcall() makes has entries of its own
            (192, Some(libc::SYS_mmap)),
            (213, Some(libc::SYS_setuid)),
            (295, Some(libc::SYS_openat)),
            (362, Some(libc::SYS_connect)),
            (425, Some(libc::SYS_io_uring_setup)),
            (437, Some(libc::SYS_openat2)),
            (SOCKETCALLS + 3, Some(libc::SYS_connect)),
            (SOCKETCALLS + 9, Some(libc::SYS_sendto)),
            (SOCKETCALLS + 20, Some(libc::SYS_sendmmsg)),
        ] {
            assert_eq!(number(index).map(i64::from), call, "{index}");
        }
    }

    #[test]
    fn every_program_has_a_slot_for_every_call_it_looks_at() {
        let attached: Vec<(&Hook, &str)> = JOBS
            .iter()
            .filter_map(|job| job.variants.first())
            .flat_map(|variant| variant.hooks.iter().map(|hook| (hook, variant.program)))
            .filter(|(hook, _)| matches!(hook, Hook::Syscall(_)))
            .collect();
        let slots = slots(&entries(), &attached);
        for (hook, program) in &attached {
            // What x86 had no 32-bit call for.
            if matches!(hook, Hook::Syscall(name) if name == "sys_exit_accept") {
                continue;
            }
            let known = entries().into_iter().filter(|entry| {
                let exit = tracepoint_of(entry.name).name();
                [exit.clone(), exit.replace("sys_exit_", "sys_enter_")].contains(&hook.name())
            });
            let found = known.map(|entry| u32::from(entry.index)).any(|index| {
                let places = [Slot::Enter(index), Slot::Exit(index), Slot::Exit(CALLS + index)];
                places.iter().any(|slot| slots.get(slot) == Some(program))
            });
            assert!(found, "{program} at {}", hook.name());
        }
    }
}
