//! A detector of the old contract that remembers which events it was asked about.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex},
    thread,
};

use sentinel_wire::v1::{
    AlertBatch, AnomalyReport, BatchAck, DetectionResponse, EventBatch, EventEnvelope, NodeStatus,
    detector_service_server::{DetectorService, DetectorServiceServer},
};
use tokio_stream::{Stream, StreamExt as _, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};

/// What came.
#[derive(Debug, Default)]
struct Heard {
    /// Numbers that files are called.
    files: HashSet<usize>,
    again: usize,
    /// Of reported losses: how many events, by the report's id.
    lost: HashMap<String, usize>,
}

impl Heard {
    fn hear(&mut self, event: &EventEnvelope) {
        if event.event_type == "loss" {
            let count = event.data["count"].parse().unwrap();
            self.lost.insert(event.event_id.clone(), count);
        } else {
            let number = event.data["filename"].trim_start_matches('/').parse().unwrap();
            if !self.files.insert(number) {
                self.again += 1;
            }
        }
    }
}

#[derive(Debug)]
#[allow(dead_code)] // told when a test fails
pub(crate) struct Account {
    pub(crate) arrived: usize,
    pub(crate) again: usize,
    pub(crate) missing: usize,
    pub(crate) lost: usize,
}

impl Account {
    /// Events of which one knows what became of them; with a report that came twice, no more than there were.
    #[allow(dead_code)] // not every test does
    pub(crate) fn accounted(&self) -> usize {
        self.arrived + self.lost.min(self.missing)
    }
}

pub(crate) struct Recorder {
    pub(crate) port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let service = DetectorServiceServer::new(Service(Arc::clone(&heard)));
        let (sender, port) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap().port()).unwrap();
                let incoming = TcpListenerStream::new(listener);
                Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
            });
        });
        Self { port: port.recv().unwrap(), heard }
    }

    /// Events that came, each once.
    #[allow(dead_code)] // not every test does
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().files.len()
    }

    /// Whether this event came.
    #[allow(dead_code)] // not every test does
    pub(crate) fn knows(&self, number: usize) -> bool {
        self.heard.lock().unwrap().files.contains(&number)
    }

    /// Of so many events.
    #[allow(dead_code)] // not every test does
    pub(crate) fn account(&self, produced: usize) -> Account {
        let heard = self.heard.lock().unwrap();
        let arrived = heard.files.len();
        assert!(heard.files.iter().all(|number| *number < produced));
        Account { arrived, again: heard.again, missing: produced - arrived, lost: heard.lost.values().sum() }
    }
}

struct Service(Arc<Mutex<Heard>>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl DetectorService for Service {
    type StreamEventsStream = Answers<DetectionResponse>;
    type PushEventsStream = Answers<BatchAck>;

    async fn stream_events(
        &self,
        events: Request<Streaming<EventEnvelope>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let heard = Arc::clone(&self.0);
        let answers = events.into_inner().map(move |event| {
            let event = event?;
            heard.lock().unwrap().hear(&event);
            Ok(DetectionResponse { event_id: event.event_id, ..DetectionResponse::default() })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn push_events(
        &self,
        _: Request<Streaming<EventBatch>>,
    ) -> Result<Response<Self::PushEventsStream>, Status> {
        Err(Status::unimplemented("an old one"))
    }

    async fn report_anomaly(&self, _: Request<AnomalyReport>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("an old one"))
    }

    async fn push_alerts(&self, _: Request<AlertBatch>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("an old one"))
    }

    async fn report_status(&self, _: Request<NodeStatus>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented("an old one"))
    }
}
