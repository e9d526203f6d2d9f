//! One event as fields see it.

use sentinel_event::{
    Body, Endpoint, Exec, FileTarget, Observation, PathFlags, Process, Socket, Source, UserPath,
};

use super::{engine::Node, names::Call};

/// An event, with one answer to the question which file or address it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) observation: &'a Observation,
    pub(super) witness: Witness,
    pub(super) call: Call,
    pub(super) node: &'a Node,
    /// Number of the event, from 1.
    pub(super) number: u64,
    /// Nanoseconds since the first event and since the one before.
    pub(super) relative_ns: u64,
    pub(super) delta_ns: u64,
}

/// Whose word is taken for the file or address of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// What the kernel's objects said after the call.
    Kernel,
    /// What the caller asked for.
    Caller,
}

/// The sides of a socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Net<'a> {
    pub(super) socket: &'a Socket,
    pub(super) family: Family,
    pub(super) local: &'a Endpoint,
    pub(super) peer: &'a Endpoint,
    pub(super) client: Option<&'a Endpoint>,
    pub(super) server: &'a Endpoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
    Unix,
    Netlink,
    Other,
}

fn is_set(end: &Endpoint) -> bool {
    end.ip.is_some() || !end.path.is_empty()
}

/// Whether the caller asked for something else than the kernel found, and the kernel's word may be about a
/// descriptor that another thread has swapped meanwhile; or a name led elsewhere than it says, or says two things.
pub(super) fn has_two_witnesses(observation: &Observation) -> bool {
    match &observation.event.body {
        Body::FileOpen(open) => {
            open.path.flags.contains(PathFlags::SHARED)
                && !open.path.bytes.is_empty()
                && !open.asked.path.is_empty()
                && open.path.bytes != open.asked.path
        }
        Body::Connect(connect) => differs(&connect.socket, &connect.socket.peer),
        Body::Bind(bind) => differs(&bind.socket, &bind.socket.local),
        body => body.names().into_iter().flatten().any(|name| name.second.is_some()),
    }
}

fn differs(socket: &Socket, found: &Endpoint) -> bool {
    let asked = &socket.asked;
    socket.shared
        && is_set(found)
        && is_set(asked)
        && asked.source == Source::User
        && (asked.ip != found.ip || asked.port != found.port || asked.path != found.path)
}

impl<'a> View<'a> {
    /// The file the event is about: the kernel's path, or what was asked for when there is no such.
    pub(super) fn file(&self) -> Option<&'a [u8]> {
        let path = match &self.observation.event.body {
            Body::FileOpen(open) if self.witness == Witness::Caller => &open.asked.path,
            Body::FileOpen(open) if open.path.bytes.is_empty() => &open.asked.path,
            Body::FileOpen(open) => &open.path.bytes,
            Body::FileRead(io) | Body::FileWrite(io) => &io.path.bytes,
            Body::FileClose(close) => &close.path.bytes,
            Body::MmapExec(map) => &map.path.bytes,
            Body::Dup(dup) => &dup.path.bytes,
            Body::ModuleLoad(module) => &module.path.bytes,
            body => &descriptor_of(body)?.path.bytes,
        };
        Some(path.as_slice()).filter(|path| !path.is_empty())
    }

    /// Where a name led: the kernel's word, or the caller's.
    pub(super) fn name<'n>(&self, name: &'n UserPath) -> &'n [u8] {
        match name.other() {
            Some(other) if self.witness == Witness::Caller => other,
            _ => name.best(),
        }
    }

    /// The socket the event is about; none when there is none, or nothing is known of it.
    pub(super) fn net(&self) -> Option<Net<'a>> {
        let event = &self.observation.event;
        let (socket, connects) = match &event.body {
            Body::Connect(connect) => (&connect.socket, true),
            Body::Accept(accept) if event.head.result >= 0 => (&accept.socket, false),
            Body::Bind(bind) => (&bind.socket, false),
            Body::Listen(listen) => (&listen.socket, false),
            Body::Send(message) => (&message.socket, true),
            Body::Recv(message) => (&message.socket, false),
            Body::Dns(dns) => (&dns.socket, true),
            // Who began is not known any more; servers have the lower port.
            Body::Dup(dup) => (&dup.socket, dup.socket.peer.port <= dup.socket.local.port),
            _ => return None,
        };
        let (mut local, mut peer) = (&socket.local, &socket.peer);
        let asked =
            |found: &Endpoint| is_set(&socket.asked) && (self.witness == Witness::Caller || !is_set(found));
        let told = match &event.body {
            Body::Connect(_) if asked(peer) => {
                peer = &socket.asked;
                true
            }
            Body::Bind(_) if asked(local) => {
                local = &socket.asked;
                true
            }
            // A datagram goes where the call says, connected or not.
            Body::Send(_) if is_set(&socket.asked) => {
                peer = &socket.asked;
                true
            }
            Body::Dns(_) if is_set(&socket.asked) => {
                peer = &socket.asked;
                true
            }
            Body::Recv(_) if is_set(&socket.asked) => {
                peer = &socket.asked;
                false
            }
            _ => false,
        };
        let server = if connects { peer } else { local };
        let client = match &event.body {
            Body::Connect(_) | Body::Send(_) | Body::Dns(_) => Some(local),
            Body::Accept(_) | Body::Recv(_) => Some(peer),
            Body::Dup(_) if is_set(peer) => Some(if connects { local } else { peer }),
            _ => None,
        };
        let family = family(socket, server, told)?;
        Some(Net { socket, family, local, peer, client, server })
    }

    /// The program start that succeeded.
    pub(super) fn exec(&self) -> Option<&'a Exec> {
        match &self.observation.event.body {
            Body::Exec(exec) if self.observation.event.head.result >= 0 => Some(exec),
            _ => None,
        }
    }

    pub(super) fn process(&self) -> Option<&'a Process> {
        self.observation.process.as_deref()
    }

    /// Ancestor 1 is the parent.
    pub(super) fn ancestor(&self, index: u64) -> Option<&'a Process> {
        let index = usize::try_from(index).ok()?.checked_sub(1)?;
        self.observation.ancestors.get(index).map(AsRef::as_ref)
    }

    pub(super) fn ancestors(&self) -> impl Iterator<Item = &'a Process> + use<'a> {
        let observation = self.observation;
        observation.ancestors.iter().map(AsRef::as_ref)
    }
}

/// The file that a call names by a descriptor.
fn descriptor_of(body: &Body) -> Option<&FileTarget> {
    let file = match body {
        Body::FileChmod(chmod) => &chmod.file,
        Body::FileChown(chown) => &chown.file,
        Body::FileTruncate(truncate) => &truncate.file,
        _ => return None,
    };
    (file.fd >= 0).then_some(file)
}

/// The family of the address that counts; of the socket where it has no address yet.
fn family(socket: &Socket, end: &Endpoint, told: bool) -> Option<Family> {
    const UNIX: u16 = 1; // AF_UNIX
    const INET: u16 = 2; // AF_INET
    const INET6: u16 = 10; // AF_INET6
    const NETLINK: u16 = 16; // AF_NETLINK
    match end.ip {
        Some(ip) if ip.is_ipv4() => return Some(Family::V4),
        Some(_) => return Some(Family::V6),
        None if told => return Some(Family::Unix),
        None => {}
    }
    match socket.family {
        0 => None,
        UNIX => Some(Family::Unix),
        INET => Some(Family::V4),
        INET6 => Some(Family::V6),
        NETLINK => Some(Family::Netlink),
        _ => Some(Family::Other),
    }
}
