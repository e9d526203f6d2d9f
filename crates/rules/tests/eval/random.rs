//! Random observations.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::expect_used, reason = "it is a part of tests")]

use std::sync::Arc;

use proptest::{prelude::*, sample::select};
use sentinel_event::{
    Accept, AnyCall, Bind, Body, Bpf, Capset, Chroot, Comm, Connect, Credentials, Dns, Dup, Endpoint, Event,
    Exec, Executable, Exit, FileChmod, FileChown, FileClose, FileIo, FileLink, FileMkdir, FileMknod,
    FileOpen, FileRename, FileRmdir, FileSymlink, FileTarget, FileTruncate, FileUnlink, Fork, Head,
    IoUringSetup, Kind, Listen, Loss, LossCause, MakeSocket, MemfdCreate, Message, MmapExec, ModuleLoad,
    Mount, MprotectExec, NamedAddress, Observation, Path, PathFlags, Prctl, Process, ProcessKey,
    ProcessVmWrite, Ptrace, Setns, Setuid, Signal, Socket, Source, Stage, Syscall, Text, Umount, Unshare,
    UserPath, Userfaultfd,
};

/// Names that rules look for, and names that they do not.
const NAMES: &[&str] = &[
    "bash",
    "sh",
    "cat",
    "sshd",
    "nginx",
    "runc",
    "nc",
    "ncat",
    "find",
    "grep",
    "systemd",
    "containerd",
    "ssh",
    "shred",
    "curl",
    "python3",
    "",
    "<NA>",
];
const WORDS: &[&str] = &[
    "-e",
    "-c",
    "--sh-exec",
    "id_rsa",
    ".aws/credentials",
    "BEGIN RSA PRIVATE",
    "/dev/shm/x",
    "./x",
    "",
    "a b",
    "-lp",
];
const PATHS: &[&str] = &[
    "",
    "/",
    "/etc/shadow",
    "/etc/sudoers.d/x",
    "/etc/pam.d",
    "/var/log/syslog",
    "/dev/shm/x",
    "/root/.ssh/id_rsa",
    "/home/u/.bash_history",
    "/usr/bin/bash",
    "/proc/1/environ",
    "/memfd:x",
    "relative",
    "/etc/cron.d/x",
    "../../etc/passwd",
    "/var/run/docker.sock",
];
const ADDRESSES: &[&str] =
    &["127.0.0.1", "10.0.0.5", "93.184.216.34", "169.254.169.254", "0.0.0.0", "::1", "2606:4700::1111"];

fn text(pool: &'static [&'static str]) -> BoxedStrategy<Text> {
    let known = select(pool).prop_map(Text::from);
    prop_oneof![9 => known, 1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(Text::from)].boxed()
}

fn path() -> BoxedStrategy<Path> {
    let flags = prop_oneof![Just(0), Just(128), any::<u32>()];
    (text(PATHS), flags).prop_map(|(bytes, bits)| Path { bytes, flags: PathFlags::from_bits(bits) }).boxed()
}

fn asked() -> BoxedStrategy<UserPath> {
    let second = prop::option::weighted(0.2, text(PATHS).prop_map(Box::new));
    let make = |(path, name, unreadable, shared, second)| UserPath { path, name, unreadable, shared, second };
    (text(PATHS), text(PATHS), any::<bool>(), any::<bool>(), second).prop_map(make).boxed()
}

