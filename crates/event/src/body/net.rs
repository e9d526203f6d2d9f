//! Sockets.

use std::net::IpAddr;

use crate::{Path, Text};

/// A socket was connected, or the attempt failed or is under way (`-EINPROGRESS`).
///
/// Hook: `sys_exit_connect`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connect {
    /// The socket; `peer` is whom it was to reach: the caller's word (`Source::User`) where the kernel has
    /// forgotten it, as after a refusal.
    pub socket: Socket,
}

/// A connection was accepted. `head.result` is the new descriptor.
///
/// Hook: `sys_exit_accept`, `sys_exit_accept4`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accept {
    /// The new socket; `peer` is who connected.
    pub socket: Socket,
}

/// A socket was given a local address, or the attempt failed.
///
/// Hook: `sys_exit_bind`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bind {
    /// The socket; `local` is the address.
    pub socket: Socket,
}

/// A socket began to listen, or the attempt failed.
///
/// Hook: `sys_exit_listen`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listen {
    /// The socket; `local` is where it listens.
    pub socket: Socket,
    /// Length of the queue asked for.
    pub backlog: u32,
}

/// A socket was made, or the attempt failed. `head.result` is the descriptor. All of it is in registers.
///
/// Hook: `sys_exit_socket`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MakeSocket {
    /// `AF_*`.
    pub family: u32,
    /// `SOCK_*` without flags.
    pub kind: u32,
    /// `IPPROTO_*`, or what the family means by it.
    pub protocol: u32,
    /// `SOCK_CLOEXEC`, `SOCK_NONBLOCK`.
    pub flags: u32,
}

/// The first datagram of a process to, or from, a peer on a socket.
///
/// Of what is sent each new (address, port) is an event, but for answers to peers heard from on this socket; of
/// what is received each new address. Failures are events of their own. Streams are told by connect and accept,
/// but a TCP connection that a send opens (MSG_FASTOPEN) is an event here. Netlink is left out. Of the messages
/// of one sendmmsg or recvmmsg the first 8 are looked at.
///
/// Hook: `sys_exit_{sendto,sendmsg,sendmmsg}`, `sys_exit_{recvfrom,recvmsg,recvmmsg}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The socket. `asked` is the address in the caller's memory: where to, or, written there by the kernel, where
    /// from; `peer` is that of a connected socket.
    pub socket: Socket,
    /// Bytes of this message.
    pub bytes: u64,
    /// `MSG_*`.
    pub flags: u32,
    /// Which message of the call this is, from 0.
    pub message: u32,
    /// Its first bytes, as in [`crate::FileIo::data`]. While they are wanted, what a stream moves first is a message too.
    pub data: Text,
}

/// A descriptor was duplicated, or the attempt failed. `head.result` is the new one.
///
/// Hook: `sys_exit_{dup,dup2,dup3,fcntl}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dup {
    /// The descriptor there was; -1: a file that only a ring of io_uring held.
    pub old_fd: i32,
    /// What the caller asked for: the number, of fcntl the lowest it may be; -1: any.
    pub asked_fd: i32,
    /// `O_CLOEXEC`.
    pub flags: u32,
    /// Device number of the file system, or 0.
    pub dev: u32,
    /// Inode number, or 0 when nothing is at the descriptor.
    pub ino: u64,
    /// Where the file is; empty when it has no path (pipe, socket).
    pub path: Path,
    /// The socket, when it is one: `family` is 0 when not. `fd` is the new descriptor, on failure the old one.
    pub socket: Socket,
}

/// A socket as the kernel sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Socket {
    /// `AF_*`: 1 unix, 2 IPv4, 10 IPv6; others have no addresses here. 0: no socket at the descriptor.
    pub family: u16,
    /// `SOCK_*`: 1 stream, 2 datagram, 3 raw.
    pub kind: u16,
    /// `IPPROTO_*`: 6 TCP, 17 UDP.
    pub protocol: u16,
    /// The descriptor as the caller named it; -1: a socket that only a ring of io_uring holds.
    pub fd: i32,
    /// Our end.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// Others share the descriptor table: the socket may have been swapped before the hook looked
    /// (5.10+, everywhere without fentry). The caller's own address is then in `peer`'s or `local`'s witness.
    pub shared: bool,
    /// The address in the caller's memory, read at exit: what was asked for, as a second witness.
    pub asked: Endpoint,
    /// Names under which this host looked the other end's address up; empty when nobody told.
    pub peer_names: Vec<Text>,
}

/// One end of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Address, none when unset or not IP. IPv4 mapped into IPv6 is shown as IPv4.
    pub ip: Option<IpAddr>,
    /// Port in host order, 0 when unset.
    pub port: u16,
    /// Unix socket: its path as bound, or `@` and the abstract name; empty when unnamed.
    pub path: Text,
    /// Where the address was read.
    pub source: Source,
}

/// Where a fact was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: it is not known.
    #[default]
    None,
    /// From a kernel object.
    Kernel,
    /// From memory of the caller, who may have rewritten it meanwhile.
    User,
}
