//! The loop: list, then watch from there on; again after whatever ends it.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    mem::{Discriminant, discriminant},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::{
    PodOptions,
    api::{self, Trouble, encoded},
    book::{Book, PODS},
    object::{Found, Line, List, Object, Status},
    open,
};
use crate::meter::{Meter, count};

/// Pods on a page of a list; a server that answers from memory gives all of them at once.
const PAGE: u32 = 500;
/// Pages of a list.
const PAGES: usize = 64;
/// Bytes of one change: etcd takes 1.5 MiB at most.
const LINE_MAX: usize = 4 << 20;
/// How long a watch is asked to last, seconds; up to half as long again, so that nodes do not come all at once.
const WATCH: u64 = 300;
/// What a watch may take longer.
const LATE: Duration = Duration::from_secs(30);
/// A watch that lasted so long was a good one.
const LASTED: Duration = Duration::from_secs(10);
/// How often a pause doubles.
const DOUBLINGS: u32 = 5;

pub(super) struct Watcher {
    options: PodOptions,
    book: Arc<Mutex<Book>>,
    meter: Arc<Meter>,
    /// Failures since something went well.
    failures: u32,
    /// The log says that something does not, and for which cause.
    complained: Option<Discriminant<Trouble>>,
}

/// Where a watch goes on.
enum From {
    /// What the server has in memory, perhaps a little old. Cheap for it: all nodes of a cluster may start at once.
    Nothing,
    /// What is certainly the newest: the server has forgotten where we were.
    Anew,
    Version(String),
}

impl Watcher {
    pub(super) fn new(options: PodOptions, book: Arc<Mutex<Book>>, meter: Arc<Meter>) -> Self {
        Self { options, book, meter, failures: 0, complained: None }
    }

    pub(super) async fn work(mut self) {
        let mut from = From::Nothing;
        loop {
            let began = Instant::now();
            let done = match &mut from {
                From::Nothing => self.list(true).await.map(|version| from = From::Version(version)),
                From::Anew => self.list(false).await.map(|version| from = From::Version(version)),
                From::Version(version) => {
                    let done = self.watch(version).await;
                    // One that ends at once must not be asked for again and again.
                    if done.is_ok() && began.elapsed() < LASTED {
                        sleep(self.options.pause).await;
                    }
                    done
                }
            };
            if let Err(trouble) = done {
                if matches!(trouble, Trouble::Gone | Trouble::Malformed(_)) {
                    from = From::Anew;
                }
                self.pause(&trouble).await;
            }
        }
    }

    /// All pods of the node; returns their version.
    async fn list(&mut self, remembered: bool) -> Result<String, Trouble> {
        let mut all = Vec::new();
        let mut next = String::new();
        for _ in 0..PAGES {
            count(&self.meter.pod_lists);
            let query = match (next.is_empty(), remembered) {
                (false, _) => format!("&continue={}", encoded(&next)),
                (true, true) => "&resourceVersion=0".to_owned(),
                (true, false) => String::new(),
            };
            let answer = api::get(&self.options, &format!("{}&limit={PAGE}{query}", self.path())).await?;
            let body = answer.whole(self.options.timeout).await?;
            let list: List<'_> =
                serde_json::from_slice(&body).map_err(|_| Trouble::Malformed("what is no list of pods"))?;
            let items = list.items.unwrap_or_default();
            let room = PODS.saturating_sub(all.len());
            let read = items.iter().take(room).filter_map(|item| self.read(item.get()));
            all.extend(read.map(|(found, _)| found));
            items.iter().skip(room).for_each(|_| count(&self.meter.pods_refused));
            next = list.metadata.r#continue;
            if next.is_empty() {
                self.replace(all);
                return Ok(list.metadata.resource_version);
            }
        }
        Err(Trouble::Malformed("a list without end"))
    }

    fn replace(&mut self, all: Vec<Found>) {
        let pods = all.len();
        let mut book = self.book();
        let refused = book.replace(all, Instant::now());
        book.reached(true);
        drop(book);
        (0..refused).for_each(|_| count(&self.meter.pods_refused));
        debug!(pods, "Kubernetes has told the pods of this node.");
        self.went_well();
    }

