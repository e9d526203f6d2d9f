//! The vocabulary every other crate speaks.
//!
//! An [`Event`] is one fact from one kernel: a [`Head`] (who, when, with what result) and a
//! [`Body`] (what). Enrichment turns it into an [`Observation`], which adds what the host knows
//! about the process. This crate only names things: it does no I/O, knows neither BPF nor
//! protobuf, and holds no `unsafe`.

mod alert;
mod body;
mod calls;
mod exec_id;
mod head;
mod interest;
mod kind;
mod loss;
mod observation;
mod outcome;
mod priority;
mod syscall;
mod workload;

pub use alert::Alert;
pub use body::{
    Accept, AnyCall, Bind, Body, Bpf, Capabilities, Capset, Chroot, Connect, Credentials, Dns, Dup, Endpoint,
    Exec, Executable, Exit, FileChmod, FileChown, FileClose, FileIo, FileLink, FileMkdir, FileMknod,
    FileOpen, FileRename, FileRmdir, FileSymlink, FileTarget, FileTruncate, FileUnlink, Fork, IoUringSetup,
    Listen, MakeSocket, MemfdCreate, Message, MmapExec, ModuleLoad, Mount, MprotectExec, NamedAddress, Path,
    PathFlags, Prctl, ProcessVmWrite, Ptrace, Setns, Setuid, Signal, Socket, Source, Umount, Unshare,
    UserPath, Userfaultfd,
};
pub use calls::{CallInterest, Comms, Named, Setting};
pub use exec_id::{ExecId, NotAnExecId};
pub use head::{Comm, Head, Namespaces, ProcessKey, Syscall};
pub use interest::{FileInterest, PathClasses, PathSet};
pub use kind::{Kind, KindSet, UnknownKind};
pub use loss::{Loss, LossCause, Stage};
pub use observation::{Observation, Process};
pub use outcome::Outcome;
pub use priority::{Priority, Severity};
pub use workload::{
    Container, Group, Image, Known, Mapping, Mount as ContainerMount, Owner, Place, Pod, Runtime, User,
    Users, UsersOf, Workload,
};

/// Bytes that an untrusted process chose: paths, arguments, names. Usually UTF-8, never promised.
pub type Text = bstr::BString;

/// One fact from the kernel of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who did it, when, and how it ended.
    pub head: Head,
    /// What was done.
    pub body: Body,
}

impl Event {
    /// The event's kind: the name it has in every output.
    pub fn kind(&self) -> Kind {
        self.body.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_knows_its_kind() {
        assert_eq!(Body::FileWrite(FileIo::default()).kind().name(), "file_write");
    }
}
