//! The calls of `sentinel.v1.DetectorService`.

use std::sync::Arc;

use sentinel_wire::{
    raw::{EventBatch, detector_service_server::DetectorService},
    v1::{AlertBatch, AnomalyReport, BatchAck, DetectionResponse, EventEnvelope, NodeStatus},
};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::streams;
use crate::{hub::Refused, intake::Intake};

/// Batches of a stream that are judged and wait for the disk: nearly twice what one transaction takes of an agent's
/// ([`crate::hub`]), so that there is something to judge while the disk is written. Acknowledgements come in order.
const AHEAD: usize = 112;
/// Answers of a stream that wait for their reader.
const ANSWERS: usize = 512;

/// The calls, answered by the intake.
pub(super) struct Service {
    intake: Arc<Intake>,
    stop: watch::Receiver<bool>,
}

impl Service {
    pub(super) fn new(intake: Arc<Intake>, stop: watch::Receiver<bool>) -> Self {
        Self { intake, stop }
    }
}

#[tonic::async_trait]
impl DetectorService for Service {
    type StreamEventsStream = ReceiverStream<Result<DetectionResponse, Status>>;
    type PushEventsStream = ReceiverStream<Result<BatchAck, Status>>;

    async fn stream_events(
        &self,
        request: Request<Streaming<EventEnvelope>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let (answers, stream) = mpsc::channel(ANSWERS);
        let (intake, stop) = (Arc::clone(&self.intake), self.stop.clone());
        tokio::spawn(streams::one_by_one(request.into_inner(), intake, answers, stop));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn push_events(
        &self,
        request: Request<Streaming<EventBatch>>,
    ) -> Result<Response<Self::PushEventsStream>, Status> {
        let (answers, stream) = mpsc::channel(AHEAD);
        let (judged, waiting) = mpsc::channel(AHEAD);
        let (intake, stop) = (Arc::clone(&self.intake), self.stop.clone());
        tokio::spawn(streams::judge(request.into_inner(), Arc::clone(&intake), judged, stop));
        tokio::spawn(streams::acknowledge(waiting, intake, answers));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn push_alerts(&self, request: Request<AlertBatch>) -> Result<Response<()>, Status> {
        self.intake.alerts(request.into_inner().alerts).await.map(Response::new).map_err(refused)
    }

    async fn report_anomaly(&self, request: Request<AnomalyReport>) -> Result<Response<()>, Status> {
        self.intake.report(request.get_ref()).await.map(Response::new).map_err(refused)
    }

    async fn report_status(&self, request: Request<NodeStatus>) -> Result<Response<()>, Status> {
        if !self.intake.nodes.report(request.into_inner()) {
            return Err(Status::invalid_argument("expected a hostname of 1 to 512 bytes"));
        }
        self.intake.meters.reports.add(1);
        Ok(Response::new(()))
    }
}

/// What was not taken is to be sent again.
pub(super) fn refused(refused: Refused) -> Status {
    Status::unavailable(refused.0)
}
