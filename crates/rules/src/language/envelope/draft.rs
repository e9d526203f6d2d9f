//! An observation in the making.

use std::sync::Arc;

use bstr::ByteSlice as _;
use sentinel_event::{
    Body, Connect, Dns, Dup, Event, Exec, ExecId, FileChmod, FileChown, FileIo, FileOpen, FileTarget,
    FileTruncate, Fork, Head, Kind, Loss, LossCause, Message, ModuleLoad, Observation, Process, ProcessKey,
    Socket, Stage,
};

use super::{attribute, place::Said};
use crate::language::eval::unknown;

/// What an envelope has said so far.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) head: Head,
    pub(super) body: Body,
    pub(super) process: Known,
    pub(super) parent: Known,
    pub(super) container: Option<Arc<str>>,
    pub(super) place: Said,
    /// Starts of process and parent on the wall clock.
    pub(super) starts: [Option<u64>; 2],
    /// The execution that acted, and the one that created it.
    pub(super) exec_id: Option<ExecId>,
    pub(super) creator: Option<ExecId>,
    /// The number of arguments in `argv`.
    pub(super) argc: Option<usize>,
    /// What the call returned was said.
    pub(super) result: bool,
}

/// What is known of a process.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) comm: Option<String>,
    pub(super) exe: Option<String>,
    pub(super) line: Option<String>,
}

impl Known {
    /// The process; none when nothing was said.
    fn process(self, key: ProcessKey, head: &Head) -> Option<Process> {
        if self.comm.is_none() && self.exe.is_none() && self.line.is_none() {
            return None;
        }
        let comm = self.comm.unwrap_or_default();
        let argv = self.line.as_deref().map(|line| arguments(&comm, line)).unwrap_or_default();
        Some(Process {
            key,
            comm: comm.into(),
            exe: self.exe.unwrap_or_default().into(),
            argv: argv.into(),
            uid: head.uid,
            gid: head.gid,
            loginuid: head.loginuid,
            session: head.session,
            tty: head.tty,
            cgroup_id: head.cgroup_id,
            ..Process::default()
        })
    }
}

/// The arguments of a command line that begins with the name of the process. The first is not said: it is empty.
fn arguments(name: &str, line: &str) -> Vec<sentinel_event::Text> {
    let rest = match line.strip_prefix(name) {
        Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest.strip_prefix(' '),
        _ => line.split_once(' ').map(|(_, rest)| rest),
    };
    let rest = rest.into_iter().flat_map(|rest| rest.split(' '));
    std::iter::once("").chain(rest).map(Into::into).collect()
}

impl Draft {
    pub(super) fn new(kind: Kind, real_ns: u64) -> Self {
        let head = Head {
            real_ns,
            uid: unknown::ID,
            gid: unknown::ID,
            euid: unknown::ID,
            egid: unknown::ID,
            loginuid: unknown::ID,
            ..Head::default()
        };
        let (process, parent) = (Known::default(), Known::default());
        Self {
            head,
            body: blank(kind),
            process,
            parent,
            container: None,
            place: Said::default(),
            starts: [None; 2],
            exec_id: None,
            creator: None,
            argc: None,
            result: false,
        }
    }

    pub(super) fn finish(mut self) -> Observation {
        let head = &mut self.head;
        if head.euid == unknown::ID {
            head.euid = head.uid;
        }
        if head.egid == unknown::ID {
            head.egid = head.gid;
        }
        if head.tid == 0 {
            head.tid = head.process.tgid;
        }
        // Both clocks tick alike, and one event says what both showed.
        let since_boot = |start: Option<u64>| match start {
            Some(start) => head.boot_ns.saturating_sub(head.real_ns.saturating_sub(start)),
            None => 0,
        };
        let [own, parent] = self.starts.map(since_boot);
        (head.process.start_ns, head.parent.start_ns) = (own, parent);
        if let Some(id) = self.exec_id {
            (head.process.start_ns, head.execution) = (id.process.start_ns, id.execution);
        }
        if let Some(file) = attribute::file(&mut self.body)
            && file.fd < 0
        {
            // By name the path is what was asked for.
            std::mem::swap(&mut file.asked.path, &mut file.path.bytes);
        }
        match &mut self.body {
            // A write returns what it wrote.
            Body::FileRead(io) | Body::FileWrite(io) if !self.result => {
                head.result = i64::try_from(io.bytes).unwrap_or(i64::MAX);
            }
            // No file was found: the path is the one that was asked for.
            Body::FileOpen(open) if open.ino == 0 && open.path.bytes == open.asked.path => {
                open.path.bytes.clear();
            }
            _ => {}
        }
        // Every event names a process; it is known when more is said than the name of the thread.
        let told = &self.process;
        if told.exe.is_none()
            && told.line.is_none()
            && told.comm.as_deref() == head.comm.as_bstr().to_str().ok()
        {
            self.process.comm = None;
        }
        let process = self.process.process(head.process, head).map(|process| {
            let (host, execution) = self.exec_id.map(|id| (id.host, id.execution)).unzip();
            let host = host.unwrap_or_default();
            Arc::new(Process { host, execution, creator: self.creator, ..process })
        });
        let parent = self.parent.process(head.parent, &Head::default()).map(Arc::new);
        let workload = self.place.workload((self.head.euid, self.head.loginuid, self.head.egid));
        Observation {
            event: Event { head: self.head, body: self.body },
            process,
            ancestors: parent.into_iter().collect(),
            container_id: self.container,
            workload: workload.map(Arc::new),
        }
    }
}

