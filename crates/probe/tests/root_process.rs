//! Starts and ends of processes, and the process that acts. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    os::unix::{ffi::OsStrExt as _, ffi::OsStringExt as _, fs::MetadataExt as _, fs::PermissionsExt as _},
    process::{self, Command},
};

use harness::{c, call, capture_of, of};
use sentinel_event::{Body, Event, Exec, Exit, Kind, PathFlags};

/// What is loaded.
const KINDS: &[Kind] = &[];

fn execs(events: &[Event]) -> Vec<(&Event, &Exec)> {
    events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Exec(exec) => Some((event, exec)),
            _ => None,
        })
        .collect()
}

fn real(path: &str) -> String {
    fs::canonicalize(path).unwrap().to_str().unwrap().to_owned()
}

/// Text after `name` in /proc/self/status.
fn status(name: &str) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

#[test]
fn a_start_tells_program_arguments_and_directory() {
    let mut child = 0;
    let events = capture_of(KINDS).during(|| {
        let mut command = Command::new("/bin/sh");
        let mut running = command.args(["-c", "exit 7", "a b", ""]).current_dir("/usr").spawn().unwrap();
        child = running.id();
        assert_eq!(running.wait().unwrap().code(), Some(7));
    });
    let [(event, exec)] = execs(&events)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.process.tgid, child);
    assert_eq!(exec.filename, "/bin/sh");
    assert_eq!(exec.exe.bytes, real("/bin/sh"));
    assert_eq!(exec.argv, ["/bin/sh", "-c", "exit 7", "a b", ""]);
    assert_eq!(exec.cwd.bytes, "/usr");
    let file = &exec.executable;
    let sh = fs::metadata("/bin/sh").unwrap();
    let time = |seconds: i64, ns: i64| seconds as u64 * 1_000_000_000 + ns as u64;
    assert_eq!(file.ino, sh.ino());
    assert_eq!(file.changed_ns, time(sh.ctime(), sh.ctime_nsec()));
    assert_eq!(file.modified_ns, time(sh.mtime(), sh.mtime_nsec()));
    assert!(file.pid_namespace_ns <= event.head.process.start_ns && file.writable, "{file:?}");
    assert!(!exec.argv_truncated && !file.memfd && !file.upper_layer && !file.lower_layer);
    assert!(exec.env.is_empty(), "nobody asked for it");
    assert_eq!(event.head.comm.as_bstr(), "sh");

    let [fork] = of(&events, Kind::Fork)[..] else { panic!("{events:?}") };
    let Body::Fork(born) = &fork.body else { unreachable!() };
    assert_eq!(fork.head.process.tgid, process::id());
    assert_eq!(born.child, event.head.process, "one key from fork to exec");
    let [exit] = of(&events, Kind::Exit)[..] else { panic!("{events:?}") };
    assert_eq!(exit.head.process, event.head.process, "… to exit");
    assert_eq!(exit.body, Body::Exit(Exit { status: 7, signal: 0, core_dumped: false }));
}

#[test]
fn a_death_by_signal_is_told() {
    let events = capture_of(KINDS).during(|| {
        let status = Command::new("/bin/sh").args(["-c", "kill -9 $$"]).status().unwrap();
        assert_eq!(status.signal(), Some(9));
    });
    assert_eq!(
        of(&events, Kind::Exit)[0].body,
        Body::Exit(Exit { status: 0, signal: 9, core_dumped: false })
    );
}

#[test]
fn who_acts_is_read_from_the_kernel() {
    let events = capture_of(KINDS).during(|| assert!(Command::new("/bin/true").status().unwrap().success()));
    let fork = of(&events, Kind::Fork)[0];
    let (exec, _) = execs(&events)[0];
    for (event, parent) in [(fork, nix::unistd::getppid().as_raw() as u32), (exec, process::id())] {
        let head = &event.head;
        assert_eq!(head.parent.tgid, parent);
        assert!(
            head.process.start_ns > 0 && head.parent.start_ns > 0 && head.boot_ns > head.process.start_ns
        );
        assert_eq!((head.uid, head.gid, head.euid, head.egid), (0, 0, 0, 0));
        assert_eq!(head.loginuid.to_string(), fs::read_to_string("/proc/self/loginuid").unwrap());
        assert_eq!(head.session as i32, nix::unistd::getsid(None).unwrap().as_raw());
        for (name, number) in
            [("pid", head.namespaces.pid), ("mnt", head.namespaces.mnt), ("net", head.namespaces.net)]
        {
            let link = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
            assert_eq!(link.to_str().unwrap(), format!("{name}:[{number}]"));
        }
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
        assert!(now.abs_diff(head.real_ns) < 60_000_000_000, "within a minute of the wall clock");
    }
    assert_eq!(fork.head.process.tgid.to_string(), status("Tgid"));
    assert_eq!(exec.head.parent, fork.head.process);
}

