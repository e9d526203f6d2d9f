//! What was done: one documented struct per kind of event.

mod file;
mod memory;
mod net;
mod process;

pub use file::{FileClose, FileIo, FileOpen, FileRename, FileUnlink, Path, PathFlags, UserPath};
pub use memory::{MemfdCreate, MmapExec, MprotectExec};
pub use net::{Accept, Bind, Connect, Endpoint, Listen, Socket, Source};
pub use process::{Exec, Exit, Fork, Ptrace};

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
    Loss(Loss),
}