/// A body that says nothing.
fn blank(kind: Kind) -> Body {
    let socket = Socket { fd: unknown::DESCRIPTOR, ..Socket::default() };
    let io = FileIo { fd: unknown::DESCRIPTOR, calls: 1, ..FileIo::default() };
    match kind {
        Kind::Exec => Body::Exec(Exec::default()),
        Kind::Fork => Body::Fork(Fork::default()),
        Kind::Exit => Body::Exit(Default::default()),
        Kind::FileOpen => Body::FileOpen(FileOpen::default()),
        Kind::FileRead => Body::FileRead(io),
        Kind::FileWrite => Body::FileWrite(io),
        Kind::FileClose => Body::FileClose(Default::default()),
        Kind::FileUnlink => Body::FileUnlink(Default::default()),
        Kind::FileRename => Body::FileRename(Default::default()),
        Kind::Connect => Body::Connect(Connect { socket }),
        Kind::Accept => Body::Accept(sentinel_event::Accept { socket }),
        Kind::Bind => Body::Bind(sentinel_event::Bind { socket }),
        Kind::Listen => Body::Listen(sentinel_event::Listen { socket, backlog: 0 }),
        Kind::Ptrace => Body::Ptrace(Default::default()),
        Kind::MemfdCreate => Body::MemfdCreate(Default::default()),
        Kind::MmapExec => Body::MmapExec(Default::default()),
        Kind::MprotectExec => Body::MprotectExec(Default::default()),
        Kind::Dup => Body::Dup(Dup { socket, asked_fd: -1, ..Dup::default() }),
        Kind::Socket => Body::Socket(Default::default()),
        Kind::Send => Body::Send(Message { socket, ..Message::default() }),
        Kind::Recv => Body::Recv(Message { socket, ..Message::default() }),
        Kind::Dns => Body::Dns(Dns { socket, ..Dns::default() }),
        Kind::Setuid => Body::Setuid(Default::default()),
        Kind::Capset => Body::Capset(Default::default()),
        Kind::Prctl => Body::Prctl(Default::default()),
        Kind::Signal => Body::Signal(Default::default()),
        Kind::FileLink => Body::FileLink(Default::default()),
        Kind::FileSymlink => Body::FileSymlink(Default::default()),
        Kind::FileMkdir => Body::FileMkdir(Default::default()),
        Kind::FileRmdir => Body::FileRmdir(Default::default()),
        Kind::FileChmod => Body::FileChmod(FileChmod { file: named(), ..FileChmod::default() }),
        Kind::FileChown => Body::FileChown(FileChown { file: named(), ..FileChown::default() }),
        Kind::FileTruncate => Body::FileTruncate(FileTruncate { file: named(), ..FileTruncate::default() }),
        Kind::FileMknod => Body::FileMknod(Default::default()),
        Kind::Mount => Body::Mount(Default::default()),
        Kind::Umount => Body::Umount(Default::default()),
        Kind::Chroot => Body::Chroot(Default::default()),
        Kind::Setns => Body::Setns(Default::default()),
        Kind::Unshare => Body::Unshare(Default::default()),
        Kind::Bpf => Body::Bpf(Default::default()),
        Kind::ModuleLoad => Body::ModuleLoad(ModuleLoad { fd: -1, ..ModuleLoad::default() }),
        Kind::Userfaultfd => Body::Userfaultfd(Default::default()),
        Kind::IoUringSetup => Body::IoUringSetup(Default::default()),
        Kind::ProcessVmWrite => Body::ProcessVmWrite(Default::default()),
        Kind::Syscall => Body::Syscall(Default::default()),
        Kind::Loss => Body::Loss(Loss { stage: Stage::Queue, cause: LossCause::Full, kind: None, count: 0 }),
    }
}

/// A file by its name.
fn named() -> FileTarget {
    FileTarget { fd: -1, ..FileTarget::default() }
}
