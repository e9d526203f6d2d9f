//! The connection to NATS: publishes batches, by workload, and tells which the stream has.

use std::{io, sync::mpsc as std_mpsc, thread};

use async_nats::jetstream::message::PublishMessage;
use sentinel_sink::{Backoff, Bus, Connected, PARTITIONS};
use sentinel_wire::{Batch, v1::BatchAck};
use tokio::{runtime, sync::mpsc, task::JoinSet, time::sleep};

use super::link::{BATCHES, Link, Said, Stream, WAITS};
use crate::{AgentError, config::Nats};

/// Bytes of a message, at most; servers refuse more than 1 MiB unless they are told otherwise.
const MESSAGE: usize = 512 << 10;
/// Batches that are published and not acknowledged.
const AHEAD: usize = 128;

/// Starts the thread that connects, speaks, and connects anew.
pub(super) fn start(config: &Nats) -> Result<Link, AgentError> {
    let failed = |source| AgentError::System { what: "starting the connection to NATS", source };
    let bus = config.bus();
    if let Some(tls) = &bus.tls {
        // Wrong certificates are wrong at the start, too.
        tls.client("nats.tls").map_err(|error| failed(io::Error::other(error)))?;
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (sender, said) = std_mpsc::channel();
    let work = move || runtime.block_on(speak(&bus, &sender));
    thread::Builder::new().name("nats-link".into()).spawn(work).map_err(failed)?;
    Ok(Link { said })
}

/// The books are closed.
struct Over;

async fn speak(bus: &Bus, to: &std_mpsc::Sender<Said>) {
    let mut backoff = Backoff::new(WAITS.0, WAITS.1);
    loop {
        let reason = match session(bus, to, &mut backoff).await {
            Ok(reason) => reason,
            Err(Over) => return,
        };
        if to.send(Said::Away(reason)).is_err() {
            return;
        }
        sleep(backoff.wait()).await;
    }
}

/// One connection, from beginning to end; why it ended.
async fn session(bus: &Bus, to: &std_mpsc::Sender<Said>, backoff: &mut Backoff) -> Result<String, Over> {
    let mut connected = match bus.connect("sentinel-agent").await {
        Ok(connected) => connected,
        Err(error) => return Ok(error.to_string()),
    };
    let (sender, mut batches) = mpsc::channel::<Batch>(BATCHES);
    to.send(Said::Up(Stream::Batched(sender))).map_err(|_| Over)?;
    let mut stored = JoinSet::new();
    let mut gone = connected.gone.clone();
    loop {
        tokio::select! {
            // Whoever says so lives as long as the connection does.
            _ = gone.changed() => return Ok("the connection is lost".into()),
            Some(ended) = stored.join_next() => {
                let Ok(ended): Result<Result<u64, String>, _> = ended else { return Ok("a publication was cut off".into()) };
                match ended {
                    Ok(sequence) => {
                        backoff.reset();
                        to.send(Said::Acknowledged(BatchAck { sequence, anomalies: Vec::new() })).map_err(|_| Over)?;
                    }
                    Err(reason) => return Ok(reason),
                }
            }
            batch = batches.recv(), if stored.len() < AHEAD => {
                let Some(batch) = batch else { return Err(Over) };
                if let Err(reason) = publish(bus, &mut connected, batch, &mut stored).await {
                    return Ok(reason);
                }
            }
        }
    }
}

/// Publishes a batch; whoever waits for its acknowledgements is added to `stored`.
async fn publish(
    bus: &Bus,
    connected: &mut Connected,
    Batch { sequence, events }: Batch,
    stored: &mut JoinSet<Result<u64, String>>,
) -> Result<(), String> {
    let mut waiting = Vec::new();
    for part in sentinel_wire::parts(&events, PARTITIONS, MESSAGE) {
        let message = PublishMessage::build().message_id(&part.id).payload(part.events.into());
        let sent = connected.context.send_publish(bus.subject(part.partition), message).await;
        waiting.push(sent.map_err(|error| error.to_string())?);
    }
    stored.spawn(async move {
        for acknowledgement in waiting {
            acknowledgement.await.map_err(|error| format!("the stream takes no more: {error}"))?;
        }
        Ok(sequence)
    });
    Ok(())
}
