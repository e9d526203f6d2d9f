//! What a runtime tells by itself: its stream of containers' events, where it offers one.
//!
//! A container that is not in the runtime's book yet is asked for again as soon as it is told of, and one that has gone
//! from the book before it could be asked for is what was told of it. Whole answers come first: what is told does not
//! say whether a container is privileged.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prost::Message as _;
use sentinel_event::{Container, Runtime};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tonic::Status;

use super::{
    Cri, container, sandbox,
    v1::{ContainerEventResponse, GetEventsRequest},
};
use crate::meter::{Meter, count};

/// Bytes of one event, which tells of all containers of a pod.
const EVENT_MAX: usize = 1 << 20;
/// Containers that are remembered, the newest.
const KEPT: usize = 256;
/// What is remembered of one container and its pod, in bytes, and in labels and mounts together.
const KEPT_BYTES: usize = 64 << 10;
const KEPT_PARTS: usize = 256;
/// So many events are taken at once, and then none for a while: some 1,000 a second.
const AT_ONCE: u32 = 64;
const REST: Duration = Duration::from_millis(50);

/// The containers that were told of last.
#[derive(Debug, Default)]
pub(crate) struct News {
    kept: Mutex<VecDeque<Container>>,
    told: watch::Sender<()>,
}

impl News {
    /// What was told of a container, as soon as that is so; none when it is not within `longest`.
    pub(crate) async fn wait(
        &self,
        runtime: Option<Runtime>,
        id: &str,
        longest: Duration,
    ) -> Option<Container> {
        let mut changes = self.told.subscribe();
        let found = async {
            loop {
                if let Some(found) = self.of(runtime, id) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    pending::<()>().await;
                }
            }
        };
        timeout(longest, found).await.ok()
    }

    fn of(&self, runtime: Option<Runtime>, id: &str) -> Option<Container> {
        let is_it = |one: &&Container| one.id == id && (runtime.is_none() || runtime == one.runtime);
        self.lock().iter().find(is_it).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Container>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, event: ContainerEventResponse, runtime: Runtime, meter: &Meter) {
        let Some(found) = described(event, runtime) else { return };
        let mut kept = self.lock();
        kept.retain(|one| one.id != found.id || one.runtime != found.runtime);
        if kept.len() >= KEPT {
            kept.pop_front();
            count(&meter.runtime_events_evicted);
        }
        kept.push_back(found);
        drop(kept);
        self.told.send_replace(());
    }
}

/// The container that the event is about. None when there is no word of it, or too many.
fn described(event: ContainerEventResponse, runtime: Runtime) -> Option<Container> {
    let ContainerEventResponse { container_id: id, pod_sandbox_status: pod, containers_statuses } = event;
    let (bytes, labels) = pod.as_ref().map_or((0, 0), |pod| (pod.encoded_len(), pod.labels.len()));
    let fits = |more: usize, parts: usize| bytes + more <= KEPT_BYTES && labels + parts <= KEPT_PARTS;
    if id.is_empty() || !fits(0, 0) {
        return None;
    }
    match containers_statuses.into_iter().find(|status| status.id == id) {
        Some(status) => fits(status.encoded_len(), status.labels.len() + status.mounts.len())
            .then(|| container(status, None, pod, runtime)),
        None => pod.filter(|pod| pod.id == id).map(|pod| sandbox(pod, runtime)),
    }
}

impl Cri {
    /// Keeps what the runtime tells, until it tells no more.
    ///
    /// # Errors
    /// When the runtime does not offer it, or breaks off.
    pub(crate) async fn hear(&self, runtime: Runtime, news: &News, meter: &Meter) -> Result<(), Status> {
        let mut client = self.0.clone().max_decoding_message_size(EVENT_MAX);
        let mut events = client.get_container_events(GetEventsRequest {}).await?.into_inner();
        let mut taken = 0_u32;
        while let Some(event) = events.message().await? {
            count(&meter.runtime_events);
            news.keep(event, runtime, meter);
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(AT_ONCE) {
                sleep(REST).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
