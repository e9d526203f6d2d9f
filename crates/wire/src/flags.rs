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
