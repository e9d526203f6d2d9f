//! What fields are worth on hand-made events.

use std::sync::Arc;

use sentinel_event::{
    Accept, Bind, Body, Endpoint, Executable, Exit, FileClose, FileIo, FileRename, FileRmdir, FileUnlink,
    Fork, Listen, MemfdCreate, MmapExec, MprotectExec, Observation, ProcessKey, Ptrace, Socket,
};

use super::build::*;

/// Each template with the text it becomes.
fn shows(observation: &Observation, cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template, observation), *expected, "{template}");
    }
}

fn by(body: Body, number: libc::c_long, result: i64) -> Observation {
    let mut made = observation(body);
    made.event.head.syscall = call(number);
    made.event.head.result = result;
    made
}

#[test]
fn an_open_tells_file_flags_and_result() {
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
    let mut opened = open("/srv/data/x.txt", flags);
    let Body::FileOpen(body) = &mut opened.event.body else { panic!() };
    (body.mode, body.created) = (0o755, true);
    shows(
        &opened,
        &[
            ("%evt.type %syscall.type %evt.category %evt.dir %evt.source", "openat openat file < syscall"),
            ("%fd.num %fd.type %fd.typechar %fd.name", "3 file f /srv/data/x.txt"),
            ("%fd.directory %fd.filename %fd.ino %fd.dev", "/srv/data x.txt 77 8"),
            ("%evt.arg.flags", "O_TRUNC|O_CREAT|O_RDWR|O_CLOEXEC|O_F_CREATED"),
            ("%evt.arg.mode", "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR"),
            ("%evt.rawarg.flags %evt.rawarg.mode", &format!("{flags} 493")),
            (
                "%evt.is_open_read %evt.is_open_write %evt.is_open_exec %evt.is_open_create",
                "true true true true",
            ),
            ("%evt.res %evt.rawres %evt.failed %evt.count.error", "SUCCESS 3 false 0"),
            ("%fd.l4proto %fd.sport %fd.nameraw", "<NA> <NA> <NA>"),
            ("%fd.containername %fd.containerdirectory", "host:/srv/data/x.txt host:/srv/data"),
            ("%evt.time.iso8601", "2023-11-14T22:13:20.123456789+0000"),
            ("%evt.datetime.s %evt.rawtime.s %evt.rawtime.ns", "2023-11-14 22:13:20 1700000000 123456789"),
        ],
    );
    shows(&open("/x", libc::O_DIRECTORY), &[("%fd.type %fd.typechar %fd.directory", "directory d /x")]);
    shows(&open("/x", libc::O_RDONLY), &[("%fd.directory %fd.filename", "/ x")]);
    #[cfg(target_arch = "x86_64")]
    {
        let mut created = open("/x", libc::O_WRONLY | libc::O_CREAT);
        created.event.head.syscall = call(libc::SYS_creat);
        shows(&created, &[("%evt.type %evt.is_open_write %evt.arg.flags", "creat false <NA>")]);
    }
}

#[test]
fn an_open_without_a_call_of_its_own_is_an_openat() {
    let mut opened = open("/x", libc::O_RDONLY);
    opened.event.head.syscall = call(libc::SYS_io_uring_enter);
    shows(&opened, &[("%evt.type", "openat")]);
    opened.event.head.syscall = call(libc::SYS_openat2);
    shows(&opened, &[("%evt.type", "openat2")]);
}

#[test]
fn a_start_tells_of_the_new_program() {
    let mut start = exec("tool", &["./tool", "-x", "a b"]);
    let body = exec_body(&mut start);
    (body.executable.memfd, body.exe.bytes) = (true, "/memfd:tool".into());
    shows(
        &start,
        &[
            ("%evt.type %evt.res %evt.rawres %evt.category", "execve SUCCESS 0 process"),
            ("%proc.name|%proc.exe|%proc.exepath", "tool|./tool|memfd:tool"),
            ("%proc.args|%proc.args[1]|%proc.args[9]|", "-x a b|a b||"),
            ("%proc.cmdline|%proc.exeline", "tool -x a b|./tool -x a b"),
            ("%proc.cmdnargs %proc.cmdlenargs %proc.cwd", "2 5 /home/u/"),
            ("%proc.is_exe_from_memfd %proc.is_exe_upper_layer %proc.exe_ino", "true false 99"),
            ("%evt.arg.flags %evt.arg.filename", "EXE_FROM_MEMFD /usr/bin/tool"),
            ("%proc.is_exe_writable %proc.is_exe_lower_layer %proc.exe_ino.ctime", "false false <NA>"),
            ("%evt.arg.trusted_exepath %evt.arg.comm %evt.arg.uid", "memfd:tool tool 1000"),
            ("%fd.name %fd.num", "<NA> <NA>"),
        ],
    );
    start.event.head.result = -2;
    shows(
        &start,
        &[
            ("%proc.exepath %proc.args %evt.res %evt.arg.res", "/usr/bin/cat -n /x ENOENT ENOENT"),
            ("%proc.is_exe_from_memfd %proc.cwd", "<NA> <NA>"),
        ],
    );
}

