//! Names of flags, commands and options, as Falco writes them.

pub(in crate::language) type Flags = &'static [(u64, &'static str)];

macro_rules! names {
    ($($name:ident)*) => { &[$((bits(libc::$name as i64), stringify!($name)),)*] };
}

const fn bits(value: i64) -> u64 {
    value.cast_unsigned()
}

/// `O_*` in Falco's order, without the access mode. Compounds come before their parts.
pub(in crate::language) const OPEN: Flags = names! {
    O_TMPFILE O_DIRECTORY O_DIRECT O_TRUNC O_SYNC O_NONBLOCK O_EXCL O_DSYNC O_APPEND O_CREAT
};

/// `O_*` behind the access mode.
pub(in crate::language) const OPEN_REST: Flags =
    names! { O_CLOEXEC O_NOCTTY O_NOFOLLOW O_NOATIME O_PATH O_ASYNC };

/// Permission bits.
pub(in crate::language) const MODE: Flags = names! {
    S_IXOTH S_IWOTH S_IROTH S_IXGRP S_IWGRP S_IRGRP S_IXUSR S_IWUSR S_IRUSR S_ISVTX S_ISGID S_ISUID
};

/// `RENAME_*`.
pub(in crate::language) const RENAME: Flags = names! { RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT };

/// `MFD_*`.
pub(in crate::language) const MEMFD: Flags =
    names! { MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC };

/// `PROT_*`.
pub(in crate::language) const PROT: Flags =
    names! { PROT_READ PROT_WRITE PROT_EXEC PROT_GROWSDOWN PROT_GROWSUP };

/// `MAP_*`.
pub(in crate::language) const MAP: Flags = names! {
    MAP_SHARED_VALIDATE MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE
    MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC
    MAP_FIXED_NOREPLACE
};

/// `AF_*`, by value.
pub(in crate::language) fn domain(family: u32) -> Option<&'static str> {
    Some(match family.cast_signed() {
        libc::AF_UNSPEC => "AF_UNSPEC",
        libc::AF_UNIX => "AF_UNIX",
        libc::AF_INET => "AF_INET",
        libc::AF_INET6 => "AF_INET6",
        libc::AF_NETLINK => "AF_NETLINK",
        libc::AF_PACKET => "AF_PACKET",
        libc::AF_ALG => "AF_ALG",
        libc::AF_VSOCK => "AF_VSOCK",
        libc::AF_XDP => "AF_XDP",
        libc::AF_BLUETOOTH => "AF_BLUETOOTH",
        libc::AF_CAN => "AF_CAN",
        libc::AF_KEY => "AF_KEY",
        libc::AF_TIPC => "AF_TIPC",
        _ => return None,
    })
}

/// Options of prctl that are events.
const PRCTL: Flags = &[
    (1, "PR_SET_PDEATHSIG"),
    (4, "PR_SET_DUMPABLE"),
    (8, "PR_SET_KEEPCAPS"),
    (15, "PR_SET_NAME"),
    (22, "PR_SET_SECCOMP"),
    (24, "PR_CAPBSET_DROP"),
    (28, "PR_SET_SECUREBITS"),
    (35, "PR_SET_MM"),
    (36, "PR_SET_CHILD_SUBREAPER"),
    (38, "PR_SET_NO_NEW_PRIVS"),
    (47, "PR_CAP_AMBIENT"),
    (0x5961_6d61, "PR_SET_PTRACER"),
];

/// The name of an option of prctl that is an event.
pub(in crate::language) fn prctl(option: u64) -> Option<&'static str> {
    name(PRCTL, option)
}

/// The number of such an option.
pub(in crate::language) fn prctl_number(name: &str) -> Option<u64> {
    number(PRCTL, name)
}

/// Commands of bpf that are events.
const BPF: Flags = &[
    (0, "BPF_MAP_CREATE"),
    (5, "BPF_PROG_LOAD"),
    (6, "BPF_OBJ_PIN"),
    (7, "BPF_OBJ_GET"),
    (8, "BPF_PROG_ATTACH"),
    (9, "BPF_PROG_DETACH"),
    (13, "BPF_PROG_GET_FD_BY_ID"),
    (14, "BPF_MAP_GET_FD_BY_ID"),
    (17, "BPF_RAW_TRACEPOINT_OPEN"),
    (18, "BPF_BTF_LOAD"),
    (22, "BPF_MAP_FREEZE"),
    (28, "BPF_LINK_CREATE"),
    (29, "BPF_LINK_UPDATE"),
    (30, "BPF_LINK_GET_FD_BY_ID"),
    (33, "BPF_ITER_CREATE"),
    (34, "BPF_LINK_DETACH"),
    (35, "BPF_PROG_BIND_MAP"),
    (36, "BPF_TOKEN_CREATE"),
];

