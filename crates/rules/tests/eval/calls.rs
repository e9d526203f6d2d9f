//! Events of calls other than those that start programs and open files: their parameters, as stock rules read them.

use sentinel_event::*;
use sentinel_rules::language::eval::{Engine, Selection};

use super::build::{asked, call, check, end, load, observation, rendered, rule};

fn by(body: Body, number: libc::c_long, result: i64) -> Observation {
    let mut made = observation(body);
    made.event.head.syscall = call(number);
    made.event.head.result = result;
    made
}

fn shows(observation: &Observation, cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template, observation), *expected, "{template}");
    }
}

fn stream() -> Socket {
    let (local, peer) = (end("10.0.0.5", 40_000), end("203.0.113.9", 4444));
    Socket { family: 2, kind: 1, protocol: 6, fd: 0, local, peer, ..Socket::default() }
}

#[test]
fn a_connection_put_onto_standard_input_is_found() {
    let dup = Dup { old_fd: 5, asked_fd: 0, socket: stream(), ..Dup::default() };
    let event = by(Body::Dup(dup), libc::SYS_dup3, 0);
    check(
        &event,
        &[
            ("evt.type in (dup, dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6)", true),
            ("fd.sip = 203.0.113.9 and fd.sport = 4444 and fd.lip = 10.0.0.5", true),
            ("fd.connected = true", true),
        ],
    );
    shows(
        &event,
        &[
            ("%fd.name %fd.num", "10.0.0.5:40000->203.0.113.9:4444 0"),
            ("%evt.args", "res=0 oldfd=5 newfd=0 flags=0"),
        ],
    );
    let file = Dup { old_fd: 5, asked_fd: -1, path: "/a".into(), ino: 7, ..Dup::default() };
    shows(
        &by(Body::Dup(file), libc::SYS_dup, 6),
        &[("%evt.type %fd.name %fd.type %evt.args", "dup /a file res=6 oldfd=5")],
    );
}

#[test]
fn datagrams_are_outbound_and_inbound_as_stock_rules_see_them() {
    let local = end("10.0.0.5", 40_000);
    let socket = Socket {
        family: 2,
        kind: 2,
        protocol: 17,
        fd: 5,
        local,
        asked: end("203.0.113.9", 53),
        ..Socket::default()
    };
    let message = Message { socket, bytes: 30, ..Message::default() };
    let sent = by(Body::Send(message.clone()), libc::SYS_sendto, 30);
    let first = "fd.l4proto != tcp and fd.connected = false and fd.name_changed = true";
    check(
        &sent,
        &[
            (first, true),
            (
                "evt.type in (sendto, sendmsg) and fd.typechar = 4 and fd.sip = 203.0.113.9 and fd.sport = 53",
                true,
            ),
            ("evt.rawres >= 0 and fd.cip = 10.0.0.5 and fd.is_server = false", true),
        ],
    );
    shows(&sent, &[("%evt.arg.size %evt.arg.tuple", "30 10.0.0.5:40000->203.0.113.9:53")]);
    let got = by(Body::Recv(message), libc::SYS_recvfrom, 30);
    check(
        &got,
        &[(first, true), ("fd.cip = 203.0.113.9 and fd.sip = 10.0.0.5 and fd.is_server = true", true)],
    );
}

