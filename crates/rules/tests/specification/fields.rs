//! Fields of calls that failed, of other calls than theirs, and of what has no name.

use std::sync::Arc;

use sentinel_event::{
    Body, Exit, FileChown, FileRename, FileTarget, Known, Message, Observation, Setuid, Socket, User, Users,
    Workload,
};

use crate::build::{asked, call, check, connect, contained, end, exec, observation, open, rendered};

fn by(body: Body, number: libc::c_long, result: i64) -> Observation {
    let mut made = observation(body);
    (made.event.head.syscall, made.event.head.result) = (call(number), result);
    made
}

#[test]
fn an_open_that_failed_has_the_names_of_its_arguments_and_no_descriptor() {
    let mut failed = open("", libc::O_RDWR);
    let Body::FileOpen(body) = &mut failed.event.body else { panic!() };
    body.asked = asked("/srv/x/no.txt", "../x/no.txt");
    failed.event.head.result = -2;
    check(
        &failed,
        &[
            ("fd.num = -1 and fd.num < 0 and evt.rawres = -2 and evt.res = ENOENT", true),
            ("fd.name = /srv/x/no.txt and fd.nameraw = ../x/no.txt", true),
            ("fd.directory = /srv/x and fd.filename = no.txt", true),
            ("evt.arg.name = /srv/x/no.txt and evt.arg.fd = ENOENT", true),
            ("fd.typechar = f", true),
            ("evt.is_open_read = true and evt.is_open_write = true", true),
            ("fd.type exists or fd.ino exists or fd.sip exists or fd.l4proto exists", false),
        ],
    );
}

#[test]
fn modes_of_opens_are_true_of_opens_only() {
    let of = |flags: i32, mode: u32, number: libc::c_long| {
        let mut opened = open("/x", flags);
        opened.event.head.syscall = call(number);
        let Body::FileOpen(body) = &mut opened.event.body else { panic!() };
        body.mode = mode;
        opened
    };
    let exec = "evt.is_open_exec = true";
    for (flags, mode, expected) in [
        (libc::O_CREAT | libc::O_WRONLY, 0o755, true),
        (libc::O_CREAT | libc::O_RDONLY, 0o001, true),
        (libc::O_TMPFILE | libc::O_RDWR, 0o700, true),
        (libc::O_CREAT, 0o644, false),
        (libc::O_WRONLY, 0o755, false),
        (libc::O_DIRECTORY, 0o755, false),
    ] {
        check(&of(flags, mode, libc::SYS_openat), &[(exec, expected)]);
    }
    for (mode, read, write) in
        [(libc::O_RDONLY, true, false), (libc::O_WRONLY, false, true), (libc::O_RDWR, true, true)]
    {
        for number in [libc::SYS_openat, libc::SYS_openat2, libc::SYS_open_by_handle_at] {
            check(
                &of(mode, 0, number),
                &[("evt.is_open_read = true", read), ("evt.is_open_write = true", write)],
            );
        }
    }
    #[cfg(target_arch = "x86_64")]
    check(
        &of(libc::O_CREAT | libc::O_WRONLY, 0o755, libc::SYS_creat),
        &[(exec, true), ("evt.is_open_write = true or evt.is_open_read = true", false)],
    );
    // Of other events they are false, not missing.
    let fields = "evt.is_open_read = false and evt.is_open_write = false and evt.is_open_exec = false";
    for other in
        [crate::build::exec("id", &["id"]), connect("10.0.0.1", 1), observation(Body::Exit(Exit::default()))]
    {
        check(&other, &[(fields, true)]);
    }
}

#[test]
fn what_has_no_result_and_no_descriptor_has_none() {
    let descriptor =
        "fd.num exists or fd.name exists or fd.type exists or fd.directory exists or fd.l4proto exists";
    let end = observation(Body::Exit(Exit::default()));
    check(&end, &[("evt.rawres exists or evt.res exists or evt.failed exists", false), (descriptor, false)]);
    check(&exec("id", &["id"]), &[("evt.rawres = 0 and evt.res = SUCCESS", true), (descriptor, false)]);
    let unnamed = by(Body::Exit(Exit::default()), libc::SYS_exit_group, 0);
    check(&unnamed, &[("evt.arg.name exists or evt.arg[7] exists or evt.rawarg.fd exists", false)]);
}

#[test]
fn protocols_are_named_and_descriptors_of_other_kinds_say_so() {
    let sent = |kind: u16, protocol: u16, family: u16| {
        let socket = Socket { family, kind, protocol, fd: 5, peer: end("10.1.1.1", 7), ..Socket::default() };
        by(Body::Send(Message { socket, bytes: 1, ..Message::default() }), libc::SYS_sendto, 1)
    };
    for (kind, protocol, expected) in [
        (1, 6, "tcp"),
        (2, 17, "udp"),
        (2, 1, "icmp"),
        (2, 58, "icmp"),
        (3, 6, "raw"),
        (3, 255, "raw"),
        (5, 132, "<NA>"),
    ] {
        check(&sent(kind, protocol, 2), &[(&format!("fd.l4proto = \"{expected}\""), true)]);
    }
    check(
        &open("/x", 0),
        &[("fd.l4proto = \"<NA>\" and fd.l4proto != tcp", true), ("fd.sockfamily exists", false)],
    );
    let mut refused = connect("10.0.0.1", 9);
    refused.event.head.result = -111;
    check(
        &refused,
        &[
            ("fd.connected = false and evt.res = ECONNREFUSED", true),
            ("fd.sip = 10.0.0.1 and fd.sport = 9 and fd.name endswith ->10.0.0.1:9", true),
        ],
    );
}

