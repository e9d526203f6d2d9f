//! The container runtime interface: gRPC over a socket, calls that read.

use std::path::Path;

use sentinel_event::{Container, ContainerMount, Pod, Runtime};
use serde::Deserialize;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

mod news;

pub(crate) use news::News;

use crate::{
    image::{complete, image},
    runtimes::{ANSWER_MAX, AskError},
};

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)] // generated
pub(crate) mod v1 {
    tonic::include_proto!("runtime.v1");
}

use v1::{
    ContainerFilter, ContainerStatus, ContainerStatusRequest, ListContainersRequest, MountPropagation,
    NamespaceMode, PodSandboxStatus, PodSandboxStatusRequest, runtime_service_client::RuntimeServiceClient,
};

/// A client, connected when it is first used, and again whenever that is needed.
#[derive(Debug, Clone)]
pub(crate) struct Cri(RuntimeServiceClient<Channel>);

impl Cri {
    /// None when the path cannot be an address.
    pub(crate) fn new(path: &Path) -> Option<Self> {
        let endpoint = Endpoint::from_shared(format!("unix://{}", path.to_str()?)).ok()?;
        let client = RuntimeServiceClient::new(endpoint.connect_lazy());
        Some(Self(client.max_decoding_message_size(ANSWER_MAX)))
    }

    /// What the runtime knows of a container or of a pod's sandbox; none when it knows no such.
    pub(crate) async fn ask(&mut self, runtime: Runtime, id: &str) -> Result<Option<Container>, AskError> {
        let request = ContainerStatusRequest { container_id: id.into(), verbose: true };
        let told = match self.0.container_status(request).await {
            Ok(told) => told.into_inner(),
            Err(status) if is_unknown(&status) => return self.sandbox(runtime, id).await,
            Err(status) => return Err(refused(&status)),
        };
        let info = told.info.get("info").and_then(|info| serde_json::from_str::<Info>(info).ok());
        let info = info.unwrap_or_default();
        let status = told.status.ok_or(AskError::Malformed("no status"))?;
        if status.id != id {
            return Err(AskError::Malformed("another container"));
        }
        let privileged = info.privileged();
        let sandbox = match info.sandbox {
            Some(sandbox) => Some(sandbox),
            None => self.sandbox_of(id).await?,
        };
        let sandbox = match sandbox {
            Some(sandbox) => self.pod_status(&sandbox).await?,
            None => None,
        };
        Ok(Some(container(status, privileged, sandbox, runtime)))
    }

    async fn sandbox(&mut self, runtime: Runtime, id: &str) -> Result<Option<Container>, AskError> {
        Ok(self.pod_status(id).await?.map(|status| sandbox(status, runtime)))
    }

    async fn sandbox_of(&mut self, id: &str) -> Result<Option<String>, AskError> {
        let request = ListContainersRequest { filter: Some(ContainerFilter { id: id.into() }) };
        let told = self.0.list_containers(request).await.map_err(|status| refused(&status))?.into_inner();
        let found = told.containers.into_iter().find(|container| container.id == id);
        Ok(found.map(|container| container.pod_sandbox_id))
    }

    async fn pod_status(&mut self, sandbox: &str) -> Result<Option<PodSandboxStatus>, AskError> {
        let request = PodSandboxStatusRequest { pod_sandbox_id: sandbox.into() };
        match self.0.pod_sandbox_status(request).await {
            Ok(told) => Ok(told.into_inner().status.filter(|status| status.id == sandbox)),
            Err(status) if is_unknown(&status) => Ok(None),
            Err(status) => Err(refused(&status)),
        }
    }
}