#[test]
fn new_sockets_and_descriptors_have_their_parameters() {
    let made = MakeSocket { family: 17, kind: 3, protocol: 768, flags: 0x80000 };
    let event = by(Body::Socket(made), libc::SYS_socket, 4);
    check(&event, &[("evt.type = socket and evt.arg.domain contains AF_PACKET", true)]);
    shows(&event, &[("%evt.args %fd.num", "fd=<o> domain=AF_PACKET type=3 proto=768 flags=SOCK_CLOEXEC 4")]);
    let bpf = by(Body::Bpf(Bpf { cmd: 5, object_type: 2, name: "x".into() }), libc::SYS_bpf, -1);
    check(&bpf, &[("evt.type = bpf and (evt.arg.cmd = 5 or evt.arg.cmd = BPF_PROG_LOAD)", true)]);
    let ring =
        IoUringSetup { entries: 8, flags: 2, sq_entries: 8, cq_entries: 16, ..IoUringSetup::default() };
    let args = "res=3 entries=8 sq_entries=8 cq_entries=16 flags=IORING_SETUP_SQPOLL sq_thread_cpu=0 sq_thread_idle=0 features=0";
    shows(&by(Body::IoUringSetup(ring), libc::SYS_io_uring_setup, 3), &[("%evt.args", args)]);
    let fault = by(Body::Userfaultfd(Userfaultfd { flags: 0x80000 }), libc::SYS_userfaultfd, 3);
    shows(&fault, &[("%evt.args", "res=3 flags=O_CLOEXEC")]);
}

#[test]
fn files_have_names_modes_and_owners() {
    let by_name = FileTarget { asked: asked("/a/f", "f"), fd: -1, ..FileTarget::default() };
    let by_fd = FileTarget { path: "/a/g".into(), ino: 3, dev: 4, fd: 7, ..FileTarget::default() };
    let chmod = |file: &FileTarget| Body::FileChmod(FileChmod { file: file.clone(), mode: 0o4700, flags: 0 });
    let mode = "evt.arg.mode contains S_ISUID";
    check(
        &by(chmod(&by_name), libc::SYS_fchmodat, 0),
        &[(mode, true), ("evt.arg.filename = /a/f and fs.path.name = /a/f", true)],
    );
    check(
        &by(chmod(&by_fd), libc::SYS_fchmod, 0),
        &[(mode, true), ("fd.name = /a/g and fd.num = 7 and evt.arg.fd contains /a/g", true)],
    );
    let chown = FileChown { file: by_name.clone(), uid: 0, gid: u32::MAX, flags: 0x100 };
    shows(
        &by(Body::FileChown(chown), libc::SYS_fchownat, 0),
        &[("%evt.arg.pathname %evt.arg.uid %evt.arg.gid %evt.arg.flags", "/a/f root -1 AT_SYMLINK_NOFOLLOW")],
    );
    let truncate = FileTruncate { file: by_name, size: 9 };
    shows(
        &by(Body::FileTruncate(truncate), libc::SYS_truncate, 0),
        &[("%evt.args", "res=0 path=/a/f length=9")],
    );
    let mkdir = FileMkdir { target: asked("/d", "d"), mode: 0o700 };
    shows(
        &by(Body::FileMkdir(mkdir), libc::SYS_mkdirat, -17),
        &[("%evt.arg.path %evt.arg.mode %evt.res %fs.path.name", "/d S_IXUSR|S_IWUSR|S_IRUSR EEXIST /d")],
    );
    let mknod = FileMknod { target: asked("/n", "n"), mode: 0, rdev: 259 };
    shows(&by(Body::FileMknod(mknod), libc::SYS_mknodat, 0), &[("%evt.arg.path %evt.arg.dev", "/n 259")]);
}

#[test]
fn links_tell_what_they_lead_to() {
    let link = FileLink { from: asked("/etc/shadow", "shadow"), to: asked("/tmp/x", "x"), flags: 0 };
    let event = by(Body::FileLink(link), libc::SYS_linkat, 0);
    check(
        &event,
        &[(
            "evt.arg.oldpath in (/etc/shadow) and evt.arg.newpath = /tmp/x and fs.path.source = /etc/shadow",
            true,
        )],
    );
    let symlink = FileSymlink { link: asked("/tmp/x", "x"), target: "/etc".into(), target_unreadable: false };
    let event = by(Body::FileSymlink(symlink), libc::SYS_symlinkat, 0);
    check(
        &event,
        &[("evt.arg.target in (/etc) and evt.arg.linkpath = /tmp/x and fs.path.target = /tmp/x", true)],
    );
}

