//! Names of calls, errors and flags. Numbers differ by architecture; the libc crate knows them.

mod words;

use std::sync::LazyLock;

use sentinel_event::{Event, Kind, Syscall};

use crate::language::EventSet;
pub(in crate::language) use words::{
    AT, CLONE, DUP, Flags, MAP, MEMFD, MODE, MODULE, MOUNT, OPEN, OPEN_REST, PROT, RENAME, SOCK, UMOUNT,
    URING, bpf_command, bpf_number, domain, prctl, prctl_number, ptrace_number, ptrace_request,
};

/// The name of an event, and its place in the index of rules.
#[derive(Debug, Clone, Copy)]
pub(in crate::language) struct Call {
    pub(in crate::language) slot: usize,
    pub(in crate::language) name: &'static str,
}

type Row = (Kind, libc::c_long, &'static str);

/// Calls that lead to events of a kind. The first of a kind is the one that events have whose call is none of
/// them: an open through io_uring is an `openat`, so that rules see it.
const EVERYWHERE: &[Row] = &[
    (Kind::Exec, libc::SYS_execve, "execve"),
    (Kind::Exec, libc::SYS_execveat, "execveat"),
    (Kind::Fork, libc::SYS_clone, "clone"),
    (Kind::Fork, libc::SYS_clone3, "clone3"),
    (Kind::Exit, -1, "procexit"),
    (Kind::FileOpen, libc::SYS_openat, "openat"),
    (Kind::FileOpen, libc::SYS_openat2, "openat2"),
    (Kind::FileOpen, libc::SYS_open_by_handle_at, "open_by_handle_at"),
    (Kind::FileRead, libc::SYS_read, "read"),
    (Kind::FileRead, libc::SYS_pread64, "pread"),
    (Kind::FileRead, libc::SYS_readv, "readv"),
    (Kind::FileRead, libc::SYS_preadv, "preadv"),
    (Kind::FileRead, libc::SYS_preadv2, "preadv2"),
    (Kind::FileRead, libc::SYS_sendfile, "sendfile"),
    (Kind::FileRead, libc::SYS_copy_file_range, "copy_file_range"),
    (Kind::FileRead, libc::SYS_splice, "splice"),
    (Kind::FileWrite, libc::SYS_write, "write"),
    (Kind::FileWrite, libc::SYS_pwrite64, "pwrite"),
    (Kind::FileWrite, libc::SYS_writev, "writev"),
    (Kind::FileWrite, libc::SYS_pwritev, "pwritev"),
    (Kind::FileWrite, libc::SYS_pwritev2, "pwritev2"),
    (Kind::FileWrite, libc::SYS_sendfile, "sendfile"),
    (Kind::FileWrite, libc::SYS_copy_file_range, "copy_file_range"),
    (Kind::FileWrite, libc::SYS_splice, "splice"),
    (Kind::FileClose, libc::SYS_close, "close"),
    (Kind::FileUnlink, libc::SYS_unlinkat, "unlinkat"),
    (Kind::FileRename, libc::SYS_renameat2, "renameat2"),
    (Kind::FileRename, libc::SYS_renameat, "renameat"),
    (Kind::Connect, libc::SYS_connect, "connect"),
    (Kind::Accept, libc::SYS_accept4, "accept4"),
    (Kind::Accept, libc::SYS_accept, "accept"),
    (Kind::Bind, libc::SYS_bind, "bind"),
    (Kind::Listen, libc::SYS_listen, "listen"),
    (Kind::Ptrace, libc::SYS_ptrace, "ptrace"),
    (Kind::MemfdCreate, libc::SYS_memfd_create, "memfd_create"),
    (Kind::MmapExec, libc::SYS_mmap, "mmap"),
    (Kind::MprotectExec, libc::SYS_mprotect, "mprotect"),
    (Kind::MprotectExec, libc::SYS_pkey_mprotect, "pkey_mprotect"),
    (Kind::Dup, libc::SYS_dup, "dup"),
    (Kind::Dup, libc::SYS_dup3, "dup3"),
    (Kind::Dup, libc::SYS_fcntl, "fcntl"),
    (Kind::Socket, libc::SYS_socket, "socket"),
    (Kind::Send, libc::SYS_sendto, "sendto"),
    (Kind::Send, libc::SYS_sendmsg, "sendmsg"),
    (Kind::Send, libc::SYS_sendmmsg, "sendmmsg"),
    (Kind::Recv, libc::SYS_recvfrom, "recvfrom"),
    (Kind::Recv, libc::SYS_recvmsg, "recvmsg"),
    (Kind::Recv, libc::SYS_recvmmsg, "recvmmsg"),
    (Kind::Dns, -1, "dns"),
    (Kind::Setuid, libc::SYS_setuid, "setuid"),
    (Kind::Setuid, libc::SYS_setgid, "setgid"),
    (Kind::Setuid, libc::SYS_setreuid, "setreuid"),
    (Kind::Setuid, libc::SYS_setregid, "setregid"),
    (Kind::Setuid, libc::SYS_setresuid, "setresuid"),
    (Kind::Setuid, libc::SYS_setresgid, "setresgid"),
    (Kind::Setuid, libc::SYS_setfsuid, "setfsuid"),
    (Kind::Setuid, libc::SYS_setfsgid, "setfsgid"),
    (Kind::Setuid, libc::SYS_setgroups, "setgroups"),
    (Kind::Capset, libc::SYS_capset, "capset"),
    (Kind::Prctl, libc::SYS_prctl, "prctl"),
    (Kind::Signal, libc::SYS_kill, "kill"),
    (Kind::Signal, libc::SYS_tkill, "tkill"),
    (Kind::Signal, libc::SYS_tgkill, "tgkill"),
    (Kind::Signal, libc::SYS_pidfd_send_signal, "pidfd_send_signal"),
    (Kind::Signal, libc::SYS_rt_sigqueueinfo, "rt_sigqueueinfo"),
    (Kind::Signal, libc::SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo"),
    (Kind::FileLink, libc::SYS_linkat, "linkat"),
    (Kind::FileSymlink, libc::SYS_symlinkat, "symlinkat"),
    (Kind::FileMkdir, libc::SYS_mkdirat, "mkdirat"),
    (Kind::FileRmdir, libc::SYS_unlinkat, "unlinkat"),
    (Kind::FileChmod, libc::SYS_fchmodat, "fchmodat"),
    (Kind::FileChmod, libc::SYS_fchmod, "fchmod"),
    (Kind::FileChmod, 452, "fchmodat2"), // 6.6; the same number everywhere
    (Kind::FileChown, libc::SYS_fchownat, "fchownat"),
    (Kind::FileChown, libc::SYS_fchown, "fchown"),
    (Kind::FileTruncate, libc::SYS_truncate, "truncate"),
    (Kind::FileTruncate, libc::SYS_ftruncate, "ftruncate"),
    (Kind::FileMknod, libc::SYS_mknodat, "mknodat"),
    (Kind::Mount, libc::SYS_mount, "mount"),
    (Kind::Mount, libc::SYS_move_mount, "move_mount"),
    (Kind::Mount, libc::SYS_pivot_root, "pivot_root"),
    (Kind::Umount, libc::SYS_umount2, "umount2"),
    (Kind::Chroot, libc::SYS_chroot, "chroot"),
    (Kind::Setns, libc::SYS_setns, "setns"),
    (Kind::Unshare, libc::SYS_unshare, "unshare"),
    (Kind::Bpf, libc::SYS_bpf, "bpf"),
    (Kind::ModuleLoad, libc::SYS_finit_module, "finit_module"),
    (Kind::ModuleLoad, libc::SYS_init_module, "init_module"),
    (Kind::Userfaultfd, libc::SYS_userfaultfd, "userfaultfd"),
    (Kind::IoUringSetup, libc::SYS_io_uring_setup, "io_uring_setup"),
    (Kind::ProcessVmWrite, libc::SYS_process_vm_writev, "process_vm_writev"),
    (Kind::Loss, -1, "drop"),
];

#[cfg(target_arch = "x86_64")]
const HERE: &[Row] = &[
    (Kind::Fork, libc::SYS_fork, "fork"),
    (Kind::Fork, libc::SYS_vfork, "vfork"),
    (Kind::FileOpen, libc::SYS_open, "open"),
    (Kind::FileOpen, libc::SYS_creat, "creat"),
    (Kind::FileUnlink, libc::SYS_unlink, "unlink"),
    (Kind::FileRename, libc::SYS_rename, "rename"),
    (Kind::Dup, libc::SYS_dup2, "dup2"),
    (Kind::FileLink, libc::SYS_link, "link"),
    (Kind::FileSymlink, libc::SYS_symlink, "symlink"),
    (Kind::FileMkdir, libc::SYS_mkdir, "mkdir"),
    (Kind::FileRmdir, libc::SYS_rmdir, "rmdir"),
    (Kind::FileChmod, libc::SYS_chmod, "chmod"),
    (Kind::FileChown, libc::SYS_chown, "chown"),
    (Kind::FileChown, libc::SYS_lchown, "lchown"),
    (Kind::FileMknod, libc::SYS_mknod, "mknod"),
];

#[cfg(not(target_arch = "x86_64"))]
const HERE: &[Row] = &[];

struct Calls {
    names: Vec<&'static str>,
    /// By kind: numbers and what they are called.
    by_kind: Vec<Vec<(libc::c_long, Call)>>,
}

/// Calls that have no kind of their own, under the names that rules know.
fn generic() -> impl Iterator<Item = Row> {
    let own = |name: &str| EVERYWHERE.iter().chain(HERE).any(|row| row.2 == name);
    Syscall::named().filter_map(move |(number, name)| {
        let known = name.strip_suffix("64").filter(|short| own(short)).unwrap_or(name);
        (!own(known) && EventSet::is_known(known)).then_some((Kind::Syscall, number.0.into(), known))
    })
}

static CALLS: LazyLock<Calls> = LazyLock::new(|| {
    let mut names: Vec<&'static str> = Vec::new();
    let mut by_kind = Vec::new();
    let rows: Vec<Row> = EVERYWHERE.iter().chain(HERE).copied().chain(generic()).collect();
    for kind in Kind::ALL {
        let mut calls = Vec::new();
        for (_, number, name) in rows.iter().filter(|row| row.0 == *kind) {
            let slot = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            calls.push((*number, Call { slot, name }));
        }
        by_kind.push(calls);
    }
    Calls { names, by_kind }
});

/// Every name that an event can have, by slot.
pub(in crate::language) fn call_names() -> &'static [&'static str] {
    &CALLS.names
}

/// Whether the call of this name is an event of kind `syscall` when somebody asks for it, and of no other.
pub(in crate::language) fn is_generic(name: &str) -> bool {
    CALLS
        .by_kind
        .get(Kind::Syscall as usize)
        .is_some_and(|calls| calls.iter().any(|(_, call)| call.name == name))
}

/// The slots of the names that events of a kind can have.
pub(in crate::language) fn slots_of(kind: Kind) -> impl Iterator<Item = usize> {
    CALLS.by_kind.get(kind as usize).into_iter().flatten().map(|(_, call)| call.slot)
}

/// The name of an event.
pub(in crate::language) fn call_of(event: &Event) -> Option<Call> {
    let calls = CALLS.by_kind.get(event.kind() as usize)?;
    let number = event.head.syscall.map(|call| libc::c_long::from(call.0));
    let found = calls.iter().find(|(known, _)| Some(*known) == number).or(calls.first());
    found.map(|(_, call)| *call)
}

/// The number of a call that leads to events of this kind, by Falco's name for it or the manual's.
pub(in crate::language) fn call_number(kind: Kind, name: &str) -> Option<Syscall> {
    let calls = CALLS.by_kind.get(kind as usize)?;
    let (number, _) =
        calls.iter().find(|(_, call)| call.name == name || name.strip_suffix("64") == Some(call.name))?;
    u16::try_from(*number).ok().map(Syscall)
}

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name)),)*] };
}

