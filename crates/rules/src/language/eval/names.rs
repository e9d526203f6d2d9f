//! Names of calls, errors and flags. Numbers differ by architecture; the libc crate knows them.

use std::sync::LazyLock;

use sentinel_event::{Event, Kind};

/// The name of an event, and its place in the index of rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) slot: usize,
    pub(super) name: &'static str,
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
    (Kind::Loss, -1, "drop"),
];

#[cfg(target_arch = "x86_64")]
const HERE: &[Row] = &[
    (Kind::Fork, libc::SYS_fork, "fork"),
    (Kind::Fork, libc::SYS_vfork, "vfork"),
    (Kind::FileOpen, libc::SYS_open, "open"),
    (Kind::FileOpen, libc::SYS_creat, "creat"),
    (Kind::FileUnlink, libc::SYS_unlink, "unlink"),
    (Kind::FileUnlink, libc::SYS_rmdir, "rmdir"),
    (Kind::FileRename, libc::SYS_rename, "rename"),
];

#[cfg(not(target_arch = "x86_64"))]
const HERE: &[Row] = &[];

struct Calls {
    names: Vec<&'static str>,
    /// By kind: numbers and what they are called.
    by_kind: Vec<Vec<(libc::c_long, Call)>>,
}

static CALLS: LazyLock<Calls> = LazyLock::new(|| {
    let mut names: Vec<&'static str> = Vec::new();
    let mut by_kind = Vec::new();
    for kind in Kind::ALL {
        let mut calls = Vec::new();
        for (_, number, name) in EVERYWHERE.iter().chain(HERE).filter(|row| row.0 == *kind) {
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
pub(super) fn call_names() -> &'static [&'static str] {
    &CALLS.names
}

/// The slots of the names that events of a kind can have.
pub(super) fn slots_of(kind: Kind) -> impl Iterator<Item = usize> {
    CALLS.by_kind.get(kind as usize).into_iter().flatten().map(|(_, call)| call.slot)
}

/// The name of an event.
pub(super) fn call_of(event: &Event) -> Option<Call> {
    let calls = CALLS.by_kind.get(event.kind() as usize)?;
    let number = event.head.syscall.map(|call| libc::c_long::from(call.0));
    let found = calls.iter().find(|(known, _)| Some(*known) == number).or(calls.first());
    found.map(|(_, call)| *call)
}

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name)),)*] };
}

const ERRNOS: &[(i32, &str)] = errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA ETIME ENOLINK EPROTO EBADMSG
    EOVERFLOW ELIBACC ELIBBAD ELIBMAX EILSEQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
    EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN
    ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
    ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN EREMOTEIO EDQUOT ENOMEDIUM
    EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL
    EHWPOISON
};

/// `SUCCESS`, or the name of the error; its number when it has none.
pub(super) fn result_name(result: i64) -> Option<&'static str> {
    if result >= 0 {
        return Some("SUCCESS");
    }
    let number = i32::try_from(result.checked_neg()?).ok()?;
    ERRNOS.iter().find(|(value, _)| *value == number).map(|(_, name)| *name)
}

pub(super) type Flags = &'static [(u64, &'static str)];

macro_rules! names {
    ($($name:ident)*) => { &[$((bits(libc::$name as i64), stringify!($name)),)*] };
}

const fn bits(value: i64) -> u64 {
    value.cast_unsigned()
}

/// `O_*` in Falco's order, without the access mode. Compounds come before their parts.
pub(super) const OPEN: Flags = names! {
    O_TMPFILE O_DIRECTORY O_DIRECT O_TRUNC O_SYNC O_NONBLOCK O_EXCL O_DSYNC O_APPEND O_CREAT
};

/// `O_*` behind the access mode.
pub(super) const OPEN_REST: Flags = names! { O_CLOEXEC O_NOCTTY O_NOFOLLOW O_NOATIME O_PATH O_ASYNC };

/// Permission bits.
pub(super) const MODE: Flags = names! {
    S_IXOTH S_IWOTH S_IROTH S_IXGRP S_IWGRP S_IRGRP S_IXUSR S_IWUSR S_IRUSR S_ISVTX S_ISGID S_ISUID
};

/// `RENAME_*`.
pub(super) const RENAME: Flags = names! { RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT };

/// `MFD_*`.
pub(super) const MEMFD: Flags = names! { MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC };

/// `PROT_*`.
pub(super) const PROT: Flags = names! { PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP };

/// `MAP_*`.
pub(super) const MAP: Flags = names! {
    MAP_SHARED_VALIDATE MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE
    MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC
    MAP_FIXED_NOREPLACE
};

/// `PTRACE_*` requests that are events, by value.
pub(super) fn ptrace_request(value: u64) -> Option<&'static str> {
    Some(match value {
        0 => "PTRACE_TRACEME",
        4 => "PTRACE_POKETEXT",
        5 => "PTRACE_POKEDATA",
        6 => "PTRACE_POKEUSR",
        13 => "PTRACE_SETREGS",
        15 => "PTRACE_SETFPREGS",
        16 => "PTRACE_ATTACH",
        0x4205 => "PTRACE_SETREGSET",
        0x4206 => "PTRACE_SEIZE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::EventSet;

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
