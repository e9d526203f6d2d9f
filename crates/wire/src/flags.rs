//! Names of flag bits. Values differ by architecture; the libc crate knows them.

type Names = &'static [(u64, &'static str)];

/// Widens a flag constant.
macro_rules! names {
    ($($name:ident)*) => { &[$((bits(libc::$name as i64), stringify!($name)),)*] };
}

const fn bits(value: i64) -> u64 {
    value.cast_unsigned()
}

/// `O_*` without the access mode. Compounds come before their parts.
pub(crate) const OPEN: Names = names! {
    O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_TMPFILE O_SYNC O_DSYNC O_ASYNC
    O_DIRECT O_DIRECTORY O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH
};

/// `RENAME_*`.
pub(crate) const RENAME: Names = names! { RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT };

/// `MFD_*`.
pub(crate) const MEMFD: Names = names! { MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC };

/// `PROT_*`.
pub(crate) const PROT: Names = names! { PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP };

/// `MAP_*`. Shared and private are one field of two bits; 3 is `MAP_SHARED_VALIDATE`.
pub(crate) const MAP: Names = names! {
    MAP_SHARED_VALIDATE MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE
    MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC
    MAP_FIXED_NOREPLACE
};

/// `AT_*` flags of calls that take names.
pub(crate) const AT: Names = names! { AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW AT_EMPTY_PATH };

/// Flags in the type of a new socket.
pub(crate) const SOCK: Names = names! { SOCK_CLOEXEC SOCK_NONBLOCK };

/// Flags of umount2.
pub(crate) const UMOUNT: Names = names! { MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW };

/// `CLONE_*` that unshare and setns take. The time namespace has no name in libc.
pub(crate) const CLONE: Names = &[
    (0x80, "CLONE_NEWTIME"),
    (bits(libc::CLONE_FS as i64), "CLONE_FS"),
    (bits(libc::CLONE_FILES as i64), "CLONE_FILES"),
    (bits(libc::CLONE_NEWNS as i64), "CLONE_NEWNS"),
    (bits(libc::CLONE_SYSVSEM as i64), "CLONE_SYSVSEM"),
    (bits(libc::CLONE_NEWCGROUP as i64), "CLONE_NEWCGROUP"),
    (bits(libc::CLONE_NEWUTS as i64), "CLONE_NEWUTS"),
    (bits(libc::CLONE_NEWIPC as i64), "CLONE_NEWIPC"),
    (bits(libc::CLONE_NEWUSER as i64), "CLONE_NEWUSER"),
    (bits(libc::CLONE_NEWPID as i64), "CLONE_NEWPID"),
    (bits(libc::CLONE_NEWNET as i64), "CLONE_NEWNET"),
];

/// Flags of userfaultfd.
pub(crate) const USERFAULTFD: Names = &[
    (1, "UFFD_USER_MODE_ONLY"),
    (bits(libc::O_CLOEXEC as i64), "O_CLOEXEC"),
    (bits(libc::O_NONBLOCK as i64), "O_NONBLOCK"),
];

/// Options of prctl that are events, by value.
pub(crate) fn prctl(option: u64) -> Option<&'static str> {
    Some(match option {
        1 => "PR_SET_PDEATHSIG",
        4 => "PR_SET_DUMPABLE",
        8 => "PR_SET_KEEPCAPS",
        15 => "PR_SET_NAME",
        22 => "PR_SET_SECCOMP",
        24 => "PR_CAPBSET_DROP",
        28 => "PR_SET_SECUREBITS",
        35 => "PR_SET_MM",
        36 => "PR_SET_CHILD_SUBREAPER",
        38 => "PR_SET_NO_NEW_PRIVS",
        47 => "PR_CAP_AMBIENT",
        0x5961_6d61 => "PR_SET_PTRACER",
        _ => return None,
    })
}

/// Commands of bpf that are events, by value.
pub(crate) fn bpf_command(cmd: u32) -> Option<&'static str> {
    Some(match cmd {
        0 => "BPF_MAP_CREATE",
        5 => "BPF_PROG_LOAD",
        6 => "BPF_OBJ_PIN",
        7 => "BPF_OBJ_GET",
        8 => "BPF_PROG_ATTACH",
        9 => "BPF_PROG_DETACH",
        13 => "BPF_PROG_GET_FD_BY_ID",
        14 => "BPF_MAP_GET_FD_BY_ID",
        17 => "BPF_RAW_TRACEPOINT_OPEN",
        18 => "BPF_BTF_LOAD",
        22 => "BPF_MAP_FREEZE",
        28 => "BPF_LINK_CREATE",
        29 => "BPF_LINK_UPDATE",
        30 => "BPF_LINK_GET_FD_BY_ID",
        33 => "BPF_ITER_CREATE",
        34 => "BPF_LINK_DETACH",
        35 => "BPF_PROG_BIND_MAP",
        36 => "BPF_TOKEN_CREATE",
        _ => return None,
    })
}

/// `AF_*`, by value.
pub(crate) fn family(value: u16) -> Option<&'static str> {
    match i32::from(value) {
        0 => None,
        libc::AF_UNIX => Some("unix"),
        libc::AF_INET => Some("inet"),
        libc::AF_INET6 => Some("inet6"),
        libc::AF_NETLINK => Some("netlink"),
        libc::AF_PACKET => Some("packet"),
        libc::AF_VSOCK => Some("vsock"),
        libc::AF_ALG => Some("alg"),
        libc::AF_BLUETOOTH => Some("bluetooth"),
        libc::AF_XDP => Some("xdp"),
        _ => Some("other"),
    }
}

/// `SOCK_*`, by value.
pub(crate) fn socket_kind(value: u16) -> Option<&'static str> {
    match i32::from(value) {
        0 => None,
        libc::SOCK_STREAM => Some("stream"),
        libc::SOCK_DGRAM => Some("datagram"),
        libc::SOCK_RAW => Some("raw"),
        libc::SOCK_SEQPACKET => Some("seqpacket"),
        _ => Some("other"),
    }
}

/// `PTRACE_*` requests that are events, by value.
pub(crate) fn ptrace_request(value: u64) -> Option<&'static str> {
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
