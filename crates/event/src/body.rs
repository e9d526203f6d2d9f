//! What was done: one documented struct per kind of event.

mod attribute;
mod control;
mod credential;
mod dns;
mod file;
mod memory;
mod name;
mod net;
mod process;
mod system;

pub use attribute::{FileChmod, FileChown, FileTarget, FileTruncate};
pub use control::{AnyCall, Bpf, IoUringSetup, Prctl, ProcessVmWrite, Signal, Userfaultfd};
pub use credential::{Capabilities, Capset, Credentials, Setuid};
pub use dns::{Dns, NamedAddress};
pub use file::{FileClose, FileIo, FileOpen, FileRename, FileUnlink, Path, PathFlags, UserPath};
pub use memory::{MemfdCreate, MmapExec, MprotectExec};
pub use name::{FileLink, FileMkdir, FileMknod, FileRmdir, FileSymlink};
pub use net::{Accept, Bind, Connect, Dup, Endpoint, Listen, MakeSocket, Message, Socket, Source};
pub use process::{Exec, Executable, Exit, Fork, Ptrace};
pub use system::{Chroot, ModuleLoad, Mount, Setns, Umount, Unshare};

use crate::{Kind, Loss};

macro_rules! bodies {
    ($($Kind:ident($Struct:ident),)*) => {
        /// What was done.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body {
            $(#[doc = concat!("See [`", stringify!($Struct), "`].")] $Kind($Struct),)*
        }

        impl Body {
            /// The kind of event this is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$Kind(_) => Kind::$Kind,)* }
            }
        }
    };
}

// Same names as `Kind`. A body without a kind does not compile; the decoder needs a body for every kind.
bodies! {
    Exec(Exec),
    Fork(Fork),
    Exit(Exit),
    FileOpen(FileOpen),
    FileRead(FileIo),
    FileWrite(FileIo),
    FileClose(FileClose),
    FileUnlink(FileUnlink),
    FileRename(FileRename),
    Connect(Connect),
    Accept(Accept),
    Bind(Bind),
    Listen(Listen),
    Ptrace(Ptrace),
    MemfdCreate(MemfdCreate),
    MmapExec(MmapExec),
    MprotectExec(MprotectExec),
    Dup(Dup),
    Socket(MakeSocket),
    Send(Message),
    Recv(Message),
    Dns(Dns),
    Setuid(Setuid),
    Capset(Capset),
    Prctl(Prctl),
    Signal(Signal),
    FileLink(FileLink),
    FileSymlink(FileSymlink),
    FileMkdir(FileMkdir),
    FileRmdir(FileRmdir),
    FileChmod(FileChmod),
    FileChown(FileChown),
    FileTruncate(FileTruncate),
    FileMknod(FileMknod),
    Mount(Mount),
    Umount(Umount),
    Chroot(Chroot),
    Setns(Setns),
    Unshare(Unshare),
    Bpf(Bpf),
    ModuleLoad(ModuleLoad),
    Userfaultfd(Userfaultfd),
    IoUringSetup(IoUringSetup),
    ProcessVmWrite(ProcessVmWrite),
    Syscall(AnyCall),
    Loss(Loss),
}

impl Body {
    /// The names that the caller passed and the kernel made something of: of a rename and a link the old one and the new
    /// one, of a mount what is mounted and where. Not those of opens, of which the kernel's word is the first witness.
    pub fn names(&self) -> [Option<&UserPath>; 2] {
        match self {
            Self::FileUnlink(unlink) => [Some(&unlink.target), None],
            Self::FileRename(rename) => [Some(&rename.from), Some(&rename.to)],
            Self::FileLink(link) => [Some(&link.from), Some(&link.to)],
            Self::FileSymlink(symlink) => [Some(&symlink.link), None],
            Self::FileMkdir(mkdir) => [Some(&mkdir.target), None],
            Self::FileRmdir(rmdir) => [Some(&rmdir.target), None],
            Self::FileMknod(mknod) => [Some(&mknod.target), None],
            Self::FileChmod(chmod) => [Some(&chmod.file.asked), None],
            Self::FileChown(chown) => [Some(&chown.file.asked), None],
            Self::FileTruncate(truncate) => [Some(&truncate.file.asked), None],
            Self::Mount(mount) => [Some(&mount.source), Some(&mount.target)],
            Self::Umount(umount) => [Some(&umount.target), None],
            Self::Chroot(chroot) => [Some(&chroot.asked), None],
            _ => [None, None],
        }
    }
}