#[test]
fn processes_have_ids_times_users_and_ancestors() {
    let event = open("/x", libc::O_RDONLY);
    shows(
        &event,
        &[
            ("%proc.pid %proc.vpid %proc.ppid %thread.tid %thread.ismain", "300 30 200 300 true"),
            ("%proc.sid %proc.sname %proc.sid.exepath %proc.is_sid_leader", "200 bash /usr/bin/bash false"),
            ("%proc.loginshellid %proc.tty", "200 0"),
            ("%proc.duration %proc.ppid.duration", "9700000000 9800000000"),
            ("%proc.pid.ts", "1699999990423456789"),
            ("%proc.pname %proc.pexe %proc.pexepath %proc.pcmdline", "bash -bash /usr/bin/bash bash"),
            ("%proc.apid %proc.aexepath %proc.apid[2]", "200 100 /usr/bin/bash /usr/sbin/sshd 100"),
            ("%user.uid %user.name %user.loginuid %group.gid %group.name", "1000 <NA> -1 1000 <NA>"),
            ("%container.id %container.name %container.type", "host host host"),
            ("%evt.hostname %proc.env %container.image.repository", "<NA> <NA> <NA>"),
        ],
    );
    let mut root = contained(event);
    (root.event.head.euid, root.event.head.loginuid) = (0, 1000);
    shows(
        &root,
        &[("%user.name %user.loginuid %container.id %container.name", "root 1000 0123456789ab <NA>")],
    );
    let mut thread = called(root, "main");
    (thread.event.head.tid, thread.event.head.comm) = (301, "worker".into());
    shows(&thread, &[("%proc.name %thread.nametid %thread.ismain", "main worker:301 false")]);
}

#[test]
fn a_process_group_is_led_by_the_process_an_ancestor_or_somebody_unknown() {
    let mut event = open("/x", libc::O_RDONLY);
    let number = "%proc.pgid %proc.vpgid %proc.is_pgid_leader %proc.is_vpgid_leader";
    let names = "%proc.pgid.name %proc.pgid.exe %proc.pgid.exepath %proc.vpgid.name %proc.vpgid.exe %proc.vpgid.exepath";
    shows(&event, &[(number, "<NA> <NA> <NA> <NA>"), ("%proc.pgid.name", "<NA>")]);
    event.event.head.group = 300;
    shows(&event, &[(number, "300 30 true true"), (names, "cat cat /usr/bin/cat cat cat /usr/bin/cat")]);
    event.event.head.group = 200;
    let bash = "bash -bash /usr/bin/bash bash -bash /usr/bin/bash";
    shows(&event, &[(number, "200 <NA> false false"), (names, bash)]);
    event.event.head.group = 77;
    shows(&event, &[(number, "77 <NA> false false"), ("%proc.vpgid.name", "<NA>")]);
}

