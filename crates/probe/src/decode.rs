//! Bytes from the ring become records. Pure: no libbpf, no clock, no state, and no input makes it panic.

mod attribute;
mod control;
mod credential;
mod dns;
mod file;
mod memory;
mod name;
mod net;
pub(crate) mod process;
mod span;
mod system;

use sentinel_event::{Body, Comm, Head, Namespaces, ProcessKey, Syscall};
use zerocopy::FromBytes;

pub(crate) use span::Tail;

use crate::{abi, skel};

include!(concat!(env!("OUT_DIR"), "/events.rs"));

/// Why a record was dropped. The reader counts these by variant.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than the record needs.
    #[error("{got} bytes, needs {need}")]
    Short {
        /// Bytes needed.
        need: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Written by a program of another ABI.
    #[error("ABI version {0}, expected {expected}", expected = abi::SENTINEL_ABI_VERSION)]
    Version(u16),
    /// No kind has this id.
    #[error("unknown kind {0}")]
    Kind(u16),
    /// A span that leaves the tail.
    #[error("span {off}+{len} leaves a tail of {tail} bytes")]
    Span {
        /// Start of the span.
        off: u16,
        /// Its length.
        len: u16,
        /// Bytes in the tail.
        tail: usize,
    },
}

/// One record from the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who and when. `real_ns` is 0: the decoder has no clock.
    pub head: Head,
    /// What.
    pub content: Content,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An event as it is.
    Body(Body),
    /// An opened file, and the place of its directory when the kernel's side asks for a verdict on it, else 0.
    Open(sentinel_event::FileOpen, u64),
    /// Reads or writes of an open file, perhaps totals: the ledger makes events of them.
    Io(Io),
    /// Totals of a file that was closed.
    Close(Close),
}

/// Reads or writes of one process on one open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Io {
    /// Writes; else reads.
    pub write: bool,
    /// The open file.
    pub file: OpenFile,
    /// One call, not summed: `calls` and `bytes` are its own. Else totals since the first call.
    pub single: bool,
    /// Calls.
    pub calls: u64,
    /// Bytes.
    pub bytes: u64,
    /// Where the file is.
    pub path: sentinel_event::Path,
    /// First bytes of what the call moved that the record is about.
    pub data: sentinel_event::Text,
}

/// Totals of a file that was closed: `[reads, writes]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The open file.
    pub file: OpenFile,
    /// Every call has been an event already.
    pub single: bool,
    /// Calls since the first.
    pub calls: [u64; 2],
    /// Bytes since the first.
    pub bytes: [u64; 2],
}

/// An open file as one process uses it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenFile {
    /// Key in the kernel's table, with the process's tgid.
    pub key: u64,
    /// First use, nanoseconds since boot: tells one use of the key from the next.
    pub opened_ns: u64,
    /// Inode number.
    pub ino: u64,
    /// Device number of the file system.
    pub dev: u32,
    /// Descriptor.
    pub fd: i32,
}

/// One wire struct and its tail become the content of a record.
trait Decode: FromBytes {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError>;
}

/// Decodes one record. `record` may be longer than the record says, and need not be aligned.
///
/// # Errors
/// [`DecodeError`] for what no program of ours would write.
pub fn decode(record: &[u8]) -> Result<Record, DecodeError> {
    let (header, _) = split::<abi::sentinel_header>(record)?;
    if u32::from(header.version) != abi::SENTINEL_ABI_VERSION {
        return Err(DecodeError::Version(header.version));
    }
    let need = usize::try_from(header.len).unwrap_or(usize::MAX);
    let record = record.get(..need).ok_or(DecodeError::Short { need, got: record.len() })?;
    Ok(Record { head: head(&header), content: content(header.kind, record)? })
}

pub(crate) fn head(header: &abi::sentinel_header) -> Head {
    Head {
        boot_ns: header.time_ns,
        real_ns: 0,
        process: ProcessKey { tgid: header.tgid, start_ns: header.start_ns },
        tid: header.tid,
        vpid: header.vpid,
        parent: ProcessKey { tgid: header.ppid, start_ns: header.parent_start_ns },
        execution: header.execution,
        uid: header.uid,
        gid: header.gid,
        euid: header.euid,
        egid: header.egid,
        loginuid: header.loginuid,
        group: header.pgid,
        session: header.session,
        tty: header.tty,
        cgroup_id: header.cgroup_id,
        namespaces: Namespaces { pid: header.pid_ns, mnt: header.mnt_ns, net: header.net_ns },
        comm: Comm::new(header.comm),
        syscall: (u32::from(header.syscall) != abi::SENTINEL_NO_SYSCALL).then_some(Syscall(header.syscall)),
        result: header.result,
    }
}

macro_rules! events {
    ($(($id:literal, $Kind:ident, $wire:ident),)*) => {
        fn content(kind: u16, record: &[u8]) -> Result<Content, DecodeError> {
            match kind {
                $($id => {
                    let (wire, tail) = split::<abi::$wire>(record)?;
                    wire.decode(Tail(tail))
                })*
                other => Err(DecodeError::Kind(other)),
            }
        }

        /// Id on the wire of a kind; none for `loss`, which no program sends.
        pub(crate) const fn wire_id(kind: sentinel_event::Kind) -> Option<u32> {
            // A kind that the kernel does not report must be named here, or this does not compile.
            match kind {
                $(sentinel_event::Kind::$Kind => Some($id),)*
                sentinel_event::Kind::Loss => None,
            }
        }

        // bindgen read the header, libbpf-cargo read the object's BTF: they must agree.
        $(const _: () = assert!(
            size_of::<abi::$wire>() == size_of::<skel::types::$wire>()
                && align_of::<abi::$wire>() == align_of::<skel::types::$wire>()
        );)*
    };
}
for_each_event!(events);

const _: () = assert!(size_of::<abi::sentinel_header>() == 128);

fn split<T: FromBytes>(bytes: &[u8]) -> Result<(T, &[u8]), DecodeError> {
    T::read_from_prefix(bytes).map_err(|_| DecodeError::Short { need: size_of::<T>(), got: bytes.len() })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_tests;