fn argv() -> impl Strategy<Value = Vec<Text>> {
    (text(NAMES), prop::collection::vec(text(WORDS), 0..4)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let address = prop::option::of(select(ADDRESSES).prop_map(|text| text.parse().expect("an address")));
    let port = prop_oneof![select(vec![0, 22, 80, 443, 4444]), any::<u16>()];
    let source = select(vec![Source::None, Source::Kernel, Source::User]);
    (address, port, text(PATHS), source).prop_map(|(ip, port, path, source)| Endpoint {
        ip,
        port,
        path,
        source,
    })
}

fn socket() -> BoxedStrategy<Socket> {
    let numbers = (select(vec![0, 1, 2, 10, 16, 17]), 0_u16..4, select(vec![0, 1, 6, 17, 58]), -1..9);
    (numbers, endpoint(), endpoint(), endpoint(), any::<bool>())
        .prop_map(|((family, kind, protocol, fd), local, peer, asked, shared)| Socket {
            family,
            kind,
            protocol,
            fd,
            local,
            peer,
            shared,
            asked,
            peer_names: Vec::new(),
        })
        .boxed()
}

/// What somebody heard from port 53.
fn dns() -> impl Strategy<Value = Body> {
    let name = || select(&["a.example", "www.shop.example", "\\.x.\\032"][..]).prop_map(Text::from);
    let address = (name(), select(ADDRESSES), any::<u32>()).prop_map(|(name, ip, ttl_s)| NamedAddress {
        name,
        ip: ip.parse().expect("an address"),
        ttl_s,
    });
    let addresses = prop::collection::vec(address, 0..4);
    let marks = (any::<bool>(), any::<bool>());
    (socket(), name(), 0_u16..99, 0_u8..9, addresses, 12_u32..999, marks).prop_map(
        |(socket, question, record_type, code, addresses, bytes, (truncated, malformed))| {
            Body::Dns(Dns { socket, question, record_type, code, addresses, bytes, truncated, malformed })
        },
    )
}

fn io() -> impl Strategy<Value = FileIo> {
    (path(), any::<u64>(), any::<i32>(), any::<u64>()).prop_map(|(path, bytes, fd, ino)| FileIo {
        path,
        bytes,
        calls: 1,
        fd,
        dev: 8,
        ino,
        ..FileIo::default()
    })
}

fn body() -> BoxedStrategy<Body> {
    let flags = || prop_oneof![0_u32..4, any::<u32>()];
    let exec = (text(PATHS), path(), argv(), any::<bool>(), any::<bool>(), any::<u64>(), path());
    let exec = exec.prop_map(|(filename, exe, argv, memfd, upper_layer, ino, cwd)| {
        let executable = Executable { memfd, upper_layer, ino, ..Executable::default() };
        Body::Exec(Exec { filename, exe, argv, executable, cwd, ..Exec::default() })
    });
    let open = (path(), asked(), flags(), any::<u32>(), any::<u64>(), any::<bool>());
    let open = open.prop_map(|(path, asked, flags, mode, ino, created)| {
        Body::FileOpen(FileOpen { path, asked, flags, mode, dev: 8, ino, created })
    });
    let close = (path(), any::<u64>())
        .prop_map(|(path, ino)| Body::FileClose(FileClose { path, bytes: 1, calls: 1, dev: 8, ino }));
    let map = (path(), any::<u64>(), flags(), flags()).prop_map(|(path, addr, prot, flags)| {
        Body::MmapExec(MmapExec { path, ino: 1, addr, len: addr, prot, flags })
    });
    let protect = (any::<u64>(), flags())
        .prop_map(|(addr, prot)| Body::MprotectExec(MprotectExec { addr, len: addr, prot }));
    prop_oneof![
        4 => exec,
        1 => any::<u32>().prop_map(|tgid| {
            Body::Fork(Fork { child: ProcessKey { tgid, start_ns: 1 }, child_vpid: 2 })
        }),
        1 => any::<u32>().prop_map(|status| Body::Exit(Exit { status, signal: 9, core_dumped: true })),
        6 => open,
        1 => io().prop_map(Body::FileRead),
        1 => io().prop_map(Body::FileWrite),
        1 => close,
        1 => (asked(), any::<bool>())
            .prop_map(|(target, _)| Body::FileUnlink(FileUnlink { target })),
        1 => (asked(), asked(), flags())
            .prop_map(|(from, to, flags)| Body::FileRename(FileRename { from, to, flags })),
        3 => socket().prop_map(|socket| Body::Connect(Connect { socket })),
        1 => socket().prop_map(|socket| Body::Accept(Accept { socket })),
        1 => socket().prop_map(|socket| Body::Bind(Bind { socket })),
        1 => socket().prop_map(|socket| Body::Listen(Listen { socket, backlog: 5 })),
        1 => select(vec![0, 4, 5, 16, 0x4206, 99, u64::MAX])
            .prop_map(|request| Body::Ptrace(Ptrace { request, target_pid: 7 })),
        1 => (text(NAMES), flags()).prop_map(|(name, flags)| Body::MemfdCreate(MemfdCreate { name, flags })),
        1 => map,
        1 => protect,
        1 => Just(Body::Loss(Loss { stage: Stage::Ring, cause: LossCause::Full, kind: Some(Kind::Exec), count: 1 })),
        8 => deed(),
    ]
    .boxed()
}

/// What has one sort of argument and no file.
fn deed() -> BoxedStrategy<Body> {
    let flags = || prop_oneof![0_u32..4, any::<u32>()];
    let file = (path(), asked(), any::<u64>(), select(vec![-1, 3])).prop_map(|(path, asked, ino, fd)| {
        // By name it is what was asked for, by descriptor the file.
        match fd {
            -1 => FileTarget { asked, fd, ..FileTarget::default() },
            fd => FileTarget { path, ino, dev: 8, fd, ..FileTarget::default() },
        }
    });
    let file = file.boxed();
    let ids = || select(vec![0_u32, 1, 1000, u32::MAX]);
    let credentials = || {
        (ids(), ids(), any::<u64>()).prop_map(|(uid, gid, effective)| Credentials {
            uid,
            euid: uid,
            suid: gid,
            gid,
            effective,
            permitted: effective,
            inheritable: 1,
            ..Credentials::default()
        })
    };
    let dup = (socket(), path(), 0..9, -1..4, flags(), any::<u64>());
    let dup = dup.prop_map(|(socket, path, old_fd, asked_fd, flags, ino)| {
        Body::Dup(Dup { old_fd, asked_fd, flags, dev: 8, ino, path, socket })
    });
    let message = || {
        let parts = (socket(), any::<u64>(), flags(), 0_u32..3);
        parts.prop_map(|(socket, bytes, flags, message)| Message {
            socket,
            bytes,
            flags,
            message,
            ..Message::default()
        })
    };
    let families = select(vec![0_u32, 1, 2, 10, 16, 17, 38, 40, 44, 31]);
    let made = (families, select(vec![1_u32, 2, 3, 5]), any::<u32>(), flags());
    let made = made.prop_map(|(family, kind, protocol, flags)| {
        Body::Socket(MakeSocket { family, kind, protocol, flags })
    });
    let module = (path(), text(WORDS), select(vec![-1, 3]), 0_u32..8).prop_map(|(path, args, fd, flags)| {
        let path = if fd < 0 { Path::default() } else { path };
        Body::ModuleLoad(ModuleLoad { path, ino: 5, dev: 8, size: 4096, args, flags, fd })
    });
    let words = |word: &'static [u64]| prop_oneof![select(word.to_vec()), 0_u64..99];
    let prctl = (words(&[15, 38, 0x5961_6d61]), any::<[u64; 4]>(), prop::option::of(select(NAMES)));
    let prctl = prctl
        .prop_map(|(option, args, name)| Body::Prctl(Prctl { option, args, name: name.map(Comm::from) }));
    let signal =
        (-9..9, 0..9, 0_u32..65, select(vec![-1, 4])).prop_map(|(target_pid, target_tid, signal, pidfd)| {
            Body::Signal(Signal { target_pid, target_tid, signal, pidfd })
        });
    let setuid = (prop::option::of(credentials()), credentials(), [ids(), ids(), ids()]);
    let setuid = setuid.prop_map(|(before, after, asked)| Body::Setuid(Setuid { before, after, asked }));
    let capset = (prop::option::of(credentials()), credentials());
    let mount = (asked(), asked(), text(WORDS), 0_u64..(1 << 26));
    let mount = mount
        .prop_map(|(source, target, fstype, flags)| Body::Mount(Mount { source, target, fstype, flags }));
    prop_oneof![
        dup,
        dns(),
        message().prop_map(Body::Send),
        message().prop_map(Body::Recv),
        made,
        module,
        prctl,
        signal,
        setuid,
        capset.prop_map(|(before, after)| Body::Capset(Capset { before, after })),
        mount,
        (asked(), asked(), flags()).prop_map(|(from, to, flags)| Body::FileLink(FileLink {
            from,
            to,
            flags
        })),
        (asked(), text(PATHS), any::<bool>()).prop_map(|(link, target, target_unreadable)| {
            Body::FileSymlink(FileSymlink { link, target, target_unreadable })
        }),
        (asked(), 0_u32..4096).prop_map(|(target, mode)| Body::FileMkdir(FileMkdir { target, mode })),
        asked().prop_map(|target| Body::FileRmdir(FileRmdir { target })),
        (asked(), any::<u32>(), any::<u32>()).prop_map(|(target, mode, rdev)| Body::FileMknod(FileMknod {
            target,
            mode,
            rdev
        })),
        (file.clone(), 0_u32..0o7777, flags()).prop_map(|(file, mode, flags)| Body::FileChmod(FileChmod {
            file,
            mode,
            flags
        })),
        (file.clone(), ids(), ids(), flags())
            .prop_map(|(file, uid, gid, flags)| Body::FileChown(FileChown { file, uid, gid, flags })),
        (file, any::<u64>()).prop_map(|(file, size)| Body::FileTruncate(FileTruncate { file, size })),
        (asked(), flags()).prop_map(|(target, flags)| Body::Umount(Umount { target, flags })),
        (path(), asked()).prop_map(|(root, asked)| Body::Chroot(Chroot { root, asked })),
        (-1..9, any::<u32>()).prop_map(|(fd, nstype)| Body::Setns(Setns { fd, nstype, ino: 4 })),
        any::<u64>().prop_map(|flags| Body::Unshare(Unshare { flags })),
        (0_u32..40, any::<u32>(), text(NAMES)).prop_map(|(cmd, object_type, name)| Body::Bpf(Bpf {
            cmd,
            object_type,
            name
        })),
        flags().prop_map(|flags| Body::Userfaultfd(Userfaultfd { flags })),
        (any::<u32>(), flags(), any::<bool>()).prop_map(|(entries, flags, unreadable)| {
            Body::IoUringSetup(IoUringSetup {
                entries,
                flags,
                unreadable,
                features: 9,
                ..IoUringSetup::default()
            })
        }),
        (any::<u32>(), any::<u64>()).prop_map(|(target_pid, addr)| {
            Body::ProcessVmWrite(ProcessVmWrite { target_pid, addr, pieces: 1 })
        }),
        any::<[u64; 6]>().prop_map(|args| Body::Syscall(AnyCall { args })),
    ]
    .boxed()
}

fn process() -> impl Strategy<Value = Arc<Process>> {
    (1_u32..500, text(NAMES), text(PATHS), argv()).prop_map(|(tgid, comm, exe, argv)| {
        let key = ProcessKey { tgid, start_ns: u64::from(tgid) };
        Arc::new(Process { key, comm, exe, argv: argv.into(), ..Process::default() })
    })
}

fn head() -> impl Strategy<Value = Head> {
    let comm = select(NAMES).prop_map(Comm::from);
    let ids = (select(vec![0_u32, 1, 1000, u32::MAX]), any::<u32>(), select(vec![0_u32, 34_816]), 1_u32..500);
    let result = prop_oneof![Just(0), Just(3), Just(-2), Just(-115), Just(i64::MIN), any::<i64>()];
    let times = (any::<u64>(), any::<u64>(), any::<u64>());
    (comm, ids, result, times, prop::option::of(0_u16..460), 1_u32..500).prop_map(
        |(comm, (uid, gid, tty, pid), result, (boot_ns, real_ns, start_ns), syscall, session)| Head {
            boot_ns,
            real_ns,
            process: ProcessKey { tgid: pid, start_ns },
            tid: pid,
            parent: ProcessKey { tgid: 1, start_ns: 5 },
            euid: uid,
            loginuid: uid,
            egid: gid,
            session,
            tty,
            comm,
            syscall: syscall.map(Syscall),
            result,
            ..Head::default()
        },
    )
}

/// Any observation: likely ones more often.
pub(crate) fn observation() -> impl Strategy<Value = Observation> {
    let container = prop::option::of(select(vec!["0123456789abcdef", "short", ""]).prop_map(Arc::from));
    let surroundings =
        (prop::option::weighted(0.9, process()), prop::collection::vec(process(), 0..5), container);
    (head(), body(), surroundings).prop_map(|(head, body, (process, ancestors, container_id))| Observation {
        event: Event { head, body },
        process,
        ancestors: ancestors.into(),
        container_id,
        workload: None,
    })
}