#[test]
fn the_file_of_a_program_is_told_on_its_start_and_afterwards() {
    const SECOND: u64 = 1_000_000_000;
    let fields = "%proc.is_exe_writable %proc.is_exe_upper_layer %proc.is_exe_lower_layer %proc.exe_ino";
    let spans = "%proc.exe_ino.ctime_duration_proc_start %proc.exe_ino.ctime_duration_pidns_start";
    let mut start = exec("tool", &["tool"]);
    let epoch = start.event.head.real_ns - start.event.head.boot_ns;
    let born = epoch + start.event.head.process.start_ns;
    let file = Executable {
        ino: 5,
        changed_ns: born - 3,
        modified_ns: 1_700_000_000 * SECOND,
        pid_namespace_ns: start.event.head.process.start_ns - 10,
        writable: true,
        lower_layer: true,
        ..Executable::default()
    };
    exec_body(&mut start).executable = file;
    let told = &[
        (fields, "true false true 5"),
        (spans, "3 7"),
        ("%proc.exe_ino.mtime", "1700000000000000000"),
        ("%evt.arg.flags", "EXE_WRITABLE|EXE_LOWER_LAYER"),
    ];
    shows(&start, told);
    let mut later = open("/x", libc::O_RDONLY);
    shows(&later, &[(fields, "<NA> <NA> <NA> <NA>")]);
    Arc::make_mut(later.process.as_mut().unwrap()).executable = Some(file);
    shows(&later, &told[..3]);
    exec_body(&mut start).executable.changed_ns = born + 1;
    shows(&start, &[(spans, "<NA> 11")]);
}

#[test]
fn a_process_that_nobody_knows_has_no_arguments() {
    let mut event = open("/x", libc::O_RDONLY);
    event.process = None;
    shows(
        &event,
        &[("%proc.name %proc.pid %proc.cmdline %proc.args %proc.exepath", "cat 300 <NA> <NA> <NA>")],
    );
}

#[test]
fn sockets_have_ends_by_role() {
    let ends = "%fd.cip %fd.cport %fd.sip %fd.sport %fd.lip %fd.rip %fd.is_server %fd.connected";
    let out = connect("203.0.113.9", 443);
    let accepted = |result| {
        let Body::Connect(connect) = out.event.body.clone() else { panic!() };
        by(Body::Accept(Accept { socket: connect.socket }), libc::SYS_accept4, result)
    };
    let bound =
        || Socket { family: 2, kind: 2, protocol: 17, fd: 4, local: end("0.0.0.0", 53), ..Socket::default() };
    let mut pending = out.clone();
    pending.event.head.result = -115;
    shows(
        &out,
        &[
            (ends, "10.0.0.5 40000 203.0.113.9 443 10.0.0.5 203.0.113.9 false true"),
            ("%fd.name %fd.type %fd.l4proto %fd.num", "10.0.0.5:40000->203.0.113.9:443 ipv4 tcp 5"),
            ("%evt.arg.tuple %evt.arg.addr", "10.0.0.5:40000->203.0.113.9:443 203.0.113.9:443"),
            ("%fd.sockfamily %fd.name_changed", "ip true"),
        ],
    );
    shows(&pending, &[("%fd.connected %evt.res %fd.name_changed", "false EINPROGRESS true")]);
    shows(
        &accepted(7),
        &[
            (ends, "203.0.113.9 443 10.0.0.5 40000 10.0.0.5 203.0.113.9 true true"),
            ("%fd.name %fd.num", "203.0.113.9:443->10.0.0.5:40000 7"),
        ],
    );
    shows(&accepted(-11), &[("%fd.num %fd.name %fd.type %fd.sip", "-1 <NA> <NA> <NA>")]);
    shows(
        &by(Body::Listen(Listen { socket: bound(), backlog: 9 }), libc::SYS_listen, 0),
        &[
            (ends, "<NA> <NA> 0.0.0.0 53 0.0.0.0 <NA> <NA> false"),
            ("%fd.name %fd.l4proto %evt.arg.backlog", "0.0.0.0:53 udp 9"),
        ],
    );
    let mut asked = Socket { local: Endpoint::default(), family: 0, ..bound() };
    asked.asked = end("::1", 80);
    shows(
        &by(Body::Bind(Bind { socket: asked }), libc::SYS_bind, -13),
        &[("%fd.name %fd.typechar %evt.arg.addr %evt.res", "::1:80 6 ::1:80 EACCES")],
    );
    let mut unix = out.clone();
    let body = socket(&mut unix);
    (body.family, body.local, body.peer) = (1, Endpoint::default(), Endpoint::default());
    body.peer.path = "/run/docker.sock".into();
    shows(
        &unix,
        &[(
            "%fd.name %fd.type %fd.typechar %fd.sockfamily %fd.l4proto %fd.sip",
            "/run/docker.sock unix u unix <NA> <NA>",
        )],
    );
}

