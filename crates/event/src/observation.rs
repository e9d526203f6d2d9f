//! An event with what the host knows about its process.

use std::sync::Arc;

use crate::{Capabilities, Event, ExecId, Executable, Pod, ProcessKey, Text, Workload};

/// An event and its surroundings. What enrichment could not find is absent; nothing is ever dropped for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The fact itself.
    pub event: Event,
    /// The process that acted; none when the table has never heard of it.
    pub process: Option<Arc<Process>>,
    /// Its ancestors, parent first, at most 16. Shared by all events of the process.
    pub ancestors: Arc<[Arc<Process>]>,
    /// Full id of the container; none on the host.
    pub container_id: Option<Arc<str>>,
    /// Where the process runs, and the names of users there; none where nothing is known of it.
    pub workload: Option<Arc<Workload>>,
}

impl Observation {
    /// The pod that acted; none outside of pods, and until its runtime or the API server has told.
    pub fn pod(&self) -> Option<&Pod> {
        let workload = self.workload.as_ref()?;
        workload.pod.get().or_else(|| workload.container.get()?.pod.as_deref())
    }

    /// The execution that acted; none when the process is not known.
    pub fn exec_id(&self) -> Option<ExecId> {
        let (process, head) = (self.process.as_ref()?, &self.event.head);
        Some(ExecId { host: process.host, process: head.process, execution: head.execution })
    }

    /// The execution that created the process; none for those of the kernel, and when the process is not known.
    pub fn parent_exec_id(&self) -> Option<ExecId> {
        self.process.as_ref()?.creator
    }
}

/// What is known about a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Its identity.
    pub key: ProcessKey,
    /// Who created it, while the table still knows that process; else the parent that the last event
    /// named, which is the reaper once the creator has died.
    pub parent: ProcessKey,
    /// Node and boot, see [`ExecId::host`].
    pub host: u64,
    /// Which execution it is at, see [`ExecId`]; none when only `/proc` has told of it, which does not say.
    pub execution: Option<u16>,
    /// The execution that created it. For a process that is older than the agent its parent, as it was first met.
    pub creator: Option<ExecId>,
    /// Name of the main thread.
    pub comm: Text,
    /// Absolute path of the program, from the kernel's `mm->exe_file`; empty for kernel threads, and for
    /// a process that was first heard of by an event of its own, until it is looked up.
    pub exe: Text,
    /// Arguments at exec, without truncated rest. Chosen by the process's creator.
    pub argv: Arc<[Text]>,
    /// Working directory at its last start, of its creator's if it started nothing itself; as it was met for a process
    /// that is older than the agent. `chdir` is not followed. Empty when it is not known.
    pub cwd: Text,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// User who logged in, or `u32::MAX`.
    pub loginuid: u32,
    /// The file of the program; none when `/proc` alone has told of the process, and for kernel threads.
    pub executable: Option<Executable>,
    /// Pid in its own pid namespace; 0 until an event of its own.
    pub vpid: u32,
    /// Process group.
    pub group: u32,
    /// Session id.
    pub session: u32,
    /// Controlling terminal, device number or 0.
    pub tty: u32,
    /// cgroup v2 id.
    pub cgroup_id: u64,
    /// What its main thread may do, since its last exec, setuid or capset that somebody watched; none when not known.
    pub capabilities: Option<Capabilities>,
    /// The process has ended; kept a while for events that arrive late and for its children.
    pub exited: bool,
}

impl Process {
    /// The execution that the process is at; none when it is not known.
    pub fn exec_id(&self) -> Option<ExecId> {
        Some(ExecId { host: self.host, process: self.key, execution: self.execution? })
    }
}