const ERRNOS: &[(i32, &str)] = errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT
    EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA
    ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW
    ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS
    ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP
    EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED
    ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
    EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE
    ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
};

/// `SUCCESS`, or the name of the error; its number when it has none.
pub(in crate::language) fn result_name(result: i64) -> Option<&'static str> {
    if result >= 0 {
        return Some("SUCCESS");
    }
    let number = i32::try_from(result.checked_neg()?).ok()?;
    ERRNOS.iter().find(|(value, _)| *value == number).map(|(_, name)| *name)
}

/// The number of an error, 0 for `SUCCESS`.
pub(in crate::language) fn error_number(name: &str) -> Option<i32> {
    if name == "SUCCESS" {
        return Some(0);
    }
    ERRNOS.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_that_rules_know() {
        for (kind, calls) in Kind::ALL.iter().zip(&CALLS.by_kind) {
            assert!(!calls.is_empty(), "{kind}");
        }
        for name in call_names() {
            assert!(EventSet::is_known(name), "{name}");
        }
    }

    #[test]
    fn results_have_falcos_names() {
        for (result, name) in [(3, "SUCCESS"), (-2, "ENOENT"), (-115, "EINPROGRESS"), (-11, "EAGAIN")] {
            assert_eq!(result_name(result), Some(name));
        }
        assert_eq!(result_name(i64::MIN), None);
    }
}
