//! The life of the connection: connect, speak, connect anew.

use std::{
    cell::Cell,
    collections::VecDeque,
    pin::pin,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sentinel_wire::{
    Batch,
    rpc::{Answer, Sent, causes, converse, told},
    v1::{BatchAck, DetectionResponse},
};
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use super::{Done, WINDOW};

/// How long a detector may be away before the replay is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Shortest and longest wait before connecting anew.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Messages under way to a detector that takes event by event.
const EVENTS: usize = 16_384;
/// How long a detector without acknowledgements may keep silent at the end.
const SILENCE: Duration = Duration::from_secs(10);

pub(super) struct Session {
    endpoint: Endpoint,
    target: String,
    batches: mpsc::Receiver<(Bytes, usize)>,
    /// Sent and not acknowledged, oldest first: sequence, events, how many.
    window: VecDeque<(u64, Bytes, usize)>,
    sequence: u64,
    /// No more batches come.
    last: bool,
    done: Done,
    /// Since when nothing arrives.
    stuck: Option<Instant>,
}

/// Why a stream ended.
enum Ended {
    /// Everything has arrived.
    Done,
    Broken(Status),
}

impl Session {
    pub(super) fn new(endpoint: Endpoint, target: String, batches: mpsc::Receiver<(Bytes, usize)>) -> Self {
        let window = VecDeque::new();
        Self {
            endpoint,
            target,
            batches,
            window,
            sequence: 0,
            last: false,
            done: Done::default(),
            stuck: None,
        }
    }

    pub(super) async fn run(mut self) -> anyhow::Result<Done> {
        let mut wait = WAITS.0;
        let mut met = false;
        loop {
            let arrived = self.done.arrived;
            let broken = match self.endpoint.connect().await {
                Err(error) if !met => {
                    let why = causes(&error);
                    anyhow::bail!("--target {}: {why}; is sentinel-detector running there?", self.target);
                }
                Err(error) => causes(&error),
                Ok(channel) => {
                    met = true;
                    match self.push(&channel).await {
                        Ended::Done => return Ok(self.done),
                        Ended::Broken(status) if status.code() == Code::Unimplemented => {
                            return self.stream(&channel).await;
                        }
                        Ended::Broken(status) => told(&status),
                    }
                }
            };
            if self.done.arrived > arrived {
                (wait, self.stuck) = (WAITS.0, None);
            }
            if self.stuck.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
                anyhow::bail!(
                    "--target {}: {broken}; {} events have arrived, the rest was not taken",
                    self.target,
                    self.done.arrived
                );
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
        }
    }

    /// Batches with acknowledgements; what is not acknowledged is sent first.
    async fn push(&mut self, channel: &Channel) -> Ended {
        let (sender, mut answers) = open::<BatchAck, Batch>(channel, WINDOW);
        for (sequence, events, _) in &self.window {
            // As many as the window has; there is room for them.
            let _ = sender.try_send(Batch { sequence: *sequence, events: events.clone() });
        }
        loop {
            if self.last && self.window.is_empty() {
                return Ended::Done;
            }
            tokio::select! {
                answer = answers.recv() => match answer {
                    Some(Ok(ack)) => self.acknowledged(&ack),
                    Some(Err(status)) => return Ended::Broken(status),
                    None => return Ended::Broken(Status::unavailable("the detector has ended the stream")),
                },
                batch = self.batches.recv(), if !self.last && self.window.len() < WINDOW => match batch {
                    None => self.last = true,
                    Some((events, count)) => {
                        self.sequence += 1;
                        // A stream that has ended says so above.
                        let batch = Batch { sequence: self.sequence, events: events.clone() };
                        let _ = sender.try_send(batch);
                        self.window.push_back((self.sequence, events, count));
                    }
                },
            }
        }
    }

    fn acknowledged(&mut self, ack: &BatchAck) {
        let Some(at) = self.window.iter().position(|(sequence, ..)| *sequence == ack.sequence) else {
            return;
        };
        let Some((_, _, count)) = self.window.remove(at) else { return };
        self.done.arrived += count as u64;
        self.done.anomalies += ack.anomalies.len() as u64;
    }

    /// Event by event, for detectors that know no batches. Nothing is acknowledged, so a break is the end.
    async fn stream(mut self, channel: &Channel) -> anyhow::Result<Done> {
        let (sender, mut answers) = open::<DetectionResponse, Bytes>(channel, EVENTS);
        let sent = Cell::new(0);
        let first = std::mem::take(&mut self.window).into_iter().map(|(_, events, _)| events).collect();
        let mut feed = pin!(feed(sender, first, self.batches, &sent));
        let (mut fed, mut done) = (false, self.done);
        loop {
            tokio::select! {
                () = &mut feed, if !fed => fed = true,
                answer = answers.recv() => match answer {
                    Some(Ok(answer)) => {
                        done.arrived += 1;
                        done.anomalies += u64::from(answer.anomaly);
                    }
                    None if fed => break,
                    Some(Err(_)) if fed && done.arrived >= sent.get() => break,
                    broken => {
                        let status = broken.and_then(Result::err);
                        let why = status.map_or("it has ended the stream".into(), |status| told(&status));
                        let (target, answered, sent) = (self.target, done.arrived, sent.get());
                        anyhow::bail!("--target {target}: {why}; {answered} of {sent} events were answered");
                    }
                },
                () = sleep(SILENCE), if fed => break,
            }
        }
        done.unanswered = sent.get().saturating_sub(done.arrived);
        Ok(done)
    }
}

/// Sends what is waiting, then what comes, event by event.
async fn feed(
    sender: mpsc::Sender<Bytes>,
    first: VecDeque<Bytes>,
    mut batches: mpsc::Receiver<(Bytes, usize)>,
    sent: &Cell<u64>,
) {
    let mut waiting = first;
    loop {
        let Some(events) = waiting.pop_front() else {
            match batches.recv().await {
                Some((events, _)) => waiting.push_back(events),
                None => return,
            }
            continue;
        };
        for event in sentinel_wire::batch_events(&events) {
            if sender.send(events.slice_ref(event)).await.is_err() {
                return;
            }
            sent.set(sent.get() + 1);
        }
    }
}

/// Begins a call: the way to speak, and what is answered.
fn open<T: Answer, M: Into<Sent> + Send + 'static>(
    channel: &Channel,
    room: usize,
) -> (mpsc::Sender<M>, mpsc::Receiver<Result<T, Status>>) {
    let (sender, messages) = mpsc::channel(room);
    let (to, answers) = mpsc::channel(room);
    let channel = channel.clone();
    tokio::spawn(async move {
        let mut stream = match converse::<T, _, _, _>(channel, ReceiverStream::new(messages)).await {
            Ok(stream) => stream,
            Err(status) => return drop(to.send(Err(status)).await),
        };
        while let Some(answer) = stream.message().await.transpose() {
            let failed = answer.is_err();
            if to.send(answer).await.is_err() || failed {
                return;
            }
        }
    });
    (sender, answers)
}