#[test]
fn another_user_is_told() {
    let events = capture_of(KINDS)
        .during(|| assert!(Command::new("/bin/true").uid(65534).gid(65533).status().unwrap().success()));
    let head = &execs(&events)[0].0.head;
    assert_eq!((head.uid, head.gid, head.euid, head.egid), (65534, 65533, 65534, 65533));
}

#[test]
fn failed_starts_of_both_calls_are_seen() {
    let name = c("/no/such/program");
    let p = name.as_ptr() as usize;
    let argv = [p, 0];
    let calls = [
        (libc::SYS_execve, [p, argv.as_ptr() as usize, 0, 0, 0, 0]),
        (libc::SYS_execveat, [libc::AT_FDCWD as usize, p, argv.as_ptr() as usize, 0, 0, 0]),
    ];
    for (number, args) in calls {
        let events = capture_of(KINDS).during(|| assert!(call(number, args).is_err()));
        let [(event, exec)] = execs(&events)[..] else { panic!("{events:?}") };
        assert_eq!(event.head.result, -i64::from(libc::ENOENT));
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!(exec.filename, "/no/such/program");
        assert!(exec.argv.is_empty() && exec.exe.bytes.is_empty());
    }
}

#[test]
fn execveat_of_a_memfd_is_a_program_without_a_name() {
    let events = capture_of(KINDS).during(|| {
        // The shell cannot; python can, and is on every machine that builds this.
        let script = "import os\nf=os.memfd_create('evil')\nos.write(f,open('/bin/true','rb').read())\n\
                      os.execve(f,['shown'],{})";
        assert!(Command::new("python3").args(["-c", script]).status().unwrap().success());
    });
    let (event, exec) = *execs(&events).last().unwrap();
    assert_eq!(event.head.syscall.unwrap().0, libc::SYS_execveat as u16);
    assert!(exec.executable.memfd, "{exec:?}");
    assert!(exec.exe.flags.contains(PathFlags::PSEUDO));
    assert_eq!(exec.exe.bytes, "/memfd:evil");
    assert_eq!(exec.argv, ["shown"]);
}

#[test]
fn a_script_names_itself_and_its_interpreter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("script");
    fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let events = capture_of(KINDS).during(|| assert!(Command::new(&path).status().unwrap().success()));
    let (_, exec) = execs(&events)[0];
    assert_eq!(exec.filename, path.as_os_str().as_bytes());
    assert_eq!(exec.interpreter, "/bin/sh");
    assert_eq!(exec.exe.bytes, real("/bin/sh"));
}

/// A process group as the shell makes one with job control, and one that a child is put into.
#[test]
fn the_process_group_is_told() {
    let events = capture_of(KINDS).during(|| {
        let status = Command::new("/bin/sh").args(["-c", "exec /bin/true"]).process_group(0).status();
        assert!(status.unwrap().success());
    });
    let execs = execs(&events);
    let [(shell, _), (inner, _)] = execs[..] else { panic!("{execs:?}") };
    assert_eq!(shell.head.group, shell.head.process.tgid, "it leads its own");
    assert_eq!(inner.head.group, shell.head.process.tgid);
    let [fork, ..] = of(&events, Kind::Fork)[..] else { panic!("{events:?}") };
    assert_eq!(fork.head.group, nix::unistd::getpgrp().as_raw() as u32);
}

