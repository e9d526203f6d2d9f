//! Which calls may matter to somebody, by how they ended, who made them, where, and under which name or port: what
//! the kernel may leave out, planned from rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Body, Comm, Endpoint, Event, Kind, KindSet, Outcome, Socket};

/// How many settings there are.
const SETTINGS: usize = 12;

/// What the kernel's side looks at first: how a call ended, who made it, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// How it ended.
    pub outcome: Outcome,
    /// The effective user is 0, as the initial user namespace counts.
    pub root: bool,
    /// In a container. A cgroup of which the agent has not told what it is is taken for both.
    pub contained: bool,
}

impl Setting {
    /// Every one, in the order of the wire.
    pub fn all() -> impl Iterator<Item = Self> {
        [false, true].into_iter().flat_map(|contained| {
            [true, false].into_iter().flat_map(move |root| {
                Outcome::ALL.into_iter().map(move |outcome| Self { outcome, root, contained })
            })
        })
    }

    fn number(self) -> usize {
        self.outcome as usize + 3 * usize::from(!self.root) + 6 * usize::from(self.contained)
    }
}

/// A set of task names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comms {
    /// These.
    Only(BTreeSet<Comm>),
    /// All but these.
    Except(BTreeSet<Comm>),
}

impl Comms {
    /// Whether the name is in the set.
    #[must_use]
    pub fn holds(&self, comm: &Comm) -> bool {
        match self {
            Self::Only(names) => names.contains(comm),
            Self::Except(names) => !names.contains(comm),
        }
    }

    /// The names in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut ours), Self::Only(theirs)) => {
                ours.extend(theirs);
                Self::Only(ours)
            }
            (Self::Except(mut out), Self::Only(names)) | (Self::Only(names), Self::Except(mut out)) => {
                out.retain(|name| !names.contains(name));
                Self::Except(out)
            }
            (Self::Except(mut ours), Self::Except(theirs)) => {
                ours.retain(|name| theirs.contains(name));
                Self::Except(ours)
            }
        }
    }
}

/// By whom or with which port: a call is in it when either holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Names of the process, that is of its main thread. What another thread does is always in.
    pub comms: Comms,
    /// Ports, of either end of a socket or asked for.
    pub ports: BTreeSet<u16>,
}

impl Default for Named {
    /// Nobody.
    fn default() -> Self {
        Self { comms: Comms::Only(BTreeSet::new()), ports: BTreeSet::new() }
    }
}

impl Named {
    /// Everybody.
    #[must_use]
    pub fn all() -> Self {
        Self { comms: Comms::Except(BTreeSet::new()), ports: BTreeSet::new() }
    }

    /// Whether that is everybody.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(&self.comms, Comms::Except(names) if names.is_empty())
    }

    /// What is in either.
    #[must_use]
    pub fn or(mut self, mut other: Self) -> Self {
        self.ports.append(&mut other.ports);
        Self { comms: self.comms.or(other.comms), ports: self.ports }
    }

    fn holds(&self, event: &Event) -> bool {
        let head = &event.head;
        // The kernel's side knows the name of the thread, rules the one of the process.
        head.tid != head.process.tgid
            || self.comms.holds(&head.comm)
            || socket_of(&event.body).is_some_and(|socket| self.has_port(socket))
    }

    fn has_port(&self, socket: &Socket) -> bool {
        let is_in = |end: &Endpoint| end.ip.is_some() && self.ports.contains(&end.port);
        is_in(&socket.local) || is_in(&socket.peer) || is_in(&socket.asked)
    }
}

/// The socket whose ports the kernel's side looks at.
fn socket_of(body: &Body) -> Option<&Socket> {
    match body {
        Body::Connect(connect) => Some(&connect.socket),
        Body::Accept(accept) => Some(&accept.socket),
        Body::Bind(bind) => Some(&bind.socket),
        Body::Listen(listen) => Some(&listen.socket),
        _ => None,
    }
}

/// Kinds of which the kernel's side looks at every call. Not among them is what keeps a table right, the agent's of
/// processes and credentials or the kernel's of open files; and nothing is that comes through io_uring.
const LOOKED_AT: &[Kind] = &[
    Kind::FileOpen,
    Kind::FileUnlink,
    Kind::FileRename,
    Kind::FileLink,
    Kind::FileSymlink,
    Kind::FileMkdir,
    Kind::FileRmdir,
    Kind::FileChmod,
    Kind::FileChown,
    Kind::FileTruncate,
    Kind::FileMknod,
    Kind::Connect,
    Kind::Accept,
    Kind::Bind,
    Kind::Listen,
    Kind::Socket,
    Kind::Send,
    Kind::Recv,
    Kind::Dup,
    Kind::Ptrace,
    Kind::MemfdCreate,
    Kind::MmapExec,
    Kind::MprotectExec,
    Kind::Prctl,
    Kind::Signal,
    Kind::Mount,
    Kind::Umount,
    Kind::Chroot,
    Kind::Setns,
    Kind::Unshare,
    Kind::Bpf,
    Kind::ModuleLoad,
    Kind::Userfaultfd,
    Kind::IoUringSetup,
    Kind::ProcessVmWrite,
    Kind::Syscall,
];

