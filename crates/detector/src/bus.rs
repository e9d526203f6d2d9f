//! Events from NATS. The detectors of one stream are a group: each takes some of its subjects, so that a workload's events
//! meet the same detector, and the others take them over when it ends.
//!
//! Who is there is told every second by word of mouth, on a subject that nobody keeps. Whose a subject is, everybody
//! computes for himself: it is the detector's whose identity and number of the subject together have the greatest hash.
//! While two disagree, both fetch; no message is given to both, since the subject's consumer is one, kept by the server.

mod fetch;

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, BuildHasherDefault},
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHasher;
use sentinel_sink::{Backoff, Bus, Connected, PARTITIONS};
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{interval, sleep},
};
use tokio_stream::StreamExt as _;
use tracing::{info, warn};

use crate::{intake::Intake, meters::Meter};

/// How often a detector says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// A detector that was silent for so long has gone.
const SILENCE: Duration = Duration::from_secs(4);
/// Detectors that are listened to.
const MEMBERS: usize = 256;
/// Shortest and longest wait before connecting anew.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Events from NATS.
pub(crate) struct Source {
    pub(crate) bus: Bus,
    pub(crate) intake: Arc<Intake>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// The detectors of the group, and when each was heard last.
#[derive(Debug)]
struct Members {
    us: u64,
    heard: HashMap<u64, Instant>,
}

impl Members {
    /// Another one, or the same again.
    fn hear(&mut self, who: u64, now: Instant) {
        if self.heard.len() < MEMBERS || self.heard.contains_key(&who) {
            self.heard.insert(who, now);
        }
    }

    /// The subjects that are ours.
    fn ours(&mut self, now: Instant) -> HashSet<u32> {
        let us = self.us;
        self.heard.retain(|who, last| *who != us && now.saturating_duration_since(*last) < SILENCE);
        let is_ours =
            |subject: &u32| self.heard.keys().all(|other| claim(*other, *subject) < claim(us, *subject));
        (0..PARTITIONS).filter(is_ours).collect()
    }
}

/// What this detector bids for the subject. Bids of one detector must have nothing to do with each other: with a hash that
/// carries little from bit to bit, one outbids another everywhere.
fn claim(who: u64, subject: u32) -> [u8; 32] {
    Sha256::new().chain_update(who.to_le_bytes()).chain_update(subject.to_le_bytes()).finalize().into()
}

impl Source {
    /// Runs until it is told to stop.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::new(WAITS.0, WAITS.1);
        let mut stop = self.stop.clone();
        loop {
            let begun = Instant::now();
            let session = self.session().await;
            if *stop.borrow() {
                return;
            }
            self.intake.meters.bus_lost.add(1);
            if let Err(reason) = session {
                warn!(reason, "No events from NATS; trying again.");
            }
            if begun.elapsed() > WAITS.1 {
                backoff.reset();
            }
            tokio::select! {
                () = sleep(backoff.wait()) => {}
                () = told(&mut stop) => return,
            }
        }
    }

