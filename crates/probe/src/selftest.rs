//! Does what is attached fire? Each job is triggered by something harmless, and an event of it must come
//! out of the ring. Events of other processes meanwhile are kept for the reader's first poll; our own, and
//! those of the children of the test, are nobody's business.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::linux::net::SocketAddrExt as _,
    os::unix::{
        fs::PermissionsExt as _,
        net::{SocketAddr, UnixDatagram, UnixListener, UnixStream},
    },
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{memfd, ptrace},
    unistd::Pid,
};
use sentinel_event::{Body, Event, Kind};

use crate::{Probe, ProbeError, Reader};

/// Longest wait for the events.
const PATIENCE: Duration = Duration::from_millis(500);
/// A name that does not exist and cannot be made.
const NOWHERE: &str = "/proc/self/sentinel-self-test";

struct Test {
    /// Program of the job, without `_old`.
    program: &'static str,
    trigger: fn() -> io::Result<()>,
    seen: fn(&Event) -> bool,
    /// The trigger is bound to fire; else silence proves nothing.
    certain: bool,
}

const TESTS: &[Test] = &[
    Test { program: "fork", trigger: run, seen: |e| e.kind() == Kind::Fork, certain: true },
    Test { program: "process_exit", trigger: run, seen: |e| e.kind() == Kind::Exit, certain: true },
    Test {
        program: "exec",
        trigger: run,
        seen: |e| e.kind() == Kind::Exec && !e.head.failed(),
        certain: true,
    },
    Test {
        program: "exec_failed",
        trigger: run_nothing,
        seen: |e| e.kind() == Kind::Exec && e.head.failed(),
        certain: true,
    },
    Test { program: "file_open", trigger: write_null, seen: |e| e.kind() == Kind::FileOpen, certain: true },
    Test { program: "file_read", trigger: read_zero, seen: |e| e.kind() == Kind::FileRead, certain: true },
    Test { program: "file_write", trigger: write_null, seen: |e| e.kind() == Kind::FileWrite, certain: true },
    Test { program: "file_close", trigger: use_thrice, seen: sums, certain: true },
    Test { program: "file_unlink", trigger: unlink, seen: |e| e.kind() == Kind::FileUnlink, certain: true },
    Test { program: "file_rename", trigger: rename, seen: |e| e.kind() == Kind::FileRename, certain: true },
    Test { program: "connect", trigger: talk, seen: |e| e.kind() == Kind::Connect, certain: true },
    Test { program: "accept", trigger: talk, seen: |e| e.kind() == Kind::Accept, certain: true },
    Test { program: "bind", trigger: talk, seen: |e| e.kind() == Kind::Bind, certain: true },
    Test { program: "listen", trigger: talk, seen: |e| e.kind() == Kind::Listen, certain: true },
    Test { program: "ptrace", trigger: trace_nobody, seen: |e| e.kind() == Kind::Ptrace, certain: true },
    Test { program: "memfd_create", trigger: memfd, seen: |e| e.kind() == Kind::MemfdCreate, certain: true },
    // A static program maps nothing executable by itself.
    Test { program: "mmap_exec", trigger: run, seen: |e| e.kind() == Kind::MmapExec, certain: false },
    Test {
        program: "mprotect_exec",
        trigger: protect,
        seen: |e| e.kind() == Kind::MprotectExec,
        certain: true,
    },
    Test { program: "dup", trigger: duplicate, seen: |e| e.kind() == Kind::Dup, certain: true },
    Test { program: "socket", trigger: talk, seen: |e| e.kind() == Kind::Socket, certain: true },
    Test { program: "send", trigger: post, seen: |e| e.kind() == Kind::Send, certain: true },
    Test { program: "recv", trigger: post, seen: |e| e.kind() == Kind::Recv, certain: true },
    Test { program: "prctl", trigger: name_thread, seen: |e| e.kind() == Kind::Prctl, certain: true },
    Test { program: "file_link", trigger: link, seen: |e| e.kind() == Kind::FileLink, certain: true },
    Test {
        program: "file_symlink",
        trigger: symlink,
        seen: |e| e.kind() == Kind::FileSymlink,
        certain: true,
    },
    Test { program: "file_mkdir", trigger: mkdir, seen: |e| e.kind() == Kind::FileMkdir, certain: true },
    Test { program: "file_chmod", trigger: chmod, seen: |e| e.kind() == Kind::FileChmod, certain: true },
    Test { program: "file_chown", trigger: chown, seen: |e| e.kind() == Kind::FileChown, certain: true },
    Test { program: "chroot", trigger: chroot, seen: |e| e.kind() == Kind::Chroot, certain: true },
    Test { program: "umount", trigger: umount, seen: |e| e.kind() == Kind::Umount, certain: true },
];

