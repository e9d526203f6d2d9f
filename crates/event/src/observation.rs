//! An event with what the host knows about its process.

use std::sync::Arc;

use crate::{Capabilities, Event, Pod, ProcessKey, Text, Workload};

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
    /// The pod that acted; none outside of pods, and until its runtime has told.
    pub fn pod(&self) -> Option<&Pod> {
        self.workload.as_ref()?.container.get()?.pod.as_deref()
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
    /// Name of the main thread.
    pub comm: Text,
    /// Absolute path of the program, from the kernel's `mm->exe_file`; empty for kernel threads, and for
    /// a process that was first heard of by an event of its own, until it is looked up.
    pub exe: Text,
    /// Arguments at exec, without truncated rest. Chosen by the process's creator.
    pub argv: Arc<[Text]>,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// User who logged in, or `u32::MAX`.
    pub loginuid: u32,
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
