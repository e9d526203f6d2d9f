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

use harness::{c, call, capture, of};
use sentinel_event::{Body, Event, Exec, Exit, Kind, PathFlags};

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
    let events = capture().during(|| {
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
    assert_eq!(exec.exe_ino, fs::metadata("/bin/sh").unwrap().ino());
    assert!(!exec.argv_truncated && !exec.exe_memfd && !exec.exe_upper_layer);
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
    let events = capture().during(|| {
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
    let events = capture().during(|| assert!(Command::new("/bin/true").status().unwrap().success()));
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
    let events = capture()
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
        let events = capture().during(|| assert!(call(number, args).is_err()));
        let [(event, exec)] = execs(&events)[..] else { panic!("{events:?}") };
        assert_eq!(event.head.result, -i64::from(libc::ENOENT));
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!(exec.filename, "/no/such/program");
        assert!(exec.argv.is_empty() && exec.exe.bytes.is_empty());
    }
}

#[test]
fn execveat_of_a_memfd_is_a_program_without_a_name() {
    let events = capture().during(|| {
        // The shell cannot; python can, and is on every machine that builds this.
        let script = "import os\nf=os.memfd_create('evil')\nos.write(f,open('/bin/true','rb').read())\n\
                      os.execve(f,['shown'],{})";
        assert!(Command::new("python3").args(["-c", script]).status().unwrap().success());
    });
    let (event, exec) = *execs(&events).last().unwrap();
    assert_eq!(event.head.syscall.unwrap().0, libc::SYS_execveat as u16);
    assert!(exec.exe_memfd, "{exec:?}");
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
    let events = capture().during(|| assert!(Command::new(&path).status().unwrap().success()));
    let (_, exec) = execs(&events)[0];
    assert_eq!(exec.filename, path.as_os_str().as_bytes());
    assert_eq!(exec.interpreter, "/bin/sh");
    assert_eq!(exec.exe.bytes, real("/bin/sh"));
}

#[test]
fn a_deleted_program_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("sleeper");
    fs::copy("/bin/sleep", &path).unwrap();
    // It starts itself again after its file is gone.
    let script = format!("rm {0}; exec /proc/self/fd/9 0 9<&9", path.display());
    let events = capture().during(|| {
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
    let events = capture().during(|| drop(Command::new("/bin/true").arg(&odd).status()));
    assert_eq!(execs(&events)[0].1.argv[1], b"\xff\n\x01".as_slice());

    let big = "x".repeat(100_000);
    let events = capture().during(|| drop(Command::new("/bin/true").args([&big; 10]).status()));
    let (_, exec) = execs(&events)[0];
    assert!(exec.argv_truncated);
    let kept: usize = exec.argv.iter().map(|argument| argument.len() + 1).sum();
    assert!((4096..=4097).contains(&kept), "{kept}");
    assert!(exec.argv[1].iter().all(|byte| *byte == b'x'));

    // argc 0: Linux puts an empty string in place since 5.18.
    let script =
        "import ctypes,os\nl=ctypes.CDLL(None)\nl.execve(b'/bin/true',(ctypes.c_char_p*1)(None),None)";
    let events = capture().during(|| drop(Command::new("python3").args(["-c", script]).status()));
    let (_, exec) = *execs(&events).last().unwrap();
    assert_eq!(exec.filename, "/bin/true");
    assert!(exec.argv.iter().all(|argument| argument.is_empty()), "{:?}", exec.argv);
}

#[test]
fn threads_are_not_processes() {
    let events = capture().during(|| {
        std::thread::spawn(|| ()).join().unwrap();
    });
    assert!(of(&events, Kind::Fork).is_empty() && of(&events, Kind::Exit).is_empty(), "{events:?}");
}

#[test]
fn the_snapshot_has_every_process_and_its_program() {
    // Before the child: to another test it would be a start of its own.
    let capture = capture();
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
    assert_eq!(own.parent.tgid, nix::unistd::getppid().as_raw() as u32);
    let stdin = fds.iter().find(|file| file.tgid == process::id() && file.fd == 0).unwrap();
    assert_eq!(stdin.ino, fs::metadata("/proc/self/fd/0").unwrap().ino());
}