    /// One connection, from beginning to end. No error when we are told to stop.
    async fn session(&self) -> Result<(), String> {
        let connected = self.bus.connect("sentinel-detector").await.map_err(|error| error.to_string())?;
        let Connected { client, mut gone, .. } = connected.clone();
        let mut stop = self.stop.clone();
        let roster = format!("{}.detectors", self.bus.stream);
        let mut others = client.subscribe(roster.clone()).await.map_err(|error| error.to_string())?;
        let us = BuildHasherDefault::<FxHasher>::default().hash_one((std::process::id(), uuid()));
        let mut members = Members { us, heard: HashMap::new() };
        let (share, shared) = watch::channel(HashSet::new());
        let mut fetching = JoinSet::new();
        for subject in 0..PARTITIONS {
            let fetch = fetch::Fetch {
                subject,
                bus: self.bus.clone(),
                connected: connected.clone(),
                intake: Arc::clone(&self.intake),
                ours: shared.clone(),
                stop: stop.clone(),
            };
            fetching.spawn(fetch.run());
        }
        info!(servers = ?self.bus.servers, stream = self.bus.stream, "Events come from NATS.");
        let mut beat = interval(BEAT);
        // Whoever else is there is heard before anything is taken.
        let listened = Instant::now() + BEAT;
        let mut gauge = Gauge(&self.intake.meters.bus_subjects, 0);
        let ended = loop {
            tokio::select! {
                () = told(&mut stop) => break Ok(()),
                () = told(&mut gone) => break Err("the connection is lost".to_owned()),
                Some(ended) = fetching.join_next() => break match ended {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(reason)) => Err(reason),
                    Err(_) => Err("fetching was cut off".to_owned()),
                },
                message = others.next() => {
                    let Some(message) = message else { break Err("the connection is closed".to_owned()) };
                    if let Some(who) = message.payload.first_chunk::<8>() {
                        members.hear(u64::from_le_bytes(*who), Instant::now());
                    }
                }
                _ = beat.tick() => {
                    let said = client.publish(roster.clone(), us.to_le_bytes().to_vec().into()).await;
                    said.map_err(|error| error.to_string())?;
                    let now = Instant::now();
                    if now >= listened {
                        let ours = members.ours(now);
                        gauge.set(ours.len());
                        share.send_if_modified(|shared| {
                            let changed = *shared != ours;
                            *shared = ours;
                            changed
                        });
                    }
                }
            }
        };
        // What is being judged is acknowledged; what is not begun is another's.
        share.send_replace(HashSet::new());
        let rest = async { while fetching.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(fetch::LAST, rest).await;
        ended
    }
}

/// Waits until it says true, or nobody says anything any more.
async fn told(flag: &mut watch::Receiver<bool>) {
    drop(flag.wait_for(|flag| *flag).await);
}

/// A gauge that goes back when its owner does.
struct Gauge<'a>(&'a Meter, usize);

impl Gauge<'_> {
    fn set(&mut self, value: usize) {
        self.0.leave(self.1);
        self.0.add(value);
        self.1 = value;
    }
}

impl Drop for Gauge<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// Something that no other process has.
fn uuid() -> String {
    let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    format!("{random}{:?}", std::time::SystemTime::now())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_subject_has_one_owner_and_changes_it_only_when_that_one_goes() {
        let now = Instant::now();
        let all = [11_u64, 0x5ca1_ab1e, u64::MAX];
        let owners = |there: &[u64]| -> HashMap<u32, u64> {
            let mut owners = HashMap::new();
            for us in there {
                let mut members = Members { us: *us, heard: HashMap::new() };
                there.iter().for_each(|who| members.hear(*who, now));
                for subject in members.ours(now) {
                    assert_eq!(owners.insert(subject, *us), None, "subject {subject} has two owners");
                }
            }
            owners
        };
        let before = owners(&all);
        assert_eq!(before.len(), PARTITIONS as usize);
        for gone in all {
            assert!(before.values().filter(|owner| **owner == gone).count() >= 4, "{before:?}");
            let left: Vec<u64> = all.into_iter().filter(|who| *who != gone).collect();
            let after = owners(&left);
            assert_eq!(after.len(), PARTITIONS as usize);
            assert!(before.iter().all(|(subject, owner)| *owner == gone || after[subject] == *owner));
        }
    }

    /// Identities are random. By chance alone, one of three has none of 32 subjects in seven groups of a million.
    #[test]
    fn whoever_meets_each_has_something_to_do() {
        let now = Instant::now();
        for round in 0..2_000_u64 {
            let hasher = BuildHasherDefault::<FxHasher>::default();
            let all = [1, 2, 3].map(|who| hasher.hash_one((round, who)));
            for us in all {
                let mut members = Members { us, heard: HashMap::new() };
                all.iter().for_each(|who| members.hear(*who, now));
                assert!(!members.ours(now).is_empty(), "group {round}");
            }
        }
    }

    #[test]
    fn the_silent_have_gone_and_a_flood_of_names_is_bounded() {
        let now = Instant::now();
        let mut members = Members { us: 1, heard: HashMap::new() };
        (2..10_000).for_each(|who| members.hear(who, now));
        assert_eq!(members.heard.len(), MEMBERS);
        assert_eq!(members.ours(now + SILENCE).len(), PARTITIONS as usize);
    }
}