/// What containerd and CRI-O add when they are asked to be verbose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    #[serde(rename = "sandboxID")]
    sandbox: Option<String>,
    /// CRI-O.
    privileged: Option<bool>,
    /// containerd: what the kubelet wanted.
    config: Option<Wanted>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    linux: Option<Linux>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Linux {
    security_context: Option<Security>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Security {
    privileged: bool,
}

impl Info {
    /// False is left out of JSON.
    fn privileged(&self) -> Option<bool> {
        let wanted = self.config.as_ref().map(|config| {
            let security = config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
            security.is_some_and(|security| security.privileged)
        });
        self.privileged.or(wanted)
    }
}

fn container(
    status: ContainerStatus,
    privileged: Option<bool>,
    sandbox: Option<PodSandboxStatus>,
    runtime: Runtime,
) -> Container {
    let modes = sandbox.as_ref().map(Modes::of).unwrap_or_default();
    let pod = sandbox.map(pod);
    let mut image = image(&status.image.map(|spec| spec.image).unwrap_or_default(), &status.image_ref);
    complete(&mut image, &status.image_ref);
    let started_ns = [status.started_at, status.created_at].into_iter().find(|at| *at > 0);
    let mount = |mount: v1::Mount| ContainerMount {
        mode: if mount.readonly { "ro" } else { "rw" }.into(),
        writable: !mount.readonly,
        propagation: match mount.propagation() {
            MountPropagation::PropagationPrivate => "private",
            MountPropagation::PropagationHostToContainer => "rslave",
            MountPropagation::PropagationBidirectional => "rshared",
        }
        .into(),
        source: mount.host_path,
        destination: mount.container_path,
    };
    Container {
        id: status.id,
        name: status.metadata.map(|metadata| metadata.name).unwrap_or_default(),
        runtime: Some(runtime),
        image,
        privileged,
        mounts: status.mounts.into_iter().map(mount).collect(),
        labels: status.labels.into_iter().collect(),
        started_ns: started_ns.and_then(|at| u64::try_from(at).ok()),
        ip: pod.as_ref().map(|pod| pod.ip.clone()).unwrap_or_default(),
        host_pid: modes.pid,
        host_network: modes.network,
        host_ipc: modes.ipc,
        healthcheck: String::new(),
        is_sandbox: false,
        pod: pod.map(Into::into),
    }
}

/// The sandbox itself, as the container that it is.
fn sandbox(status: PodSandboxStatus, runtime: Runtime) -> Container {
    let modes = Modes::of(&status);
    let pod = pod(status);
    Container {
        id: pod.sandbox.clone(),
        name: pod.name.clone(),
        runtime: Some(runtime),
        labels: pod.labels.clone(),
        ip: pod.ip.clone(),
        host_pid: modes.pid,
        host_network: modes.network,
        host_ipc: modes.ipc,
        is_sandbox: true,
        pod: Some(pod.into()),
        ..Container::default()
    }
}

fn pod(status: PodSandboxStatus) -> Pod {
    let metadata = status.metadata.unwrap_or_default();
    Pod {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        sandbox: status.id,
        ip: status.network.unwrap_or_default().ip,
        labels: status.labels.into_iter().collect(),
        ..Pod::default()
    }
}

/// Which namespaces are the node's.
#[derive(Debug, Default)]
struct Modes {
    pid: Option<bool>,
    network: Option<bool>,
    ipc: Option<bool>,
}

impl Modes {
    fn of(status: &PodSandboxStatus) -> Self {
        let namespaces = status.linux.as_ref().and_then(|linux| linux.namespaces.as_ref());
        let Some(options) = namespaces.and_then(|namespaces| namespaces.options.as_ref()) else {
            return Self::default();
        };
        let is_node = |mode| Some(mode == NamespaceMode::Node);
        Self { pid: is_node(options.pid()), network: is_node(options.network()), ipc: is_node(options.ipc()) }
    }
}

fn is_unknown(status: &Status) -> bool {
    status.code() == Code::NotFound
}

fn refused(status: &Status) -> AskError {
    match status.code() {
        // Larger than what is accepted, or not a message at all.
        Code::OutOfRange | Code::Internal | Code::DataLoss => {
            AskError::Malformed("not what the interface says")
        }
        code => match AskError::of(status) {
            AskError::Forbidden => AskError::Forbidden,
            _ => AskError::Failed(format!("{code}: {}", status.message())),
        },
    }
}

#[cfg(test)]
mod tests;