#[test]
fn credentials_signals_and_namespaces_have_their_parameters() {
    let setuid = |asked| Body::Setuid(Setuid { asked, ..Setuid::default() });
    shows(&by(setuid([0, 7, 8]), libc::SYS_setuid, 0), &[("%evt.args", "res=0 uid=root")]);
    shows(
        &by(setuid([1, u32::MAX, 3]), libc::SYS_setresuid, 0),
        &[("%evt.args", "res=0 ruid=1 euid=-1 suid=3")],
    );
    shows(&by(setuid([4, 5, 6]), libc::SYS_setresgid, 0), &[("%evt.args", "res=0 rgid=4 egid=5 sgid=6")]);
    let after = Credentials { inheritable: 1, permitted: 2, effective: 3, ..Credentials::default() };
    let capset = by(Body::Capset(Capset { before: None, after }), libc::SYS_capset, 0);
    shows(&capset, &[("%evt.args", "res=0 cap_inheritable=0x1 cap_permitted=0x2 cap_effective=0x3")]);
    let kill = Signal { target_pid: 7, target_tid: 0, signal: 9, pidfd: -1 };
    shows(&by(Body::Signal(kill), libc::SYS_kill, 0), &[("%evt.args", "res=0 pid=7 sig=9")]);
    let prctl = Prctl { option: 15, args: [0; 4], name: Some("x".into()) };
    shows(
        &by(Body::Prctl(prctl), libc::SYS_prctl, 0),
        &[("%evt.args", "res=0 option=PR_SET_NAME arg2_str=x")],
    );
    let unshare = by(Body::Unshare(Unshare { flags: 0x1000_0000 }), libc::SYS_unshare, 0);
    check(&unshare, &[("evt.type = unshare and evt.arg.flags contains CLONE_NEWUSER", true)]);
    let setns = by(Body::Setns(Setns { fd: 5, nstype: 0x4000_0000, ino: 1 }), libc::SYS_setns, 0);
    check(&setns, &[("evt.type = setns and evt.arg.nstype = CLONE_NEWNET and fd.num = 5", true)]);
    let mount =
        Mount { source: asked("", "tmpfs"), target: asked("/t", "t"), fstype: "tmpfs".into(), flags: 1 };
    shows(
        &by(Body::Mount(mount), libc::SYS_mount, 0),
        &[("%evt.args", "res=0 dev=tmpfs dir=/t type=tmpfs flags=RDONLY")],
    );
    let umount = Umount { target: asked("/t", "t"), flags: 2 };
    shows(&by(Body::Umount(umount), libc::SYS_umount2, 0), &[("%evt.args", "res=0 name=/t flags=DETACH")]);
    let module =
        ModuleLoad { path: "/m.ko".into(), args: "a=1".into(), fd: 3, ino: 1, ..ModuleLoad::default() };
    shows(
        &by(Body::ModuleLoad(module), libc::SYS_finit_module, 0),
        &[("%evt.args", "res=0 fd=<f>/m.ko uargs=a=1 flags=0")],
    );
}

#[test]
fn other_calls_are_events_when_a_rule_names_them() {
    let event = by(Body::Syscall(AnyCall::default()), libc::SYS_ioctl, 0);
    check(&event, &[("evt.type = ioctl", true), ("evt.type = bpf", false)]);
    let engine = |condition: &str| Engine::new(load(&rule(condition, "o")), &Selection::default());
    let named = engine("evt.type in (ioctl, personality, openat)");
    assert!(named.kinds().contains(Kind::Syscall));
    let mut calls = named.syscalls();
    calls.sort_unstable();
    assert_eq!(calls, ["ioctl", "personality"]);
    assert!(engine("evt.type = openat").syscalls().is_empty());
    assert!(!engine("evt.type = openat").kinds().contains(Kind::Syscall));
    assert!(engine("proc.name = x").syscalls().is_empty());
}
