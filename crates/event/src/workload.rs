//! Where a process runs: cgroup, unit, container, pod; and the names that users have there.

use std::sync::Arc;

use crate::Text;

mod container;
mod users;

pub use container::{Container, Image, Mount, Owner, Pod};
pub use users::{Group, Mapping, User, Users, UsersOf};

/// Where a process runs. Shared by all processes of the same cgroup and mount namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workload {
    /// What the path of its cgroup says.
    pub place: Arc<Place>,
    /// What the runtime says of the container.
    pub container: Known<Container>,
    /// What the API server of Kubernetes says of the pod; what the runtime says of it is in `container`.
    pub pod: Known<Pod>,
    /// Names of users and groups, of the process's own root directory.
    pub users: Known<Users>,
}

impl Workload {
    /// Something was asked for and has not been answered yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.container, Known::Pending)
            || matches!(self.users, Known::Pending)
            || matches!(self.pod, Known::Pending)
    }
}

/// Something that somebody else has to be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Known<T> {
    /// Nobody was asked, or whoever was did not know.
    #[default]
    No,
    /// The answer is under way.
    Pending,
    /// This is it.
    Yes(Arc<T>),
}

impl<T> Known<T> {
    /// What is known.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Yes(known) => Some(known),
            Self::No | Self::Pending => None,
        }
    }
}

/// What the path of a cgroup says. Whoever may create cgroups can make up such a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The path, from the root of the hierarchy; empty when it could not be found.
    pub path: Text,
    /// Id of the innermost container: 64 hexadecimal digits, or the name of an LXC container or a machine. None on
    /// the host.
    pub container: Option<Arc<str>>,
    /// Who runs that container, as far as the path shows it.
    pub runtime: Option<Runtime>,
    /// UID of the pod that the container is part of.
    pub pod_uid: Option<Arc<str>>,
    /// The unit of the innermost systemd: a service or a scope.
    pub unit: Option<Arc<str>>,
    /// The innermost slice around that unit.
    pub slice: Option<Arc<str>>,
    /// The unit of a user's own systemd, inside `user@UID.service`.
    pub user_unit: Option<Arc<str>>,
    /// The login session.
    pub session: Option<Arc<str>>,
    /// The invocation of the host's unit: 32 hexadecimal digits, new with each start.
    pub invocation: Option<Arc<str>>,
}

/// Who runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd, by itself, for nerdctl or for Kubernetes.
    Containerd,
    /// CRI-O.
    CriO,
    /// LXC.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
}

impl Runtime {
    const ALL: [Self; 6] =
        [Self::Docker, Self::Podman, Self::Containerd, Self::CriO, Self::Lxc, Self::Nspawn];

    /// The runtime of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|runtime| runtime.name() == name)
    }

    /// As `container.type` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
            Self::Lxc => "lxc",
            Self::Nspawn => "nspawn",
        }
    }
}
