//! Does what is attached fire? Each job is triggered by something harmless, and an event of it must come
//! out of the ring. The events of the test are nobody's business: see [`crate::canary`].

mod acts;

use std::{
    io,
    time::{Duration, Instant},
};

use acts::{
    bpf, capset, chmod, chown, chroot, duplicate, link, memfd, mkdir, mknod, module, mount, name_thread,
    open_null, post, protect, read_zero, rename, run, run_nothing, send_file, setfsuid, setns, signal,
    symlink, talk, trace_nobody, truncate, umount, unlink, unshare, use_thrice, write_memory, write_zero,
};
use sentinel_event::{Body, Event, Kind};

use crate::{Probe, ProbeError};

/// Longest wait for the events.
const PATIENCE: Duration = Duration::from_millis(500);

/// A harmless act.
pub(crate) type Trigger = fn() -> io::Result<()>;

/// What makes a program fire, and how one knows that it did.
pub(crate) struct Test {
    /// Program of the job, without `_old` or `_direct`.
    pub(crate) program: &'static str,
    pub(crate) trigger: Trigger,
    pub(crate) seen: fn(&Event) -> bool,
    /// The trigger is bound to fire; else silence proves nothing.
    pub(crate) certain: bool,
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
    Test { program: "file_open", trigger: open_null, seen: |e| e.kind() == Kind::FileOpen, certain: true },
    Test { program: "file_read", trigger: read_zero, seen: |e| e.kind() == Kind::FileRead, certain: true },
    Test {
        program: "file_write",
        trigger: write_zero,
        seen: |e| matches!(e.kind(), Kind::FileWrite | Kind::FileClose),
        certain: true,
    },
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
    Test { program: "mount", trigger: mount, seen: |e| e.kind() == Kind::Mount, certain: true },
    Test { program: "file_mknod", trigger: mknod, seen: |e| e.kind() == Kind::FileMknod, certain: true },
    Test {
        program: "file_truncate",
        trigger: truncate,
        seen: |e| e.kind() == Kind::FileTruncate,
        certain: true,
    },
    Test {
        program: "file_copy_read",
        trigger: send_file,
        seen: |e| copied(e, Kind::FileRead),
        certain: true,
    },
    Test {
        program: "file_copy_write",
        trigger: send_file,
        seen: |e| copied(e, Kind::FileWrite),
        certain: true,
    },
    Test { program: "credentials", trigger: both_credentials, seen: before_known, certain: true },
    Test { program: "setuid", trigger: setfsuid, seen: |e| e.kind() == Kind::Setuid, certain: true },
    Test { program: "capset", trigger: capset, seen: |e| e.kind() == Kind::Capset, certain: true },
    Test { program: "signal", trigger: signal, seen: |e| e.kind() == Kind::Signal, certain: true },
    Test { program: "setns", trigger: setns, seen: |e| e.kind() == Kind::Setns, certain: true },
    Test { program: "unshare", trigger: unshare, seen: |e| e.kind() == Kind::Unshare, certain: true },
    Test { program: "bpf", trigger: bpf, seen: |e| e.kind() == Kind::Bpf, certain: true },
    Test { program: "module_load", trigger: module, seen: |e| e.kind() == Kind::ModuleLoad, certain: true },
    Test {
        program: "process_vm_write",
        trigger: write_memory,
        seen: |e| e.kind() == Kind::ProcessVmWrite,
        certain: true,
    },
];

/// The test of `program`, when it has one.
pub(crate) fn test_of(program: &str) -> Option<&'static Test> {
    let name = program.trim_end_matches("_old").trim_end_matches("_direct");
    TESTS.iter().find(|test| test.program == name)
}

/// Triggers what is attached and was not tested yet, and marks what was seen. The reader sees it; it is polled by
/// `meanwhile`, or by another thread while `meanwhile` waits a little.
pub(crate) fn run_all(
    probe: &mut Probe,
    mut meanwhile: impl FnMut() -> Result<(), ProbeError>,
) -> Result<(), ProbeError> {
    let jobs = probe.jobs().iter().enumerate().filter(|(_, job)| job.is_attached() && job.verified.is_none());
    let tests: Vec<_> = jobs.filter_map(|(index, job)| Some((index, test_of(job.program()?)?))).collect();
    probe.act(&tests);
    let deadline = Instant::now() + PATIENCE;
    while !probe.shared().canary.is_seen() && Instant::now() < deadline {
        meanwhile()?;
    }
    // Who is silent is degraded from the start: nothing has changed.
    probe.settle();
    Ok(())
}

fn sums(event: &Event) -> bool {
    match &event.body {
        Body::FileClose(_) => true,
        Body::FileRead(io) | Body::FileWrite(io) => io.calls == 2,
        _ => false,
    }
}

/// What [`send_file`] does, and no other test.
fn copied(event: &Event, kind: Kind) -> bool {
    match &event.body {
        Body::FileRead(io) | Body::FileWrite(io) => event.kind() == kind && io.bytes == acts::SENT as u64,
        Body::FileClose(close) => kind == Kind::FileWrite && close.bytes == acts::SENT as u64,
        _ => false,
    }
}

/// Somebody may want one of the two.
fn both_credentials() -> io::Result<()> {
    setfsuid()?;
    capset()
}

fn before_known(event: &Event) -> bool {
    matches!(&event.body, Body::Setuid(change) if change.before.is_some())
        || matches!(&event.body, Body::Capset(change) if change.before.is_some())
}
