//! The two streams of events.

use std::sync::Arc;

use sentinel_wire::{
    Events, Malformed,
    raw::EventBatch,
    v1::{BatchAck, DetectionResponse, EventEnvelope},
};
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use super::service::refused;
use crate::intake::{Intake, Judged, response};

/// Events of `StreamEvents` that are judged together, when they are there already.
const TOGETHER: usize = 256;

type Answers<T> = mpsc::Sender<Result<T, Status>>;

/// Waits for the next message; none when the stream has ended, has failed, or we stop. A message that is too
/// large or makes no sense fails its own call; the connection and its other calls go on.
async fn next<T>(stream: &mut Streaming<T>, stop: &mut watch::Receiver<bool>) -> Result<Option<T>, Status> {
    tokio::select! {
        message = stream.message() => message,
        _ = stop.wait_for(|stop| *stop) => Err(Status::unavailable("the detector is stopping")),
    }
}

/// `StreamEvents`: an answer for each event.
pub(super) async fn one_by_one(
    mut stream: Streaming<EventEnvelope>,
    intake: Arc<Intake>,
    answers: Answers<DetectionResponse>,
    mut stop: watch::Receiver<bool>,
) {
    let mut ended = None;
    while ended.is_none() {
        let mut events = Vec::new();
        match next(&mut stream, &mut stop).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return,
            Err(status) => ended = Some(status),
        }
        while ended.is_none() && events.len() < TOGETHER {
            tokio::select! {
                biased;
                message = stream.message() => match message {
                    Ok(Some(event)) => events.push(event),
                    Ok(None) => break,
                    Err(status) => ended = Some(status),
                },
                () = std::future::ready(()) => break,
            }
        }
        if !events.is_empty()
            && let Err(status) = answer(events, &intake, &answers).await
        {
            ended = Some(status);
        }
    }
    if let Some(status) = ended {
        // Who has gone need not know.
        let _ = answers.send(Err(status)).await;
    }
}

async fn answer(
    events: Vec<EventEnvelope>,
    intake: &Arc<Intake>,
    answers: &Answers<DetectionResponse>,
) -> Result<(), Status> {
    let events = Events::of(&events);
    let mut judged = intake.events(&events).await.map_err(refused)?;
    judged.safe().await.map_err(refused)?;
    let mut found = std::mem::take(&mut judged.answers);
    for (place, event) in events.iter().enumerate() {
        let answer = found.remove(&place).unwrap_or_else(|| response(event.event_id(), None));
        answers.send(Ok(answer)).await.map_err(|_| Status::cancelled("the client has gone"))?;
    }
    Ok(())
}

/// A batch on its way to be acknowledged, or why the call ends.
pub(super) type Step = Result<(u64, Judged), Status>;

/// `PushEvents`, first half: judges batches in their order and hands them on to be acknowledged.
pub(super) async fn judge(
    mut stream: Streaming<EventBatch>,
    intake: Arc<Intake>,
    judged: mpsc::Sender<Step>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let step = match next(&mut stream, &mut stop).await {
            Ok(None) => return,
            Ok(Some(batch)) => take(batch, &intake).await,
            Err(status) => Err(status),
        };
        let failed = step.is_err();
        if judged.send(step).await.is_err() || failed {
            return;
        }
    }
}

async fn take(batch: EventBatch, intake: &Arc<Intake>) -> Step {
    // As the decoder of a whole message would say it.
    let events =
        Events::read(batch.events).map_err(|error: Malformed| Status::internal(error.to_string()))?;
    let judged = intake.events(&events).await.map_err(refused)?;
    Ok((batch.sequence, judged))
}

/// `PushEvents`, second half: acknowledges each batch when it is safe. After a refusal nothing that follows is
/// acknowledged: a sender may rely on the order.
pub(super) async fn acknowledge(
    mut waiting: mpsc::Receiver<Step>,
    intake: Arc<Intake>,
    answers: Answers<BatchAck>,
) {
    while let Some(step) = waiting.recv().await {
        let answer = match step {
            Ok((sequence, mut batch)) => batch.safe().await.map_err(refused).map(|()| {
                intake.meters.batches.add(1);
                BatchAck { sequence, anomalies: std::mem::take(&mut batch.answers).into_values().collect() }
            }),
            Err(status) => Err(status),
        };
        let failed = answer.is_err();
        if answers.send(answer).await.is_err() || failed {
            return;
        }
    }
}
