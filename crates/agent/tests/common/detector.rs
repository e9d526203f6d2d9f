//! A detector that remembers.
#![allow(dead_code)] // each test file uses a part

use std::{
    net::TcpListener,
    pin::Pin,
    sync::{Arc, Mutex},
    thread,
};

use sentinel_wire::v1::{
    AlertBatch, AnomalyReport, BatchAck, DetectionResponse, EventBatch, EventEnvelope, NodeStatus,
    detector_service_server::{DetectorService, DetectorServiceServer},
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::{
    Stream, StreamExt as _,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status, Streaming, transport::Server};

type Names = Arc<Mutex<Vec<String>>>;

/// Names of what the files of events are called, in the order of arrival. `/mute` gets no answer from an old one.
struct Service {
    names: Names,
    /// What the hub was told, a line each.
    told: Names,
    old: bool,
}

impl Service {
    fn judge(names: &Names, event: &EventEnvelope) -> DetectionResponse {
        let name = event.data["filename"].clone();
        let anomaly = name == "/anomaly";
        names.lock().unwrap().push(name);
        DetectionResponse {
            event_id: event.event_id.clone(),
            anomaly,
            reason: "told so".into(),
            score: 0.75,
            ts: None,
        }
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl DetectorService for Service {
    type StreamEventsStream = Answers<DetectionResponse>;
    type PushEventsStream = Answers<BatchAck>;

    async fn stream_events(
        &self,
        events: Request<Streaming<EventEnvelope>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let names = Arc::clone(&self.names);
        let answers = events.into_inner().filter_map(move |event| {
            let answer = event.map(|event| Self::judge(&names, &event));
            let mute = names.lock().unwrap().last().is_some_and(|name| name == "/mute");
            (!mute || answer.is_err()).then_some(answer)
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn push_events(
        &self,
        batches: Request<Streaming<EventBatch>>,
    ) -> Result<Response<Self::PushEventsStream>, Status> {
        if self.old {
            return Err(Status::unimplemented("an old one"));
        }
        let names = Arc::clone(&self.names);
        let (sender, receiver) = mpsc::channel(8);
        let mut batches = batches.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(batch)) = batches.message().await {
                let answers = batch.events.iter().map(|event| Service::judge(&names, event));
                let anomalies = answers.filter(|answer| answer.anomaly).collect();
                if sender.send(Ok(BatchAck { sequence: batch.sequence, anomalies })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn report_anomaly(&self, report: Request<AnomalyReport>) -> Result<Response<()>, Status> {
        let report = report.into_inner();
        self.told.lock().unwrap().push(format!("anomaly {} {}", report.labels["rule_id"], report.score));
        Ok(Response::new(()))
    }

    async fn push_alerts(&self, batch: Request<AlertBatch>) -> Result<Response<()>, Status> {
        if self.old {
            return Err(Status::unimplemented("an old one"));
        }
        let alerts = batch.into_inner().alerts;
        let lines = alerts.iter().map(|alert| format!("alert {} {}", alert.rule_id, alert.risk_score));
        self.told.lock().unwrap().extend(lines);
        Ok(Response::new(()))
    }

    async fn report_status(&self, status: Request<NodeStatus>) -> Result<Response<()>, Status> {
        if self.old {
            return Err(Status::unimplemented("an old one"));
        }
        let rules = status.into_inner().rules.unwrap_or_default();
        self.told.lock().unwrap().push(format!("status of rules {}", rules.generation));
        Ok(Response::new(()))
    }
}

/// A running one.
pub(crate) struct Detector {
    pub(crate) port: u16,
    names: Names,
    told: Names,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Detector {
    /// At this port, or at any; of the old contract, or of ours.
    pub(crate) fn start(port: u16, old: bool) -> Self {
        let (names, told) = (Names::default(), Names::default());
        let service = Service { names: Arc::clone(&names), told: Arc::clone(&told), old };
        let service = DetectorServiceServer::new(service);
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
                sender.send(listener.local_addr().unwrap().port()).unwrap();
                let served = Server::builder()
                    .add_service(service)
                    .serve_with_incoming(TcpListenerStream::new(listener));
                // Hard: connections break.
                tokio::select! { _ = served => {}, _ = stopped => {} }
            });
        });
        Self { port: receiver.recv().unwrap(), names, told, stop, thread }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn stop(self) {
        self.end();
    }

    /// As [`Self::stop`]; what it had got by then.
    pub(crate) fn end(self) -> Vec<String> {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
        let names = self.names.lock().unwrap();
        names.clone()
    }
}

/// A port where nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