/// Triggers what is attached and marks what was seen.
pub(crate) fn run_all(probe: &mut Probe, reader: &mut Reader) -> Result<(), ProbeError> {
    let mut waiting = Vec::new();
    for (index, job) in probe.jobs_mut().iter_mut().enumerate() {
        let Some(program) = job.program().filter(|_| job.is_attached() && job.verified.is_none()) else {
            continue;
        };
        let name = program.trim_end_matches("_old");
        if let Some(test) = TESTS.iter().find(|test| test.program == name) {
            match (test.trigger)() {
                Ok(()) => waiting.push((index, test)),
                Err(error) => tracing::debug!(program, %error, "Cannot test this program here."),
            }
        }
    }
    let own = probe.own_tgid();
    let deadline = Instant::now() + PATIENCE;
    let mut events = Vec::new();
    let mut kept = Vec::new();
    let jobs = probe.jobs_mut();
    while !waiting.is_empty() && Instant::now() < deadline {
        reader.poll(&mut events)?;
        for event in events.drain(..) {
            let ours = event.head.process.tgid == own || event.head.parent.tgid == own;
            waiting.retain(|(index, test)| {
                let seen = ours && (test.seen)(&event);
                if let Some(job) = jobs.get_mut(*index).filter(|_| seen) {
                    job.verified = Some(true);
                }
                !seen
            });
            if !ours {
                kept.push(event);
            }
        }
    }
    for (index, test) in waiting {
        if let Some(job) = jobs.get_mut(index).filter(|_| test.certain) {
            job.verified = Some(false);
        }
    }
    reader.put_back(kept);
    Ok(())
}

/// Runs some program that does nothing.
fn run() -> io::Result<()> {
    let quiet = |program: &str, argument: Option<&str>| {
        let mut command = Command::new(program);
        command.args(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().map(drop)
    };
    quiet("/bin/true", None)
        .or_else(|_| quiet("/run/current-system/sw/bin/true", None))
        .or_else(|_| quiet("/proc/self/exe", Some("--version")))
}

fn run_nothing() -> io::Result<()> {
    match Command::new(NOWHERE).stdin(Stdio::null()).spawn() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

fn read_zero() -> io::Result<()> {
    File::open("/dev/zero")?.read_exact(&mut [0; 1])
}

fn write_null() -> io::Result<()> {
    fs::OpenOptions::new().write(true).open("/dev/null")?.write_all(b".")
}

/// Of three calls the close tells two, whoever wants to hear of the close itself.
fn use_thrice() -> io::Result<()> {
    let (mut zero, mut null) =
        (File::open("/dev/zero")?, fs::OpenOptions::new().write(true).open("/dev/null")?);
    for _ in 0..3 {
        zero.read_exact(&mut [0; 1])?;
        null.write_all(b".")?;
    }
    Ok(())
}

fn sums(event: &Event) -> bool {
    match &event.body {
        Body::FileClose(_) => true,
        Body::FileRead(io) | Body::FileWrite(io) => io.calls == 2,
        _ => false,
    }
}

fn unlink() -> io::Result<()> {
    match fs::remove_file(NOWHERE) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

fn rename() -> io::Result<()> {
    match fs::rename(NOWHERE, NOWHERE) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

/// A connection to ourselves, by an abstract unix socket: no file, no network.
fn talk() -> io::Result<()> {
    let name = format!("sentinel-self-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name)?;
    let listener = UnixListener::bind_addr(&address)?;
    let _client = UnixStream::connect_addr(&address)?;
    listener.accept().map(drop)
}

fn trace_nobody() -> io::Result<()> {
    match ptrace::attach(Pid::from_raw(i32::MAX)) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

fn memfd() -> io::Result<()> {
    memfd::memfd_create("sentinel-self-test", memfd::MFdFlags::MFD_CLOEXEC)?;
    Ok(())
}

fn protect() -> io::Result<()> {
    memmap2::MmapMut::map_anon(1)?.make_exec().map(drop)
}

fn duplicate() -> io::Result<()> {
    File::open("/dev/null")?.try_clone().map(drop)
}

/// A datagram to ourselves, by an abstract unix socket.
fn post() -> io::Result<()> {
    let name = format!("sentinel-self-test-post-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name)?;
    let server = UnixDatagram::bind_addr(&address)?;
    UnixDatagram::unbound()?.send_to_addr(b".", &address)?;
    server.recv_from(&mut [0; 1]).map(drop)
}

/// A thread that has a name sets it itself.
fn name_thread() -> io::Result<()> {
    let thread = thread::Builder::new().name("self-test".into()).spawn(|| ())?;
    thread.join().map_err(|_| io::ErrorKind::Other.into())
}

/// What was bound to fail has failed.
fn refused<T>(result: io::Result<T>) -> io::Result<()> {
    match result {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

fn link() -> io::Result<()> {
    refused(fs::hard_link(NOWHERE, NOWHERE))
}

fn symlink() -> io::Result<()> {
    refused(std::os::unix::fs::symlink(NOWHERE, NOWHERE))
}

fn mkdir() -> io::Result<()> {
    refused(fs::create_dir(NOWHERE))
}

fn chmod() -> io::Result<()> {
    refused(fs::set_permissions(NOWHERE, fs::Permissions::from_mode(0o600)))
}

fn chown() -> io::Result<()> {
    refused(std::os::unix::fs::chown(NOWHERE, None, None))
}

fn chroot() -> io::Result<()> {
    refused(std::os::unix::fs::chroot(NOWHERE))
}

fn umount() -> io::Result<()> {
    refused(nix::mount::umount(NOWHERE).map_err(io::Error::from))
}
