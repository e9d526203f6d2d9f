//! Which kinds of events the requests of io_uring give.

use sentinel_event::Kind;

/// Kinds whose requests may find the queue of completions full.
pub(super) const OVERFLOWING: &[Kind] = &[
    Kind::FileRead,
    Kind::FileWrite,
    Kind::Recv,
    Kind::Send,
    Kind::FileOpen,
    Kind::FileUnlink,
    Kind::FileRmdir,
    Kind::FileRename,
    Kind::FileLink,
    Kind::FileSymlink,
    Kind::FileMkdir,
    Kind::FileTruncate,
    Kind::Dup,
    Kind::Connect,
    Kind::Accept,
    Kind::Bind,
    Kind::Listen,
    Kind::Socket,
];

/// Kinds that requests with names, those about sockets, and those about a file that they hold give.
pub(super) const REQUESTED: &[Kind] = OVERFLOWING.split_at(4).1;

/// Those, and two only to know what receives many times.
pub(super) const SUBMITTED: &[Kind] = OVERFLOWING.split_at(2).1;
