//! One subject: its messages are fetched, judged, and acknowledged once what is kept of them is safe.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, PullConsumer, pull},
};
use sentinel_sink::{Bus, Connected};
use sentinel_wire::Events;
use tokio::{sync::watch, task::JoinSet};
use tokio_stream::StreamExt as _;
use tracing::warn;

use super::told;
use crate::{
    hub::Refused,
    intake::{Intake, Judged},
};

/// How long the server keeps a request that finds nothing: so long a subject's former owner may still be given messages.
const EXPIRES: Duration = Duration::from_secs(2);
/// A message that is not acknowledged after so long is given to somebody again.
const ACK_WAIT: Duration = Duration::from_secs(15);
/// Messages and bytes that are fetched at once. Of all subjects together, 32 times as much is in memory.
const FETCH: (usize, usize) = (32, 1 << 20);
/// What was refused comes again after so long.
const AGAIN: Duration = Duration::from_secs(1);
/// How long what is being judged may take at the end.
pub(super) const LAST: Duration = Duration::from_secs(3);

/// The work on one subject.
pub(super) struct Fetch {
    pub(super) subject: u32,
    pub(super) bus: Bus,
    pub(super) connected: Connected,
    pub(super) intake: Arc<Intake>,
    pub(super) ours: watch::Receiver<HashSet<u32>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Fetch {
    /// Runs until it is told to stop, or the connection fails.
    pub(super) async fn run(mut self) -> Result<(), String> {
        let mut consumer = None::<PullConsumer>;
        let mut gone = self.connected.gone.clone();
        loop {
            let subject = self.subject;
            tokio::select! {
                () = told(&mut self.stop) => return Ok(()),
                () = told(&mut gone) => return Err("the connection is lost".into()),
                there = given(&mut self.ours, subject) => {
                    // The session has ended.
                    if !there { return Ok(()) }
                }
            }
            let consumer = match &consumer {
                Some(consumer) => consumer,
                None => consumer.insert(self.consumer().await?),
            };
            let mut fetched = {
                let request = consumer.batch().max_messages(FETCH.0).max_bytes(FETCH.1).expires(EXPIRES);
                request.messages().await.map_err(|error| error.to_string())?
            };
            // Each is acknowledged as soon as it is safe, in whatever order.
            let mut waiting = JoinSet::new();
            loop {
                let message = tokio::select! {
                    () = told(&mut self.stop) => break,
                    () = told(&mut gone) => return Err("the connection is lost".into()),
                    Some(ended) = waiting.join_next() => {
                        ended.map_err(|_| "an acknowledgement was cut off".to_owned())??;
                        continue;
                    }
                    message = fetched.next() => message,
                };
                match message {
                    Some(Ok(message)) => {
                        if let Some((message, judged)) = self.judge(message).await? {
                            waiting.spawn(acknowledge(message, judged, Arc::clone(&self.intake)));
                        }
                    }
                    Some(Err(error)) => return Err(error.to_string()),
                    None => break,
                }
            }
            while let Some(ended) = waiting.join_next().await {
                ended.map_err(|_| "an acknowledgement was cut off".to_owned())??;
            }
        }
    }

    async fn consumer(&self) -> Result<PullConsumer, String> {
        let name = format!("detectors-{}", self.subject);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            description: Some("Sentinel's detectors".into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            filter_subject: self.bus.subject(self.subject),
            ..pull::Config::default()
        };
        let consumer = self.connected.stream.get_or_create_consumer(&name, config).await;
        consumer.map_err(|error| format!("consumer {name}: {error}"))
    }

    /// Judges the events of a message. None when it is dealt with already.
    async fn judge(&self, message: Message) -> Result<Option<(Message, Judged)>, String> {
        if message.info().is_ok_and(|info| info.delivered > 1) {
            self.intake.meters.bus_redelivered.add(1);
        }
        let Ok(events) = Events::of_batch(message.payload.clone()) else {
            self.intake.meters.bus_malformed.add(1);
            // It would be malformed the next time, too.
            return message.ack_with(AckKind::Term).await.map(|()| None).map_err(|error| error.to_string());
        };
        match self.intake.events(&events).await {
            Ok(judged) => Ok(Some((message, judged))),
            Err(refused) => refuse(&message, &refused).await.map(|()| None),
        }
    }
}

/// Waits until the subject is ours; false when it never will be.
async fn given(ours: &mut watch::Receiver<HashSet<u32>>, subject: u32) -> bool {
    ours.wait_for(|ours| ours.contains(&subject)).await.is_ok()
}

async fn acknowledge(message: Message, mut judged: Judged, intake: Arc<Intake>) -> Result<(), String> {
    if let Err(refused) = judged.safe().await {
        return refuse(&message, &refused).await;
    }
    intake.meters.bus_messages.add(1);
    message.ack().await.map_err(|error| error.to_string())
}

async fn refuse(message: &Message, refused: &Refused) -> Result<(), String> {
    warn!(%refused, "Events from NATS cannot be kept; they come again.");
    message.ack_with(AckKind::Nak(Some(AGAIN))).await.map_err(|error| error.to_string())
}
