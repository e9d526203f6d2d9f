use std::{collections::BTreeMap, path::Path, sync::atomic::Ordering};

use sentinel_event::Place;
use tokio::net::UnixListener;
use tokio_stream::{Stream, StreamExt as _, wrappers::UnixListenerStream};
use tonic::{Request, Response, transport::Server};

use super::{
    super::v1::{
        ContainerMetadata, ContainerStatus, ContainerStatusRequest, ContainerStatusResponse,
        ListContainersRequest, ListContainersResponse, PodSandboxMetadata, PodSandboxStatus,
        PodSandboxStatusRequest, PodSandboxStatusResponse,
        runtime_service_server::{RuntimeService, RuntimeServiceServer},
    },
    *,
};
use crate::{Options, Protocol, Runtimes, Socket, Told};

fn event(id: &str, name: &str) -> ContainerEventResponse {
    let metadata = PodSandboxMetadata { name: "shop-1".into(), uid: "u".into(), namespace: "shop".into() };
    let status = ContainerStatus {
        id: id.into(),
        metadata: Some(ContainerMetadata { name: name.into() }),
        ..Default::default()
    };
    let other = ContainerStatus { id: "other of the pod".into(), ..Default::default() };
    ContainerEventResponse {
        container_id: id.into(),
        pod_sandbox_status: Some(PodSandboxStatus {
            id: "box".into(),
            metadata: Some(metadata),
            ..Default::default()
        }),
        containers_statuses: vec![other, status],
    }
}

/// A runtime whose book has `web` alone, and that tells of these events when it is asked for them, if it offers that.
#[derive(Default)]
struct Fake {
    tells: Option<Vec<ContainerEventResponse>>,
}

#[tonic::async_trait]
impl RuntimeService for Fake {
    async fn pod_sandbox_status(
        &self,
        _: Request<PodSandboxStatusRequest>,
    ) -> Result<Response<PodSandboxStatusResponse>, Status> {
        Err(Status::not_found("no such sandbox"))
    }

    async fn list_containers(
        &self,
        _: Request<ListContainersRequest>,
    ) -> Result<Response<ListContainersResponse>, Status> {
        Ok(Response::new(ListContainersResponse::default()))
    }

    async fn container_status(
        &self,
        request: Request<ContainerStatusRequest>,
    ) -> Result<Response<ContainerStatusResponse>, Status> {
        if request.get_ref().container_id != "web" {
            return Err(Status::not_found("no such container"));
        }
        let status = event("web", "as the book says").containers_statuses.pop();
        Ok(Response::new(ContainerStatusResponse { status, info: BTreeMap::new() }))
    }

    type GetContainerEventsStream =
        std::pin::Pin<Box<dyn Stream<Item = Result<ContainerEventResponse, Status>> + Send>>;

    async fn get_container_events(
        &self,
        _: Request<GetEventsRequest>,
    ) -> Result<Response<Self::GetContainerEventsStream>, Status> {
        let Some(events) = &self.tells else { return Err(Status::unimplemented("no events")) };
        // It never ends.
        let told = tokio_stream::iter(events.clone().into_iter().map(Ok)).chain(tokio_stream::pending());
        Ok(Response::new(Box::pin(told)))
    }
}

/// Asks for a container until there is an answer that knows it, and for one that nobody knows.
fn ask(fake: Fake, id: &'static str) -> Container {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("containerd.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = UnixListenerStream::new(UnixListener::bind(&path).unwrap());
        let server = Server::builder().add_service(RuntimeServiceServer::new(fake));
        tokio::spawn(server.serve_with_incoming(listener));
        timeout(Duration::from_secs(30), found(&path, id)).await.unwrap()
    })
}

async fn found(path: &Path, id: &str) -> Container {
    let socket = Socket { path: path.into(), protocol: Protocol::Containerd, chosen: true };
    let runtimes =
        Runtimes::start(Options { sockets: vec![socket], timeout: Duration::from_secs(10) }).unwrap();
    let runtime = Some(Runtime::Containerd);
    let place = |id: &str| Place { container: Some(id.into()), runtime, ..Place::default() };
    assert!(runtimes.ask(&place("nobody's")) && runtimes.ask(&place(id)));
    let (mut nobody, mut found) = (false, None);
    loop {
        match runtimes.answer() {
            Some(Told { id, found }) if &*id == "nobody's" => {
                assert!(found.is_none());
                nobody = true;
            }
            // It may have been asked before the stream was there.
            Some(Told { found: None, .. }) => drop(runtimes.ask(&place(id))),
            Some(told) => found = told.found,
            None => sleep(Duration::from_millis(10)).await,
        }
        if let (true, Some(found)) = (nobody, &found) {
            return Container::clone(found);
        }
    }
}

#[test]
fn a_container_that_left_the_book_is_what_was_told_of_it() {
    let tells = Some(vec![event("short", "lived"), event("later", "x")]);
    let found = ask(Fake { tells }, "short");
    assert_eq!((&*found.id, &*found.name, found.privileged), ("short", "lived", None));
    assert_eq!(&*found.pod.unwrap().namespace, "shop");
}

#[test]
fn the_book_comes_before_what_was_told() {
    let tells = Some(vec![event("web", "as was told")]);
    assert_eq!(ask(Fake { tells }, "web").name, "as the book says");
}

#[test]
fn a_runtime_without_a_stream_is_asked_as_ever() {
    assert_eq!(ask(Fake::default(), "web").name, "as the book says");
}

#[test]
fn only_the_newest_are_kept_of_bounded_size() {
    let (news, meter) = (News::default(), Meter::default());
    for number in 0..1000 {
        news.keep(event(&number.to_string(), "a"), Runtime::CriO, &meter);
        // The same again takes no room.
        news.keep(event(&number.to_string(), "b"), Runtime::CriO, &meter);
    }
    let last = 1000 - KEPT;
    assert!(news.of(None, &(last - 1).to_string()).is_none());
    assert_eq!(news.of(Some(Runtime::CriO), &last.to_string()).unwrap().name, "b");
    assert!(news.of(Some(Runtime::Containerd), &last.to_string()).is_none(), "another runtime's");
    assert_eq!(meter.runtime_events_evicted.load(Ordering::Relaxed), u64::try_from(last).unwrap());
    let many_labels = || (0..=KEPT_PARTS).map(|n| (n.to_string(), String::new())).collect();
    let mut labelled = event("labelled", "a");
    labelled.containers_statuses[1].labels = many_labels();
    let mut of_pod = event("of pod", "a");
    of_pod.pod_sandbox_status.as_mut().unwrap().labels = many_labels();
    let large = event("large", &"x".repeat(KEPT_BYTES));
    for refused in [labelled, of_pod, large, ContainerEventResponse::default()] {
        let id = refused.container_id.clone();
        news.keep(refused, Runtime::CriO, &meter);
        assert!(news.of(None, &id).is_none(), "{id}");
    }
}

#[test]
fn a_sandbox_is_told_of_too() {
    let (news, meter) = (News::default(), Meter::default());
    let told = ContainerEventResponse { container_id: "box".into(), ..event("web", "a") };
    news.keep(told, Runtime::CriO, &meter);
    let found = news.of(None, "box").unwrap();
    assert!(found.is_sandbox && found.name == "shop-1");
}
