use std::{collections::BTreeMap, time::Duration};

use sentinel_event::Runtime;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::{
    v1::{
        Container as Listed, ContainerEventResponse, ContainerMetadata, ContainerStatusResponse,
        GetEventsRequest, ImageSpec, LinuxPodSandboxStatus, ListContainersResponse, Mount, Namespace,
        NamespaceOption, PodSandboxMetadata, PodSandboxNetworkStatus, PodSandboxStatusResponse,
        runtime_service_server::{RuntimeService, RuntimeServiceServer},
    },
    *,
};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A runtime with one container, `web`, in one sandbox, `box`. `silent` ones say nothing when asked to be verbose.
struct Fake {
    silent: bool,
    large: bool,
}

#[tonic::async_trait]
impl RuntimeService for Fake {
    async fn pod_sandbox_status(
        &self,
        request: Request<PodSandboxStatusRequest>,
    ) -> Result<Response<PodSandboxStatusResponse>, Status> {
        if request.get_ref().pod_sandbox_id != "box" {
            return Err(Status::not_found("no such sandbox"));
        }
        let options = NamespaceOption {
            network: NamespaceMode::Node.into(),
            pid: NamespaceMode::Container.into(),
            ..Default::default()
        };
        let status = PodSandboxStatus {
            id: "box".into(),
            metadata: Some(PodSandboxMetadata {
                name: "shop-1".into(),
                uid: "uid-1".into(),
                namespace: "shop".into(),
            }),
            network: Some(PodSandboxNetworkStatus { ip: "10.0.0.7".into() }),
            linux: Some(LinuxPodSandboxStatus { namespaces: Some(Namespace { options: Some(options) }) }),
            labels: BTreeMap::from([("app".into(), "shop".into())]),
            ..Default::default()
        };
        Ok(Response::new(PodSandboxStatusResponse { status: Some(status) }))
    }

    type GetContainerEventsStream = tokio_stream::Empty<Result<ContainerEventResponse, Status>>;

    async fn get_container_events(
        &self,
        _: Request<GetEventsRequest>,
    ) -> Result<Response<Self::GetContainerEventsStream>, Status> {
        Err(Status::unimplemented("this runtime does not offer it"))
    }

    async fn list_containers(
        &self,
        request: Request<ListContainersRequest>,
    ) -> Result<Response<ListContainersResponse>, Status> {
        let id = request.into_inner().filter.unwrap_or_default().id;
        let containers = vec![Listed { id, pod_sandbox_id: "box".into() }];
        Ok(Response::new(ListContainersResponse { containers }))
    }

    async fn container_status(
        &self,
        request: Request<ContainerStatusRequest>,
    ) -> Result<Response<ContainerStatusResponse>, Status> {
        if request.get_ref().container_id != "web" {
            return Err(Status::not_found("no such container"));
        }
        let mount = Mount {
            container_path: "/data".into(),
            host_path: "/srv".into(),
            readonly: true,
            propagation: MountPropagation::PropagationHostToContainer.into(),
        };
        let status = ContainerStatus {
            id: "web".into(),
            metadata: Some(ContainerMetadata {
                name: if self.large { "x".repeat(10 << 20) } else { "web".into() },
            }),
            created_at: 5,
            started_at: 7,
            image: Some(ImageSpec { image: "registry.example/web:1".into() }),
            image_ref: format!("registry.example/web@{DIGEST}"),
            labels: BTreeMap::from([("a".into(), "b".into())]),
            mounts: vec![mount],
        };
        let info =
            r#"{"sandboxID":"box","config":{"linux":{"security_context":{"privileged":true}}},"pid":7}"#;
        let info = if self.silent { BTreeMap::new() } else { BTreeMap::from([("info".into(), info.into())]) };
        Ok(Response::new(ContainerStatusResponse { status: Some(status), info }))
    }
}

fn with<T>(fake: Fake, test: impl AsyncFnOnce(Cri) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("containerd.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = UnixListenerStream::new(UnixListener::bind(&path).unwrap());
        let server = Server::builder().add_service(RuntimeServiceServer::new(fake));
        tokio::spawn(server.serve_with_incoming(listener));
        tokio::time::timeout(Duration::from_secs(20), test(Cri::new(&path).unwrap())).await.unwrap()
    })
}

#[test]
fn a_container_is_told_with_its_pod() {
    for silent in [false, true] {
        let asked = |mut cri: Cri| async move { cri.ask(Runtime::Containerd, "web").await.unwrap().unwrap() };
        let found = with(Fake { silent, large: false }, asked);
        assert_eq!((&*found.id, &*found.name, found.started_ns), ("web", "web", Some(7)));
        let image = &found.image;
        assert_eq!((&*image.repository, &*image.tag, &*image.digest), ("registry.example/web", "1", DIGEST));
        assert_eq!(found.privileged, (!silent).then_some(true));
        let mount = &found.mounts[0];
        assert_eq!(
            (&*mount.source, &*mount.destination, mount.writable, &*mount.propagation),
            ("/srv", "/data", false, "rslave")
        );
        assert_eq!(
            [found.host_network, found.host_pid, found.host_ipc],
            [Some(true), Some(false), Some(false)]
        );
        let pod = found.pod.unwrap();
        assert_eq!(
            [&*pod.name, &pod.namespace, &pod.uid, &pod.sandbox, &pod.ip],
            ["shop-1", "shop", "uid-1", "box", "10.0.0.7"]
        );
        assert_eq!(pod.labels, [("app".into(), "shop".into())]);
    }
}

#[test]
fn a_sandbox_is_a_container_of_its_pod_and_others_are_unknown() {
    with(Fake { silent: false, large: false }, async |mut cri| {
        let found = cri.ask(Runtime::CriO, "box").await.unwrap().unwrap();
        assert!(found.is_sandbox);
        assert_eq!((&*found.name, &*found.pod.unwrap().namespace), ("shop-1", "shop"));
        assert!(cri.ask(Runtime::CriO, "other").await.unwrap().is_none());
    });
}

#[test]
fn ten_megabytes_are_refused_and_a_missing_runtime_is_a_failure() {
    with(Fake { silent: false, large: true }, async |mut cri| {
        assert!(matches!(cri.ask(Runtime::CriO, "web").await, Err(AskError::Malformed(_))));
        let mut nobody = Cri::new(Path::new("/nowhere/containerd.sock")).unwrap();
        assert!(matches!(nobody.ask(Runtime::CriO, "web").await, Err(AskError::Failed(_))));
    });
}

#[test]
fn a_socket_that_our_user_may_not_write_to_is_told_with_the_remedy() {
    with(Fake { silent: false, large: false }, async |mut cri| {
        // Rights of this thread alone: as root we may write everywhere.
        nix::unistd::setfsuid(65534.into());
        let error = cri.ask(Runtime::CriO, "web").await.unwrap_err();
        assert!(error.to_string().contains("CAP_DAC_OVERRIDE"), "{error}");
    });
}