    /// Takes what changes, until the server ends it.
    async fn watch(&mut self, version: &mut String) -> Result<(), Trouble> {
        count(&self.meter.pod_watches);
        let seconds = WATCH + RandomState::new().build_hasher().finish() % (WATCH / 2);
        let path = format!(
            "{}&watch=1&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={seconds}",
            self.path(),
            encoded(version)
        );
        let mut answer = api::get(&self.options, &path).await?;
        self.book().reached(true);
        let patience = Duration::from_secs(seconds) + LATE;
        let mut lines = Vec::new();
        while let Some(piece) = answer.piece(patience).await? {
            lines.extend_from_slice(&piece);
            let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let rest = lines.split_off(whole);
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                self.take(line, version)?;
            }
            lines = rest;
            if lines.len() > LINE_MAX {
                return Err(Trouble::Malformed("a line without end"));
            }
        }
        Ok(())
    }

    /// One change.
    fn take(&mut self, line: &[u8], version: &mut String) -> Result<(), Trouble> {
        let line: Line<'_> =
            serde_json::from_slice(line).map_err(|_| Trouble::Malformed("what is no change of a pod"))?;
        if line.r#type == "ERROR" {
            let status: Status = serde_json::from_str(line.object.get()).unwrap_or_default();
            return Err(match status.code {
                410 => Trouble::Gone,
                _ => Trouble::Failed(format!("it ends the watch: {} {}", status.code, status.message)),
            });
        }
        self.went_well();
        if line.r#type == "BOOKMARK" {
            if let Ok(mark) = serde_json::from_str::<Object>(line.object.get()) {
                advance(version, mark.metadata.resource_version);
            }
            return Ok(());
        }
        let Some((found, newer)) = self.read(line.object.get()) else { return Ok(()) };
        count(&self.meter.pod_changes);
        advance(version, newer);
        let now = Instant::now();
        match line.r#type {
            "ADDED" | "MODIFIED" => {
                if !self.book().put(found, now) {
                    count(&self.meter.pods_refused);
                }
            }
            "DELETED" => self.book().remove(&found, now),
            _ => count(&self.meter.pods_malformed),
        }
        Ok(())
    }

    /// A pod of our node, and its version. What makes no sense is counted.
    fn read(&self, json: &str) -> Option<(Found, String)> {
        let object = serde_json::from_str::<Object>(json).ok();
        let ours = object.filter(|object| object.spec.node_name == self.options.node);
        let read = ours.and_then(|mut object| {
            let version = std::mem::take(&mut object.metadata.resource_version);
            Some((object.found()?, version))
        });
        if read.is_none() {
            count(&self.meter.pods_malformed);
        }
        read
    }

    async fn pause(&mut self, trouble: &Trouble) {
        count(match trouble {
            Trouble::Malformed(_) => &self.meter.pods_malformed,
            Trouble::Gone => &self.meter.pods_gone,
            _ => &self.meter.pods_failed,
        });
        self.book().reached(false);
        let doubled = self.options.pause.saturating_mul(1 << self.failures.min(DOUBLINGS));
        let asked = match trouble {
            Trouble::Refused(_, Some(asked)) => *asked,
            _ => Duration::ZERO,
        };
        // Up to half as long again, so that nodes do not come all at once.
        let share = u32::try_from(RandomState::new().build_hasher().finish() % 128).unwrap_or_default();
        let pause = (doubled + doubled / 256 * share).max(asked);
        let host = &self.options.host;
        if worth_telling(self.complained, trouble) {
            self.complained = Some(discriminant(trouble));
            warn!(%host, error = %trouble, "Kubernetes does not tell of pods; it is asked again, and what is known stays.");
        } else {
            debug!(%host, error = %trouble, ?pause, "Kubernetes does not tell of pods.");
        }
        self.failures = self.failures.saturating_add(1);
        sleep(pause).await;
    }

    fn went_well(&mut self) {
        self.failures = 0;
        if self.complained.take().is_some() {
            info!(host = %self.options.host, "Kubernetes tells of pods again.");
        }
    }

    fn path(&self) -> String {
        format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{}", encoded(&self.options.node))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        open(&self.book)
    }
}

/// Whether the log does not say it yet: once until all is well, and what somebody has to mend even after another cause. (A
/// connection breaks first, and the next one is refused.)
fn worth_telling(said: Option<Discriminant<Trouble>>, trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Gone => false,
        Trouble::Credentials(_) | Trouble::Unauthorized | Trouble::Forbidden => {
            said != Some(discriminant(trouble))
        }
        Trouble::Slow | Trouble::Refused(..) | Trouble::Malformed(_) | Trouble::Failed(_) => said.is_none(),
    }
}

fn advance(version: &mut String, newer: String) {
    if !newer.is_empty() {
        *version = newer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_told_even_after_the_connection_broke() {
        let (broke, slow) = (Trouble::Failed("reset".into()), Trouble::Slow);
        let mut said = None;
        let told: Vec<bool> =
            [&Trouble::Gone, &broke, &broke, &slow, &Trouble::Forbidden, &Trouble::Forbidden]
                .into_iter()
                .chain([&broke, &Trouble::Forbidden, &Trouble::Unauthorized, &Trouble::Gone])
                .map(|trouble| {
                    let tells = worth_telling(said, trouble);
                    said = if tells { Some(discriminant(trouble)) } else { said };
                    tells
                })
                .collect();
        assert_eq!(told, [false, true, false, false, true, false, false, false, true, false]);
    }
}