/// By owner, by group and by everybody; root may write whatever the mode says, but nothing that is immutable.
#[test]
fn who_may_write_a_program_is_told_by_its_mode() {
    let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("program");
    fs::copy("/bin/true", &path).unwrap();
    let writable = |mode: u32, owner: (u32, u32), user: (u32, u32)| {
        std::os::unix::fs::chown(&path, Some(owner.0), Some(owner.1)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let events = capture_of(KINDS).during(|| {
            let status = Command::new(&path).uid(user.0).gid(user.1).status();
            assert!(status.unwrap().success());
        });
        let (_, exec) = *execs(&events).last().unwrap();
        exec.executable.writable
    };
    assert!(writable(0o555, (1, 1), (0, 0)), "root");
    assert!(writable(0o755, (1, 1), (1, 2)), "the owner");
    assert!(!writable(0o577, (1, 1), (1, 1)), "the owner is no other, nor of the group");
    assert!(writable(0o575, (1, 2), (3, 2)), "the group");
    assert!(!writable(0o757, (1, 2), (3, 2)), "who is of the group is no other");
    assert!(writable(0o557, (1, 2), (3, 4)) && !writable(0o755, (1, 2), (3, 4)), "everybody");
}

/// The environment is read while somebody asks for it, and not before or after.
#[test]
fn the_environment_comes_when_it_is_wanted() {
    let mut capture = capture_of(KINDS);
    let start = |long: &str| {
        let mut command = Command::new("/bin/true");
        drop(command.env_clear().envs([("A", "1"), ("B", "two words\n"), ("C", long)]).status());
    };
    let env = |events: &[Event]| execs(events)[0].1.env.clone();
    assert!(env(&capture.during(|| start(""))).is_empty());
    capture.probe.set_environment(true);
    capture.probe.set_kinds(sentinel_event::KindSet::all()).unwrap();
    assert_eq!(env(&capture.during(|| start(""))), ["A=1", "B=two words\n", "C="]);
    let long = "x".repeat(5000);
    let cut = env(&capture.during(|| start(&long)));
    assert_eq!(cut[..2], ["A=1", "B=two words\n"]);
    assert_eq!(cut.iter().map(|one| one.len() + 1).sum::<usize>(), 4097, "cut at 4096, without a last NUL");
    capture.probe.set_environment(false);
    capture.probe.set_kinds(sentinel_event::KindSet::all()).unwrap();
    assert!(env(&capture.during(|| start(""))).is_empty());
}

#[test]
fn a_deleted_program_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("sleeper");
    fs::copy("/bin/sleep", &path).unwrap();
    // It starts itself again after its file is gone.
    let script = format!("rm {0}; exec /proc/self/fd/9 0 9<&9", path.display());
    let events = capture_of(KINDS).during(|| {
        let open = format!("exec 9<{}; {script}", path.display());
        Command::new("/bin/sh").args(["-c", &open]).status().unwrap();
    });
    let (_, exec) = *execs(&events).last().unwrap();
    assert!(exec.exe.flags.contains(PathFlags::DELETED), "{exec:?}");
    assert_eq!(exec.exe.bytes, path.as_os_str().as_bytes());
}

/// No argument, one of no letters, bytes that are no text, and a mebibyte.
#[test]
fn arguments_of_every_form_are_kept_up_to_4096_bytes() {
    let odd = std::ffi::OsString::from_vec(b"\xff\n\x01".to_vec());
    let events = capture_of(KINDS).during(|| drop(Command::new("/bin/true").arg(&odd).status()));
    assert_eq!(execs(&events)[0].1.argv[1], b"\xff\n\x01".as_slice());

    let big = "x".repeat(100_000);
    let events = capture_of(KINDS).during(|| drop(Command::new("/bin/true").args([&big; 10]).status()));
    let (_, exec) = execs(&events)[0];
    assert!(exec.argv_truncated);
    let kept: usize = exec.argv.iter().map(|argument| argument.len() + 1).sum();
    assert!((4096..=4097).contains(&kept), "{kept}");
    assert!(exec.argv[1].iter().all(|byte| *byte == b'x'));

    // argc 0: Linux puts an empty string in place since 5.18.
    let script =
        "import ctypes,os\nl=ctypes.CDLL(None)\nl.execve(b'/bin/true',(ctypes.c_char_p*1)(None),None)";
    let events = capture_of(KINDS).during(|| drop(Command::new("python3").args(["-c", script]).status()));
    let (_, exec) = *execs(&events).last().unwrap();
    assert_eq!(exec.filename, "/bin/true");
    assert!(exec.argv.iter().all(|argument| argument.is_empty()), "{:?}", exec.argv);
}

#[test]
fn threads_are_not_processes() {
    let events = capture_of(KINDS).during(|| {
        std::thread::spawn(|| ()).join().unwrap();
    });
    assert!(of(&events, Kind::Fork).is_empty() && of(&events, Kind::Exit).is_empty(), "{events:?}");
}

#[test]
fn the_snapshot_has_every_process_and_its_program() {
    // Before the child: to another test it would be a start of its own.
    let capture = capture_of(KINDS);
    let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    // The program is in place when the child has left its parent's image.
    let exe = format!("/proc/{}/exe", child.id());
    while !fs::read_link(&exe).is_ok_and(|path| path.ends_with("sleep")) {
        std::thread::yield_now();
    }
    let processes = capture.probe.processes().unwrap();
    let fds = capture.probe.open_fds().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let find = |tgid| processes.iter().find(|process| process.key.tgid == tgid).unwrap();
    let (own, sleep) = (find(process::id()), find(child.id()));
    assert_eq!(sleep.parent, own.key);
    assert_eq!(sleep.exe, real("/bin/sleep"));
    assert_eq!(sleep.comm, "sleep");
    assert_eq!(sleep.group, nix::unistd::getpgrp().as_raw() as u32);
    assert_eq!(sleep.executable.unwrap().ino, fs::metadata("/bin/sleep").unwrap().ino());
    assert_eq!(own.parent.tgid, nix::unistd::getppid().as_raw() as u32);
    let stdin = fds.iter().find(|file| file.tgid == process::id() && file.fd == 0).unwrap();
    assert_eq!(stdin.ino, fs::metadata("/proc/self/fd/0").unwrap().ino());
}
