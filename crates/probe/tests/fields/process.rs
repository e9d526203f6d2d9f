//! Starts, ends and tracing.

use std::{
    fs,
    os::{
        fd::AsRawFd as _,
        unix::{
            fs::{MetadataExt as _, OpenOptionsExt as _},
            process::{CommandExt as _, ExitStatusExt as _},
        },
    },
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sentinel_event::{
    Body, Capabilities, Exec, Executable, Exit, Fork, Head, Kind, Path, PathFlags, ProcessKey, Ptrace,
    Syscall, Text,
};

use super::{
    acting::{
        Told, all, capabilities, capture, execution, head, one, settled, start_ns, stat, temp, times, told,
    },
    control::inherit,
    harness::{c, of},
};

/// A program that has been started, as /proc has it while it waits for input.
struct Started {
    head: Head,
    capabilities: Capabilities,
    /// The time of the namespace is in ticks; whether it may be written is each test's own to know.
    file: Executable,
    exec: Exec,
}

/// Starts a program that waits for input in the end, and returns its last exec. The head is compared here.
fn start(mut command: Command, program: &str) -> Started {
    let mut capture = capture();
    let (mut found, from) = (None, times());
    let events = capture.during(|| {
        let mut child = command.spawn().unwrap();
        waits(&child, program);
        let pid = child.id();
        let file = fs::metadata(format!("/proc/{pid}/exe")).unwrap();
        let time = |seconds: i64, ns: i64| seconds as u64 * 1_000_000_000 + ns as u64;
        let file = Executable {
            ino: file.ino(),
            changed_ns: time(file.ctime(), file.ctime_nsec()),
            modified_ns: time(file.mtime(), file.mtime_nsec()),
            pid_namespace_ns: 0,
            memfd: false,
            upper_layer: false,
            lower_layer: false,
            writable: true,
        };
        found = Some((head(pid, pid), capabilities(&format!("/proc/{pid}")), file));
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let (head, capabilities, file) = found.unwrap();
    let event = *of(&events, Kind::Exec).last().unwrap();
    let Body::Exec(exec) = &event.body else { unreachable!() };
    // It has as many behind it as its creator and itself made.
    let made = of(&events, Kind::Exec).iter().filter(|event| !event.head.failed()).count();
    let execution = execution(&capture).wrapping_add(made as u16);
    let number = if exec.filename.starts_with(b"/dev/fd/") { libc::SYS_execveat } else { libc::SYS_execve };
    let want = Head { execution, syscall: Some(Syscall(number as u16)), result: 0, ..head };
    let head = settled(want, &event.head, from);
    assert_eq!(event.head, head);
    let pid_namespace_ns = start_ns(1, exec.executable.pid_namespace_ns);
    Started { head, capabilities, file: Executable { pid_namespace_ns, ..file }, exec: exec.clone() }
}

/// Until the child runs `program` and has begun to wait.
fn waits(child: &Child, program: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let pid = child.id();
    while !fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.to_string_lossy().contains(program))
        || stat(pid)[0] != "S"
    {
        assert!(Instant::now() < deadline, "{program} does not wait");
        thread::sleep(Duration::from_millis(1));
    }
}

/// It waits for input if its first argument is -.
fn cat(arguments: &[&str]) -> Command {
    let mut command = Command::new("/bin/cat");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).env_clear().current_dir("/usr");
    command
}

fn texts(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| (*text).into()).collect()
}

/// Before 5.11 modules, of which the overlay may be one, have no types that could be looked up.
fn layers_are_known() -> bool {
    crate::harness::kernel() >= (5, 11)
}