/// The name of a command of bpf that is an event.
pub(in crate::language) fn bpf_command(cmd: u32) -> Option<&'static str> {
    name(BPF, cmd.into())
}

/// The number of such a command.
pub(in crate::language) fn bpf_number(name: &str) -> Option<u32> {
    number(BPF, name).and_then(|number| number.try_into().ok())
}

/// `AT_*` flags of calls that take names.
pub(in crate::language) const AT: Flags = names! { AT_SYMLINK_NOFOLLOW AT_SYMLINK_FOLLOW AT_EMPTY_PATH };

/// Flags of a duplicated descriptor.
pub(in crate::language) const DUP: Flags = names! { O_CLOEXEC O_NONBLOCK };

/// Flags in the type of a new socket.
pub(in crate::language) const SOCK: Flags = names! { SOCK_CLOEXEC SOCK_NONBLOCK };

/// Flags of umount2, as Falco names them.
pub(in crate::language) const UMOUNT: Flags = &[(1, "FORCE"), (2, "DETACH"), (4, "EXPIRE"), (8, "NOFOLLOW")];

/// `CLONE_*` that unshare and setns take.
pub(in crate::language) const CLONE: Flags = names! {
    CLONE_FS CLONE_FILES CLONE_NEWNS CLONE_SYSVSEM CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER
    CLONE_NEWPID CLONE_NEWNET
};

/// `MS_*`, as Falco names them.
pub(in crate::language) const MOUNT: Flags = &[
    (1, "RDONLY"),
    (2, "NOSUID"),
    (4, "NODEV"),
    (8, "NOEXEC"),
    (16, "SYNCHRONOUS"),
    (32, "REMOUNT"),
    (64, "MANDLOCK"),
    (128, "DIRSYNC"),
    (1024, "NOATIME"),
    (2048, "NODIRATIME"),
    (4096, "BIND"),
    (8192, "MOVE"),
    (16384, "REC"),
    (32768, "SILENT"),
    (1 << 16, "POSIXACL"),
    (1 << 17, "UNBINDABLE"),
    (1 << 18, "PRIVATE"),
    (1 << 19, "SLAVE"),
    (1 << 20, "SHARED"),
    (1 << 21, "RELATIME"),
    (1 << 22, "KERNMOUNT"),
    (1 << 23, "I_VERSION"),
    (1 << 24, "STRICTATIME"),
    (1 << 25, "LAZYTIME"),
];

/// `MODULE_INIT_*`.
pub(in crate::language) const MODULE: Flags = &[
    (1, "MODULE_INIT_IGNORE_MODVERSIONS"),
    (2, "MODULE_INIT_IGNORE_VERMAGIC"),
    (4, "MODULE_INIT_COMPRESSED_FILE"),
];

/// `IORING_SETUP_*`.
pub(in crate::language) const URING: Flags = &[
    (1, "IORING_SETUP_IOPOLL"),
    (2, "IORING_SETUP_SQPOLL"),
    (4, "IORING_SETUP_SQ_AFF"),
    (8, "IORING_SETUP_CQSIZE"),
    (16, "IORING_SETUP_CLAMP"),
    (32, "IORING_SETUP_ATTACH_WQ"),
    (64, "IORING_SETUP_R_DISABLED"),
];

/// `PTRACE_*` requests that are events.
const PTRACE: Flags = &[
    (0, "PTRACE_TRACEME"),
    (4, "PTRACE_POKETEXT"),
    (5, "PTRACE_POKEDATA"),
    (6, "PTRACE_POKEUSR"),
    (13, "PTRACE_SETREGS"),
    (15, "PTRACE_SETFPREGS"),
    (16, "PTRACE_ATTACH"),
    (0x4205, "PTRACE_SETREGSET"),
    (0x4206, "PTRACE_SEIZE"),
];

/// The name of a `PTRACE_*` request that is an event.
pub(in crate::language) fn ptrace_request(value: u64) -> Option<&'static str> {
    name(PTRACE, value)
}

/// The number of such a request.
pub(in crate::language) fn ptrace_number(name: &str) -> Option<u64> {
    number(PTRACE, name)
}

fn name(words: Flags, number: u64) -> Option<&'static str> {
    words.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

fn number(words: Flags, name: &str) -> Option<u64> {
    words.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}
