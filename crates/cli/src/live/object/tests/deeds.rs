//! What is told by its facts.

use sentinel_event::Signal;

use super::*;

#[rustfmt::skip]
pub(super) fn deeds() -> Vec<(Body, &'static str, &'static str)> {
    let stream = socket(2, 6, at("192.0.2.1", 4444));
    let dup = Dup { old_fd: 5, asked_fd: -1, ..Dup::default() };
    let datagram = Socket { asked: at("192.0.2.1", 53), ..socket(2, 17, Endpoint::default()) };
    let message = Message { socket: datagram, bytes: 9, ..Message::default() };
    let user = Credentials { uid: 1000, euid: 1000, ..Credentials::default() };
    let setuid = Setuid { before: Some(Credentials::default()), after: user, asked: [1000, u32::MAX, 0] };
    let file = FileTarget { asked: asked("/a"), fd: -1, ..FileTarget::default() };
    let opened = FileTarget { path: "/b".into(), fd: 3, ..FileTarget::default() };
    let name = |name: &str| Some(Comm::from(name));
    vec![
        (Body::Dup(Dup { socket: stream, ..dup.clone() }), "tcp 192.0.2.1:4444", "fd 5 → 0"),
        (Body::Dup(Dup { path: "/a".into(), ..dup.clone() }), "/a", "fd 5 → 0"),
        (Body::Dup(dup), "fd 5", "fd 5 → 0"),
        (Body::Socket(MakeSocket { family: 17, kind: 3, protocol: 768, flags: 0 }), "family packet socket_type raw protocol 768", ""),
        (Body::Send(message.clone()), "udp 192.0.2.1:53", "9 B in 1 call"),
        (Body::Recv(message), "udp 192.0.2.1:53", "9 B in 1 call"),
        (Body::Dns(Dns { question: "example.org".into(), record_type: 1, addresses: vec![NamedAddress { name: "example.org".into(), ip: "192.0.2.1".parse().unwrap(), ttl_s: 5 }], ..Dns::default() }), "example.org → 192.0.2.1", "type A"),
        (Body::Dns(Dns { question: "no.example".into(), record_type: 28, code: 3, ..Dns::default() }), "no.example → code NXDOMAIN", "type AAAA"),
        (Body::Setuid(setuid), "uid 0 → 1000, euid 0 → 1000", "asked_0 1000 asked_1 -1 asked_2 0"),
        (Body::Setuid(Setuid::default()), "nothing changed", "asked_0 0 asked_1 0 asked_2 0"),
        (Body::Capset(Capset::default()), "new_effective 0x0", ""),
        (Body::Prctl(Prctl { option: 15, args: [0; 4], name: name("x y") }), "option PR_SET_NAME", r#""x y""#),
        (Body::Prctl(Prctl { option: 38, args: [1, 0, 0, 0], name: None }), "option PR_SET_NO_NEW_PRIVS", "arg2 0x1"),
        (Body::Signal(Signal { target_pid: 7, target_tid: 0, signal: 9, pidfd: -1 }), "signal 9 target_pid 7", ""),
        (Body::FileLink(FileLink { from: asked("/a"), to: asked("/b"), flags: 0 }), "/a → /b", ""),
        (Body::FileSymlink(FileSymlink { link: asked("/l"), target: "/etc/x y".into(), target_unreadable: false }), r#"/l → "/etc/x y""#, ""),
        (Body::FileMkdir(FileMkdir { target: asked("/d"), mode: 0o755 }), "/d", "mode 0755"),
        (Body::FileRmdir(FileRmdir { target: asked("/d") }), "/d", ""),
        (Body::FileChmod(FileChmod { file: file.clone(), mode: 0o4755, flags: 0 }), "/a", "mode 4755"),
        (Body::FileChown(FileChown { file: opened, uid: 1, gid: u32::MAX, flags: 0 }), "/b", "new_uid 1 new_gid -1"),
        (Body::FileTruncate(FileTruncate { file, size: 5 }), "/a", "size 5"),
        (Body::FileMknod(FileMknod { target: asked("/n"), mode: 0o20600, rdev: 259 }), "/n", "mode 20600 rdev 259"),
        (
            Body::Mount(Mount { source: asked("/s"), target: asked("/t"), fstype: "ext4".into(), flags: 1 }),
            "/s → /t",
            "fstype ext4 flags 0x1",
        ),
        (Body::Umount(Umount { target: asked("/t"), flags: 2 }), "/t", "flags MNT_DETACH"),
        (Body::Chroot(Chroot { root: "/r".into(), asked: UserPath::default() }), "/r", ""),
        (Body::Setns(Setns { fd: 3, nstype: 0x4000_0000, ino: 9 }), "nstype CLONE_NEWNET ino 9", ""),
        (Body::Unshare(Unshare { flags: 0x1000_0000 }), "flags CLONE_NEWUSER", ""),
        (Body::Bpf(Bpf { cmd: 5, object_type: 2, name: "p".into() }), "cmd BPF_PROG_LOAD", "object_type 2 name p"),
        (Body::ModuleLoad(ModuleLoad { fd: -1, args: "a=1".into(), ..ModuleLoad::default() }), "(memory)", "a=1"),
        (Body::ModuleLoad(ModuleLoad { path: "/m.ko".into(), args: "a".into(), ..ModuleLoad::default() }), "/m.ko", "a"),
        (Body::Userfaultfd(Userfaultfd { flags: 1 }), "flags UFFD_USER_MODE_ONLY", ""),
        (Body::IoUringSetup(IoUringSetup { entries: 8, flags: 2, ..IoUringSetup::default() }), "entries 8", "flags 0x2"),
        (Body::ProcessVmWrite(ProcessVmWrite { target_pid: 7, addr: 4096, pieces: 1 }), "[7]", "addr 0x1000"),
        (Body::Syscall(AnyCall { args: [1, 2, 3, 4, 5, 6] }), "", "arg0 0x1 arg1 0x2 arg2 0x3"),
    ]
}