pub fn exec() -> Told {
    let real = fs::canonicalize("/bin/cat").unwrap();
    let exe = Path { bytes: real.to_str().unwrap().into(), flags: PathFlags::default() };
    let mut heads = Vec::new();
    let mut pairs = Vec::new();
    let mut compare = |started: Started, want: fn(&Started, Exec) -> Exec, plain: &Exec| {
        let want = want(
            &started,
            Exec { executable: started.file, capabilities: Some(started.capabilities), ..plain.clone() },
        );
        heads.push(started.head);
        pairs.push((Body::Exec(started.exec), Body::Exec(want)));
    };
    let plain = Exec {
        filename: "/bin/cat".into(),
        interpreter: "/bin/cat".into(),
        exe,
        argv: texts(&["/bin/cat", "-", "a b", ""]),
        argv_truncated: false,
        executable: Executable::default(),
        cwd: "/usr".into(),
        capabilities: None,
        env: texts(&["A=1", "B=two words"]),
    };
    inherit(true);
    let mut command = cat(&["-", "a b", ""]);
    command.env("A", "1").env("B", "two words");
    let started = start(command, "/cat");
    inherit(false);
    assert_ne!(started.capabilities.inheritable, 0);
    compare(started, |_, plain| plain, &plain);

    // 4096 bytes are kept.
    let long = "x".repeat(5000);
    let cut = Exec {
        argv: texts(&["/bin/cat", "-", &long[..4096 - "/bin/cat - ".len()]]),
        argv_truncated: true,
        env: Vec::new(),
        ..plain.clone()
    };
    compare(start(cat(&["-", &long]), "/cat"), |_, cut| cut, &cut);

    // Another user, on a terminal of its own.
    let terminal = terminal();
    let mut command = Command::new("setsid");
    command
        .args(["-c", "/bin/cat", "-"])
        .stdin(terminal)
        .stdout(Stdio::null())
        .env_clear()
        .uid(65534)
        .gid(65533);
    command.env("PATH", std::env::var_os("PATH").unwrap()).current_dir("/usr");
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    let user = Exec { argv: texts(&["/bin/cat", "-"]), env: texts(&[&path]), ..plain.clone() };
    let started = start(command, "/cat");
    assert_eq!((started.head.uid, started.head.egid), (65534, 65533));
    let locked = |_: &Started, user: Exec| Exec {
        executable: Executable { writable: false, ..user.executable },
        ..user
    };
    compare(started, locked, &user);

    // A file without a name.
    let script = "import os\nf=os.memfd_create('evil')\nos.write(f,open('/bin/cat','rb').read())\nos.dup2(f,9)\n\
                  os.execve(9,['shown'],{})";
    let mut command = Command::new("python3");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null()).current_dir("/usr");
    // Nothing is above it.
    let no_tree = PathFlags::from_bits(4 | 64);
    assert!(no_tree.contains(PathFlags::PSEUDO) && no_tree.contains(PathFlags::DISCONNECTED));
    let memfd = Exec {
        filename: "/dev/fd/9".into(),
        interpreter: "/dev/fd/9".into(),
        exe: Path { bytes: "/memfd:evil".into(), flags: no_tree },
        argv: texts(&["shown"]),
        env: Vec::new(),
        ..plain.clone()
    };
    let nameless = |_: &Started, memfd: Exec| Exec {
        executable: Executable { memfd: true, ..memfd.executable },
        ..memfd
    };
    compare(start(command, "memfd:evil"), nameless, &memfd);

    // Layers of an overlay.
    let (_dir, dir) = temp();
    let script = "mount -t tmpfs in .; cd $PWD; mkdir lo up wk ov; cp /bin/cat lo/low; cp /bin/cat up/upp; \
                  mount -t overlay o ov -o lowerdir=lo,upperdir=up,workdir=wk; cd ov; \
                  exec env -i $PWD/$0 -";
    let lower = |_: &Started, of: Exec| Exec {
        executable: Executable { lower_layer: layers_are_known(), ..of.executable },
        ..of
    };
    let upper = |_: &Started, of: Exec| Exec {
        executable: Executable { upper_layer: layers_are_known(), ..of.executable },
        ..of
    };
    for (name, layer) in [("low", lower as fn(&Started, Exec) -> Exec), ("upp", upper)] {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-e", "-c", script, name]).stdin(Stdio::piped()).stdout(Stdio::null());
        let path = dir.join("ov").join(name).to_str().unwrap().to_owned();
        let layered = Exec {
            filename: path.as_str().into(),
            interpreter: path.as_str().into(),
            exe: path.as_str().into(),
            argv: texts(&[&path, "-"]),
            cwd: dir.join("ov").to_str().unwrap().into(),
            env: Vec::new(),
            ..plain.clone()
        };
        command.current_dir(&dir);
        // As this namespace sees the path of another, it ends so.
        compare(start(command, &format!("/{name}")), layer, &layered);
    }

    // What failed.
    let name = c("/no/such/program");
    let (body, result) = one(Kind::Exec, libc::SYS_execve, [name.as_ptr() as usize, 0, 0, 0, 0, 0]);
    assert_eq!(result, -i64::from(libc::ENOENT));
    heads.push(Head { result, ..heads[0].clone() });
    let failed = Exec {
        filename: "/no/such/program".into(),
        interpreter: "".into(),
        exe: Path::default(),
        argv: Vec::new(),
        argv_truncated: false,
        executable: Executable::default(),
        cwd: std::env::current_dir().unwrap().to_str().unwrap().into(),
        capabilities: None,
        env: Vec::new(),
    };
    pairs.push((body, Body::Exec(failed)));
    let layers = &["executable.lower_layer", "executable.upper_layer"][..];
    Told { heads, ..told(if layers_are_known() { &[] } else { layers }, pairs) }
}