#[test]
fn a_parameter_that_could_not_be_read_is_the_text_na() {
    let mut rename = FileRename { from: asked("/a", "a"), to: asked("", ""), flags: 0 };
    rename.to.unreadable = true;
    check(
        &by(Body::FileRename(rename), libc::SYS_renameat2, -14),
        &[
            ("evt.arg.newpath = \"<NA>\" and evt.arg.newpath exists", true),
            ("evt.arg.oldpath = /a and evt.res = EFAULT", true),
            ("evt.arg.target exists or evt.arg.path exists", false),
        ],
    );
}

#[test]
fn users_that_nobody_knows_have_the_text_na_for_a_name() {
    let mut event = open("/x", 0);
    (event.event.head.loginuid, event.event.head.egid) = (1000, 1000);
    check(
        &event,
        &[
            ("user.name = \"<NA>\" and user.loginname = \"<NA>\" and group.name = \"<NA>\"", true),
            ("user.loginuid = 1000 and not user.loginuid = -1", true),
            ("container.id = host and container.id != \"\"", true),
            ("container.image.repository exists", false),
        ],
    );
    check(&contained(event), &[("container.id = 0123456789ab and not container.id = host", true)]);
}

#[test]
fn a_user_in_a_parameter_is_shown_by_name_where_the_name_is_known() {
    let known = |mut event: Observation| {
        let user = |uid, name: &str| User { uid, name: name.into(), ..User::default() };
        let users = Users::new(vec![user(7, "ann"), user(0, "x")], Vec::new(), Vec::new(), Vec::new());
        event.workload = Some(Arc::new(Workload { users: Known::Yes(users.into()), ..Workload::default() }));
        event
    };
    let setuid =
        |uid| by(Body::Setuid(Setuid { asked: [uid, 0, 0], ..Setuid::default() }), libc::SYS_setuid, 0);
    for (uid, told) in [(7, "ann"), (0, "root"), (8, "8")] {
        assert_eq!(rendered("%evt.arg.uid", &known(setuid(uid))), told);
    }
    // A container's user database may call user 0 something else; rules ask for root.
    let mut renamed = known(setuid(0));
    renamed.event.head.euid = 0;
    assert_eq!(rendered("%evt.arg.uid %user.name", &renamed), "root root");
    assert_eq!(rendered("%evt.arg.uid %evt.rawarg.uid", &setuid(7)), "7 7");
    assert_eq!(rendered("%evt.rawarg.uid", &known(setuid(7))), "7");
    let file = FileTarget { asked: asked("/f", "f"), fd: -1, ..FileTarget::default() };
    let chown = FileChown { file, uid: 7, gid: 7, flags: 0 };
    let event = known(by(Body::FileChown(chown), libc::SYS_fchownat, 0));
    assert_eq!(rendered("%evt.arg.uid %evt.arg.gid", &event), "ann 7");
    let ids = Setuid { asked: [7, u32::MAX, 8], ..Setuid::default() };
    let event = known(by(Body::Setuid(ids), libc::SYS_setresuid, 0));
    assert_eq!(rendered("%evt.args", &event), "res=0 ruid=ann euid=-1 suid=8");
}

#[test]
fn programs_in_memory_have_a_name_without_a_slash() {
    let mut start = exec("x", &["/proc/self/fd/3"]);
    crate::build::exec_body(&mut start).exe.bytes = "/memfd:x (deleted)".into();
    check(&start, &[("proc.exepath = 'memfd:x (deleted)' and proc.exe = /proc/self/fd/3", true)]);
    check(&start, &[("proc.name = x and proc.aname[0] = x and proc.aexe[0] = /proc/self/fd/3", true)]);
}

#[test]
fn a_container_began_with_its_pid_namespace_until_the_runtime_says_when() {
    let mut start = contained(exec("id", &["id"]));
    crate::build::exec_body(&mut start).executable.pid_namespace_ns = 4_000_000_000;
    // The event happened 10 s after the boot.
    let began = crate::build::NOW - 6_000_000_000;
    let told = format!("container.start_ts = {began} and container.duration = 6000000000");
    check(&start, &[(&told, true), ("proc.pidns_init_start_ts = val(container.start_ts)", true)]);
    let mut of_host = start.clone();
    of_host.event.head.vpid = of_host.event.head.process.tgid;
    of_host.container_id = start.container_id.clone();
    check(&of_host, &[("container.start_ts exists or container.duration exists", false)]);
    let container = sentinel_event::Container { started_ns: Some(7), ..Default::default() };
    let workload = Workload { container: Known::Yes(container.into()), ..Workload::default() };
    start.workload = Some(Arc::new(workload));
    check(&start, &[("container.start_ts = 7", true)]);
    start.container_id = None;
    start.workload = None;
    check(&start, &[("container.start_ts exists", false)]);
}

#[test]
fn an_environment_is_one_text_or_the_value_of_a_name() {
    let mut start = exec("id", &["id"]);
    check(&start, &[("proc.env exists or proc.env[A] exists", false)]);
    crate::build::exec_body(&mut start).env = ["A=1", "AB=x y", "C=", "D"].map(Into::into).to_vec();
    check(
        &start,
        &[
            ("proc.env = 'A=1 AB=x y C= D'", true),
            ("proc.env icontains 'ab=X'", true),
            ("proc.env[A] = 1 and proc.env[AB] = 'x y' and proc.env[C] = ''", true),
            ("proc.env[B] exists or proc.env[D] exists or proc.env[a] exists", false),
        ],
    );
    assert_eq!(rendered("%proc.env[AB]|%proc.env[B]", &start), "x y|<NA>");
}