/// Which calls may matter. A plan may only ever say too much: what it leaves out, no rule could match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallInterest {
    /// By setting: kinds whose calls may matter.
    kinds: [KindSet; SETTINGS],
    /// Kinds of which only some calls matter, whatever the setting.
    named: BTreeMap<Kind, Named>,
}

impl CallInterest {
    /// Every call of every kind matters.
    #[must_use]
    pub fn all() -> Self {
        Self { kinds: [KindSet::all(); SETTINGS], named: BTreeMap::new() }
    }

    /// Whether the kernel's side looks at calls of this kind that end so. It takes every other one. Of starts of
    /// programs it looks at those that fail: the others make the table of processes.
    #[must_use]
    pub fn looks_at(kind: Kind, outcome: Outcome) -> bool {
        LOOKED_AT.contains(&kind) || kind == Kind::Exec && outcome != Outcome::Succeeded
    }

    /// Whether the kernel's side looks at ports in calls of this kind.
    #[must_use]
    pub fn looks_at_ports(kind: Kind) -> bool {
        matches!(kind, Kind::Connect | Kind::Accept | Kind::Bind | Kind::Listen)
    }

    /// The kinds whose calls in this setting may matter.
    #[must_use]
    pub fn kinds(&self, setting: Setting) -> KindSet {
        self.kinds.get(setting.number()).copied().unwrap_or_default()
    }

    /// Kinds of which calls may matter in some setting.
    #[must_use]
    pub fn some(&self) -> KindSet {
        self.kinds.iter().fold(KindSet::NONE, |all, kinds| all.union(*kinds))
    }

    /// Which calls of the kind matter; none when the setting alone decides.
    #[must_use]
    pub fn named(&self, kind: Kind) -> Option<&Named> {
        self.named.get(&kind)
    }

    /// Whether the event matters. `contained`: whether it happened in a container, none when that is not known. The
    /// kernel's side may only leave out what this does.
    #[must_use]
    pub fn holds(&self, event: &Event, contained: Option<bool>) -> bool {
        let (head, kind, outcome) = (&event.head, event.kind(), Outcome::of(event.head.result));
        if !Self::looks_at(kind, outcome) {
            return true;
        }
        let matters = [false, true].into_iter().any(|place| {
            let setting = Setting { outcome, root: head.euid == 0, contained: place };
            contained.is_none_or(|contained| contained == place) && self.kinds(setting).contains(kind)
        });
        matters && self.named.get(&kind).is_none_or(|named| named.holds(event))
    }

    /// Whether every call of the kind in this setting matters.
    #[must_use]
    pub fn has_all(&self, kind: Kind, setting: Setting) -> bool {
        self.kinds(setting).contains(kind) && !self.named.contains_key(&kind)
    }

    /// Adds calls of a kind.
    pub fn insert(&mut self, kind: Kind, setting: Setting, named: Named) {
        let before = if self.some().contains(kind) { self.take(kind) } else { Named::default() };
        self.put(kind, before.or(named));
        if let Some(kinds) = self.kinds.get_mut(setting.number()) {
            kinds.insert(kind);
        }
    }

    /// The same, and every call of these kinds.
    #[must_use]
    pub fn and_all_of(mut self, kinds: KindSet) -> Self {
        self.named.retain(|kind, _| !kinds.contains(*kind));
        self.kinds = self.kinds.map(|some| some.union(kinds));
        self
    }

    /// What matters to either.
    #[must_use]
    pub fn or(mut self, mut other: Self) -> Self {
        for kind in self.some().union(other.some()).iter() {
            let of =
                |one: &mut Self| if one.some().contains(kind) { one.take(kind) } else { Named::default() };
            let named = of(&mut self).or(of(&mut other));
            self.put(kind, named);
        }
        for (ours, theirs) in self.kinds.iter_mut().zip(other.kinds) {
            *ours = ours.union(theirs);
        }
        self
    }

    fn take(&mut self, kind: Kind) -> Named {
        self.named.remove(&kind).unwrap_or_else(Named::all)
    }

    fn put(&mut self, kind: Kind, named: Named) {
        // A port that nobody looks at rules nothing out.
        let blind = !named.ports.is_empty() && !Self::looks_at_ports(kind);
        if !named.is_all() && !blind {
            self.named.insert(kind, named);
        }
    }
}

#[cfg(test)]
mod tests;