/// The slave of a new terminal, whose master stays open as long as this process.
fn terminal() -> fs::File {
    let master = fs::OpenOptions::new().read(true).write(true).open("/dev/ptmx").unwrap();
    let (unlock, mut number) = (0i32, 0i32);
    let control = |request: libc::Ioctl, at: usize| {
        super::harness::call(libc::SYS_ioctl, [master.as_raw_fd() as usize, request as usize, at, 0, 0, 0])
            .unwrap()
    };
    control(libc::TIOCSPTLCK, &raw const unlock as usize);
    control(libc::TIOCGPTN, &raw mut number as usize);
    std::mem::forget(master.try_clone().unwrap());
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(format!("/dev/pts/{number}"))
        .unwrap()
}

pub fn fork() -> Told {
    let mut child = (0, 0, 0);
    let events = all(Kind::Fork, || {
        let mut running = cat(&["-"]).spawn().unwrap();
        waits(&running, "/cat");
        let pid = running.id();
        let vpid = super::acting::status(&format!("/proc/{pid}"), "NSpid:").last().unwrap().parse().unwrap();
        child = (pid, stat(pid)[19].parse().unwrap(), vpid);
        running.kill().unwrap();
        running.wait().unwrap();
    });
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.head.syscall, event.head.result), (None, 0));
    let Body::Fork(fork) = &event.body else { unreachable!() };
    let (tgid, ticks, child_vpid) = child;
    assert_eq!(fork.child.start_ns / 10_000_000, ticks);
    let key = ProcessKey { tgid, start_ns: fork.child.start_ns };
    told(&[], vec![(event.body.clone(), Body::Fork(Fork { child: key, child_vpid }))])
}

pub fn exit() -> Told {
    let (_dir, dir) = temp();
    let mut pairs = Vec::new();
    for script in ["exit 7", "kill -9 $$", "ulimit -c unlimited; kill -QUIT $$"] {
        let mut capture = capture();
        let (mut ended, from, mut who) = (None, times(), None);
        let events = capture.during(|| {
            // It waits for a line until it has been looked at.
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &format!("read line; {script}")]).stdin(Stdio::piped()).current_dir(&dir);
            let mut child = command.spawn().unwrap();
            waits(&child, "/");
            who = Some(head(child.id(), child.id()));
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"\n").unwrap();
            ended = Some(child.wait().unwrap());
        });
        let (ended, who) = (ended.unwrap(), who.unwrap());
        let [event] = of(&events, Kind::Exit)[..] else { panic!("{events:?}") };
        let execution = execution(&capture).wrapping_add(1);
        let want = Head { execution, syscall: None, result: 0, ..who };
        assert_eq!(event.head, settled(want, &event.head, from));
        let want = Exit {
            status: ended.code().unwrap_or(0) as u32,
            signal: ended.signal().unwrap_or(0) as u32,
            core_dumped: ended.core_dumped(),
        };
        pairs.push((event.body.clone(), Body::Exit(want)));
    }
    told(&[], pairs)
}

pub fn ptrace() -> Told {
    let nobody = i32::MAX as usize;
    let (body, result) = one(Kind::Ptrace, libc::SYS_ptrace, [16, nobody, 0, 0, 0, 0]);
    assert_eq!(result, -i64::from(libc::ESRCH));
    told(&[], vec![(body, Body::Ptrace(Ptrace { request: 16, target_pid: nobody as u32 }))])
}
