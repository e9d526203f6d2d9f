//! One process in the table.

use std::sync::Arc;

use sentinel_event::{Capabilities, Exec, ExecId, Head, Process, ProcessKey, Text};

/// Ancestors as every event of a process shares them, parent first.
pub(crate) type Chain = Arc<[Arc<Process>]>;

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) process: Arc<Process>,
    /// Tells this entry from a later one with the same key.
    pub(crate) serial: u64,
    /// Processes in the table that count this one as their parent.
    pub(crate) children: u32,
    /// Serial of the parent's entry that counts this one as a child.
    pub(crate) linked: Option<u64>,
    /// The ancestors, and the epoch of the table in which they were right.
    pub(crate) chain: Option<(u64, Chain)>,
    /// Event time of its last event.
    pub(crate) seen_ns: u64,
    /// Event time of its exit.
    pub(crate) exited_ns: Option<u64>,
    /// Known by an event of its own only: program and arguments are missing.
    pub(crate) partial: bool,
    /// The key it had while only `/proc` had told of it.
    pub(crate) alias: Option<ProcessKey>,
}

impl Entry {
    pub(crate) fn new(process: Process, serial: u64, seen_ns: u64) -> Self {
        Self {
            process: Arc::new(process),
            serial,
            children: 0,
            linked: None,
            chain: None,
            seen_ns,
            exited_ns: None,
            partial: false,
            alias: None,
        }
    }

    /// Takes over what the head of an event of the main thread tells. Other threads may have names and
    /// credentials of their own. Returns whether anything changed.
    pub(crate) fn learn(&mut self, head: &Head) -> bool {
        if head.tid != head.process.tgid || self.agrees(head) {
            return false;
        }
        let process = Arc::make_mut(&mut self.process);
        take_head(process, head);
        process.vpid = head.vpid;
        true
    }

    /// Takes over what a successful exec tells.
    pub(crate) fn exec(&mut self, head: &Head, exec: &Exec) {
        let process = Arc::make_mut(&mut self.process);
        take_head(process, head);
        process.vpid = head.vpid;
        process.exe = exec.exe.bytes.clone();
        process.argv = exec.argv.clone().into();
        process.cwd = exec.cwd.bytes.clone();
        process.executable = Some(exec.executable);
        process.capabilities = exec.capabilities;
        self.partial = false;
    }

    /// Takes over what the main thread may do from now on. Other threads change their own.
    pub(crate) fn allow(&mut self, head: &Head, capabilities: Capabilities) {
        if head.tid == head.process.tgid && self.process.capabilities != Some(capabilities) {
            Arc::make_mut(&mut self.process).capabilities = Some(capabilities);
        }
    }

    /// Takes note of who created the process.
    pub(crate) fn created_by(&mut self, creator: ExecId) {
        if self.process.creator != Some(creator) {
            Arc::make_mut(&mut self.process).creator = Some(creator);
        }
    }

    fn agrees(&self, head: &Head) -> bool {
        let p = &*self.process;
        p.uid == head.uid
            && p.vpid == head.vpid
            && p.execution == Some(head.execution)
            && p.gid == head.gid
            && p.group == head.group
            && p.session == head.session
            && p.tty == head.tty
            && p.loginuid == head.loginuid
            && p.cgroup_id == head.cgroup_id
            && p.comm == head.comm.as_bstr()
    }
}

/// What the head of an event alone tells about its process.
pub(crate) fn from_head(head: &Head) -> Process {
    let mut process = Process { key: head.process, parent: head.parent, ..Process::default() };
    take_head(&mut process, head);
    process.vpid = head.vpid;
    process
}

/// A child as it is before it does anything: its creator's program and arguments, its own identity.
pub(crate) fn from_fork(creator: &Process, head: &Head, child: ProcessKey) -> Process {
    let by = Some(ExecId { host: creator.host, ..acting(head) });
    let mut process =
        Process { key: child, parent: creator.key, creator: by, exited: false, vpid: 0, ..creator.clone() };
    // A thread may fork: the child's main thread has the forking thread's name and credentials.
    take_head(&mut process, head);
    process
}

/// The execution that acts, its node left open.
pub(crate) fn acting(head: &Head) -> ExecId {
    ExecId { host: 0, process: head.process, execution: head.execution }
}

fn take_head(process: &mut Process, head: &Head) {
    process.execution = Some(head.execution);
    process.comm = Text::from(head.comm.as_bstr());
    process.uid = head.uid;
    process.gid = head.gid;
    process.loginuid = head.loginuid;
    process.group = head.group;
    process.session = head.session;
    process.tty = head.tty;
    process.cgroup_id = head.cgroup_id;
}
