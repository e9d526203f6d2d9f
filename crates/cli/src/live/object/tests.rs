mod deeds;

use std::sync::Arc;

use sentinel_event::*;

use super::*;

fn shown(body: Body) -> (String, String) {
    result(body, 0)
}

fn result(body: Body, result: i64) -> (String, String) {
    let event = Event { head: Head { result, ..Head::default() }, body };
    let observation =
        Observation { event, process: None, ancestors: Arc::default(), container_id: None, workload: None };
    let (object, details) = object(&observation);
    (object, error(&observation).unwrap_or(details))
}

fn exec(exe: &str, argv: &[&str]) -> Exec {
    Exec { exe: exe.into(), argv: argv.iter().map(|a| Text::from(*a)).collect(), ..Exec::default() }
}

fn socket(family: u16, protocol: u16, peer: Endpoint) -> Socket {
    Socket { family, protocol, kind: 1, peer: peer.clone(), local: peer, ..Socket::default() }
}

fn at(ip: &str, port: u16) -> Endpoint {
    Endpoint { ip: ip.parse().ok(), port, source: Source::Kernel, ..Endpoint::default() }
}

fn named(path: &str) -> Endpoint {
    Endpoint { path: path.into(), source: Source::Kernel, ..Endpoint::default() }
}

fn asked(path: &str) -> UserPath {
    UserPath { path: path.into(), ..UserPath::default() }
}

#[test]
fn every_kind_tells_its_object() {
    let mut cases: Vec<(Body, &str, &str)> = vec![
        (Body::Exec(exec("/usr/bin/ls", &["ls", "-l", "a b"])), r#"/usr/bin/ls -l "a b""#, ""),
        (Body::Exec(exec("/usr/bin/bash", &["-bash"])), "/usr/bin/bash (as -bash)", ""),
        (Body::Exec(exec("/bin/sh", &[])), "/bin/sh (no arguments)", ""),
        (
            Body::Exec(Exec {
                executable: Executable { memfd: true, ..Executable::default() },
                argv_truncated: true,
                ..exec("/memfd:x", &["memfd:x"])
            }),
            "/memfd:x …",
            "[no file]",
        ),
        (Body::Fork(Fork { child: ProcessKey { tgid: 8, start_ns: 1 }, child_vpid: 2 }), "→ [8]", ""),
        (Body::Exit(Exit { status: 3, ..Exit::default() }), "status 3", ""),
        (Body::Exit(Exit { signal: 11, core_dumped: true, status: 0 }), "SIGSEGV (core dumped)", ""),
        (Body::Exit(Exit { signal: 40, ..Exit::default() }), "signal 40", ""),
        (
            Body::FileOpen(FileOpen { path: "/a".into(), flags: 0o1, created: true, ..FileOpen::default() }),
            "/a",
            "write, created",
        ),
        (Body::FileOpen(FileOpen { asked: asked("/b"), ..FileOpen::default() }), "/b", ""),
        (
            Body::FileRead(FileIo { path: "/a".into(), bytes: 10, calls: 1, ..FileIo::default() }),
            "/a",
            "10 B in 1 call",
        ),
        (
            Body::FileWrite(FileIo { path: "/a".into(), bytes: 2048, calls: 2, ..FileIo::default() }),
            "/a",
            "2.0 KiB in 2 calls",
        ),
        (
            Body::FileClose(FileClose { path: "/a".into(), bytes: 0, calls: 1, ..FileClose::default() }),
            "/a",
            "wrote 0 B in 1 call",
        ),
        (Body::FileUnlink(FileUnlink { target: asked("/d") }), "/d", ""),
        (
            Body::FileRename(FileRename { from: asked("/a → /b"), to: asked("/c"), flags: 0 }),
            r#""/a → /b" → /c"#,
            "",
        ),
        (Body::Connect(Connect { socket: socket(2, 6, at("192.0.2.1", 443)) }), "tcp 192.0.2.1:443", ""),
        (Body::Accept(Accept { socket: socket(10, 17, at("2001:db8::1", 53)) }), "udp [2001:db8::1]:53", ""),
        (Body::Bind(Bind { socket: socket(1, 0, named("@x")) }), "unix @x", ""),
        (
            Body::Listen(Listen { socket: socket(1, 0, Endpoint::default()), backlog: 5 }),
            "unix (unnamed)",
            "backlog 5",
        ),
        (Body::Ptrace(Ptrace { request: 16, target_pid: 9 }), "PTRACE_ATTACH → [9]", ""),
        (Body::Ptrace(Ptrace { request: 12345, target_pid: 0 }), "12345", ""),
        (Body::MemfdCreate(MemfdCreate { name: "x y".into(), flags: 0 }), r#""x y""#, ""),
        (
            Body::MmapExec(MmapExec { prot: 7, len: 8192, ..MmapExec::default() }),
            "(anonymous)",
            "rwx 8.0 KiB",
        ),
        (Body::MprotectExec(MprotectExec { addr: 0x7000, len: 1, prot: 5 }), "0x7000", "r-x 1 B"),
        (
            Body::Loss(Loss { stage: Stage::Ring, cause: LossCause::Full, kind: Some(Kind::Exec), count: 3 }),
            "3 exec lost at ring: full",
            "",
        ),
    ];
    cases.append(&mut deeds::deeds());
    let kinds: KindSet = cases.iter().map(|(body, ..)| body.kind()).collect();
    assert_eq!(kinds, KindSet::all());
    for (body, object, details) in cases {
        assert_eq!(shown(body), (object.to_owned(), details.to_owned()));
    }
}

#[test]
fn failures_have_the_name_of_their_error() {
    let failed = Body::Exec(Exec { filename: "./x".into(), ..Exec::default() });
    assert_eq!(result(failed.clone(), -2), ("./x".into(), "ENOENT".into()));
    assert_eq!(result(failed, -9999), ("./x".into(), "error 9999".into()));
    let connect =
        Connect { socket: Socket { asked: at("192.0.2.1", 1), ..socket(2, 6, Endpoint::default()) } };
    assert_eq!(result(Body::Connect(connect), -115), ("tcp 192.0.2.1:1".into(), "EINPROGRESS".into()));
    let unread = FileUnlink { target: UserPath { unreadable: true, ..UserPath::default() } };
    assert_eq!(result(Body::FileUnlink(unread), -14), ("(unreadable)".into(), "EFAULT".into()));
}

#[test]
fn what_is_special_about_a_path_is_told_unless_it_is_common() {
    let with = |flags| path(&Path { bytes: "/a".into(), flags: PathFlags::from_bits(flags) });
    assert_eq!(
        (with(1), with(128), with(1 | 4 | 128)),
        ("/a [deleted]".into(), "/a".into(), "/a [deleted,pseudo]".into())
    );
    // A name that looks like the mark is quoted.
    assert_eq!(path(&"/a [deleted]".into()), r#""/a [deleted]""#);
}

#[test]
fn bytes_read_as_people_write_them() {
    let cases = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (10_240, "10 KiB"),
        (1_048_575, "1023 KiB"),
        (1_048_576, "1.0 MiB"),
        (5 << 30, "5.0 GiB"),
        (u64::MAX, "15 EiB"),
    ];
    for (count, shown) in cases {
        assert_eq!(bytes(count), shown);
    }
}
