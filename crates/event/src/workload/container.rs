//! What a runtime says of a container. Images, labels and names are chosen by whoever started it.

use std::sync::Arc;

use super::Runtime;

/// A container, as its runtime describes it. What the runtime does not say is absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its full id.
    pub id: String,
    /// Its name, without the slash that Docker puts before it.
    pub name: String,
    /// The runtime that answered.
    pub runtime: Option<Runtime>,
    /// Its image.
    pub image: Image,
    /// Started with all privileges.
    pub privileged: Option<bool>,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// Its labels, by key.
    pub labels: Vec<(String, String)>,
    /// When it was started, or made if nobody knows: nanoseconds since the Unix epoch.
    pub started_ns: Option<u64>,
    /// Its address.
    pub ip: String,
    /// It shares the host's pid namespace.
    pub host_pid: Option<bool>,
    /// It shares the host's network namespace.
    pub host_network: Option<bool>,
    /// It shares the host's IPC namespace.
    pub host_ipc: Option<bool>,
    /// Command line of its health check.
    pub healthcheck: String,
    /// It is the container that holds a pod's namespaces.
    pub is_sandbox: bool,
    /// The pod that it is part of.
    pub pod: Option<Arc<Pod>>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// As whoever started the container named it.
    pub name: String,
    /// Its id: digits of a digest.
    pub id: String,
    /// The name without tag and digest.
    pub repository: String,
    /// Its tag.
    pub tag: String,
    /// Its digest, `sha256:…`.
    pub digest: String,
}

/// Something mounted into a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// Path on the host.
    pub source: String,
    /// Path in the container.
    pub destination: String,
    /// The runtime's word for how.
    pub mode: String,
    /// It can be written.
    pub writable: bool,
    /// How mounts spread to and from the host.
    pub propagation: String,
}

/// A pod of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
    /// Full id of its sandbox.
    pub sandbox: String,
    /// Its address.
    pub ip: String,
    /// Its labels, by key.
    pub labels: Vec<(String, String)>,
    /// Its service account; empty until the API server has told of the pod.
    pub service_account: String,
    /// The node it runs on, as the API server says it.
    pub node: String,
    /// What keeps it running, as its metadata names it: ReplicaSet, Job. None for a pod by itself, and until the API
    /// server has told.
    pub controller: Option<Owner>,
    /// What somebody asked for: the Deployment behind a ReplicaSet, else the controller.
    pub owner: Option<Owner>,
}

/// Who owns a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// `Deployment`, `DaemonSet`, `StatefulSet`, `Job`, `Node` …
    pub kind: String,
    /// Its name, in the pod's namespace.
    pub name: String,
    /// Its UID; empty for a Deployment, whose ReplicaSet does not tell it.
    pub uid: String,
}