#[test]
fn other_kinds_have_their_parameters() {
    let io = FileIo { path: "/a/b".into(), bytes: 12, calls: 1, fd: 6, ino: 5, ..FileIo::default() };
    shows(
        &by(Body::FileRead(io.clone()), libc::SYS_pread64, 12),
        &[("%evt.type %fd.name %fd.num %evt.buflen %evt.arg.size %evt.io_dir", "pread /a/b 6 12 12 read")],
    );
    shows(
        &by(Body::FileWrite(io), libc::SYS_write, 12),
        &[("%evt.type %evt.is_io_write %evt.args", "write true res=12 fd=<f>/a/b size=12")],
    );
    let close = FileClose { path: "/a/b".into(), ..FileClose::default() };
    shows(
        &by(Body::FileClose(close), libc::SYS_close, 0),
        &[("%evt.type %fd.name %fd.num", "close /a/b <NA>")],
    );
    let unlink = FileUnlink { target: asked("/a/b", "b") };
    shows(
        &by(Body::FileUnlink(unlink), libc::SYS_unlinkat, 0),
        &[
            ("%evt.type %evt.arg.name %evt.arg.path %evt.arg.flags", "unlinkat /a/b <NA> 0"),
            ("%fs.path.name %fs.path.nameraw %fs.path.source %fd.name", "/a/b b <NA> <NA>"),
        ],
    );
    let rmdir = FileRmdir { target: asked("/a/b", "b") };
    shows(
        &by(Body::FileRmdir(rmdir.clone()), libc::SYS_unlinkat, 0),
        &[("%evt.type %evt.arg.name %evt.arg.path %evt.arg.flags", "unlinkat /a/b <NA> AT_REMOVEDIR")],
    );
    #[cfg(target_arch = "x86_64")]
    shows(
        &by(Body::FileRmdir(rmdir), libc::SYS_rmdir, 0),
        &[("%evt.type %evt.arg.name %evt.arg.path %fs.path.name", "rmdir <NA> /a/b /a/b")],
    );
    let mut rename = FileRename { from: asked("/a", "a"), to: asked("", ""), flags: 1 };
    rename.to.unreadable = true;
    shows(
        &by(Body::FileRename(rename), libc::SYS_renameat2, 0),
        &[
            ("%evt.arg.oldpath %evt.arg.newpath %evt.arg.flags", "/a <NA> RENAME_NOREPLACE"),
            ("%fs.path.source %fs.path.target %fs.path.name", "/a <NA> <NA>"),
            ("%evt.abspath[src]", "/a"),
        ],
    );
    let fork = Fork { child: ProcessKey { tgid: 77, start_ns: 1 }, child_vpid: 2 };
    shows(&observation(Body::Fork(fork)), &[("%evt.type %evt.rawres %evt.arg.pid", "clone 77 300")]);
    let exit = Exit { status: 3, signal: 9, core_dumped: true };
    shows(
        &observation(Body::Exit(exit)),
        &[("%evt.type %evt.res %evt.args", "procexit <NA> ret=3 sig=9 core=1")],
    );
    shows(
        &by(Body::Ptrace(Ptrace { request: 16, target_pid: 9 }), libc::SYS_ptrace, 0),
        &[("%evt.arg.request %evt.arg.pid %evt.rawarg.request", "PTRACE_ATTACH 9 16")],
    );
    shows(
        &by(Body::MemfdCreate(MemfdCreate { name: "m".into(), flags: 3 }), libc::SYS_memfd_create, 8),
        &[
            ("%fd.num %fd.name %fd.type %evt.arg.name", "8 m memfd m"),
            ("%evt.arg.flags", "MFD_CLOEXEC|MFD_ALLOW_SEALING"),
        ],
    );
    let map = MmapExec { path: "/a.so".into(), prot: 5, flags: 2, len: 4096, ..MmapExec::default() };
    shows(
        &by(Body::MmapExec(map), libc::SYS_mmap, 4096),
        &[(
            "%evt.type %fd.name %evt.arg.prot %evt.arg.flags %evt.arg.length",
            "mmap /a.so PROT_READ|PROT_EXEC MAP_PRIVATE 4096",
        )],
    );
    shows(
        &by(Body::MprotectExec(MprotectExec { addr: 4096, len: 1, prot: 4 }), libc::SYS_mprotect, 0),
        &[("%evt.args", "res=0 addr=1000 length=1 prot=PROT_EXEC")],
    );
}
