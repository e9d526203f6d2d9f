//! What is known of pods, and who wants to know. Bounded.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use sentinel_event::Pod;

use super::{ToldPod, object::Found};

/// Pods of a node; Kubernetes runs 110 on one unless told otherwise.
pub(super) const PODS: usize = 2048;
/// How long a pod that was deleted stays known.
const KEEP: Duration = Duration::from_secs(600);
/// Pods that somebody wants to hear of.
const WANTED: usize = 4096;
/// How long an answer is waited for: the server tells of a pod before the node starts it.
const SOON: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Book {
    /// By UID, as cgroups have it.
    pods: HashMap<Arc<str>, Entry>,
    /// And whether it is in `news`.
    wanted: HashMap<Arc<str>, bool>,
    /// Those of `wanted` that there is news of, each once.
    news: VecDeque<Arc<str>>,
    /// Until when an answer is owed.
    due: VecDeque<(Instant, Arc<str>)>,
    /// The server was reached, and nothing has failed since.
    reached: bool,
}

#[derive(Debug)]
struct Entry {
    pod: Arc<Pod>,
    /// It was deleted.
    gone: Option<Instant>,
}

impl Book {
    pub(super) fn len(&self) -> usize {
        self.pods.len()
    }

    pub(super) fn reached(&mut self, reached: bool) {
        self.reached = reached;
    }

    pub(super) fn ask(&mut self, uid: &Arc<str>, now: Instant) -> bool {
        if self.wanted.len() >= WANTED && !self.wanted.contains_key(uid) {
            // Whoever is still there asks again.
            self.wanted.clear();
            self.news.clear();
            self.due.clear();
        }
        self.wanted.entry(Arc::clone(uid)).or_default();
        if self.pods.contains_key(uid) {
            self.tell(uid);
            return true;
        }
        if self.reached && self.due.len() < WANTED {
            self.due.push_back((now + SOON, Arc::clone(uid)));
        }
        self.reached
    }

    pub(super) fn answer(&mut self, now: Instant) -> Option<ToldPod> {
        if let Some(uid) = self.news.pop_front() {
            if let Some(queued) = self.wanted.get_mut(&uid) {
                *queued = false;
            }
            let found = self.pods.get(&uid).map(|entry| Arc::clone(&entry.pod));
            return Some(ToldPod { uid, found });
        }
        while self.due.front().is_some_and(|(due, _)| *due <= now) {
            let (_, uid) = self.due.pop_front()?;
            if !self.pods.contains_key(&uid) {
                return Some(ToldPod { uid, found: None });
            }
        }
        None
    }

    /// The pod is there, like this. False when there is no room for it.
    pub(super) fn put(&mut self, found: Found, now: Instant) -> bool {
        let Found(pod) = found;
        let uid: Arc<str> = pod.uid.as_str().into();
        if let Some(entry) = self.pods.get_mut(&uid) {
            entry.gone = None;
            if *entry.pod != pod {
                entry.pod = Arc::new(pod);
                self.tell(&uid);
            }
            return true;
        }
        if self.pods.len() >= PODS && !self.make_room(now) {
            return false;
        }
        self.pods.insert(Arc::clone(&uid), Entry { pod: Arc::new(pod), gone: None });
        self.tell(&uid);
        true
    }

    /// The pod was deleted.
    pub(super) fn remove(&mut self, found: &Found, now: Instant) {
        if let Some(entry) = self.pods.get_mut(found.0.uid.as_str()) {
            entry.gone.get_or_insert(now);
        }
        self.forget(now);
    }

    /// These are the pods, and there are no others. Returns how many found no room.
    pub(super) fn replace(&mut self, all: Vec<Found>, now: Instant) -> usize {
        let there: HashSet<&str> = all.iter().map(|found| found.0.uid.as_str()).collect();
        for (uid, entry) in &mut self.pods {
            if !there.contains(&**uid) {
                entry.gone.get_or_insert(now);
            }
        }
        self.forget(now);
        all.into_iter().map(|found| usize::from(!self.put(found, now))).sum()
    }

    fn tell(&mut self, uid: &Arc<str>) {
        if let Some(queued) = self.wanted.get_mut(uid).filter(|queued| !**queued) {
            *queued = true;
            self.news.push_back(Arc::clone(uid));
        }
    }

    fn forget(&mut self, now: Instant) {
        let stays = |entry: &Entry| entry.gone.is_none_or(|gone| now.saturating_duration_since(gone) < KEEP);
        self.pods.retain(|_, entry| stays(entry));
        let pods = &self.pods;
        // Whoever wants to hear of what has gone for good has gone himself.
        if self.wanted.len() > PODS {
            self.wanted.retain(|uid, queued| *queued || pods.contains_key(uid));
        }
    }

    /// The one that was deleted first goes.
    fn make_room(&mut self, now: Instant) -> bool {
        let gone = self.pods.iter().filter_map(|(uid, entry)| Some((entry.gone?, Arc::clone(uid))));
        match gone.min_by_key(|(gone, _)| *gone) {
            Some((_, uid)) => self.pods.remove(&uid).is_some(),
            None => {
                self.forget(now);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uid: &str, name: &str) -> Found {
        Found(Pod { uid: uid.into(), name: name.into(), ..Pod::default() })
    }

    fn heard(book: &mut Book, now: Instant) -> Vec<(String, Option<String>)> {
        std::iter::from_fn(|| book.answer(now))
            .map(|told| (told.uid.to_string(), told.found.map(|pod| pod.name.clone())))
            .collect()
    }

    fn told(uid: &str, name: Option<&str>) -> (String, Option<String>) {
        (uid.into(), name.map(Into::into))
    }

    #[test]
    fn who_asks_is_told_now_or_soon_and_of_every_change() {
        let (mut book, now) = (Book::default(), Instant::now());
        let (one, two): (Arc<str>, Arc<str>) = ("1".into(), "2".into());
        assert!(!book.ask(&one, now), "nobody can be asked");
        book.reached(true);
        book.put(found("1", "web"), now);
        book.put(found("9", "other"), now);
        assert_eq!(heard(&mut book, now), [told("1", Some("web"))]);
        assert!(book.ask(&one, now) && book.ask(&two, now));
        assert_eq!(heard(&mut book, now), [told("1", Some("web"))]);
        book.put(found("1", "web"), now);
        assert_eq!(heard(&mut book, now), [], "nothing has changed");
        book.put(found("1", "new"), now);
        assert_eq!(heard(&mut book, now), [told("1", Some("new"))]);
        assert_eq!(heard(&mut book, now + SOON), [told("2", None)]);
        book.put(found("2", "late"), now);
        assert_eq!(heard(&mut book, now + SOON), [told("2", Some("late"))]);
    }

    #[test]
    fn what_is_deleted_stays_for_a_while() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.replace(vec![found("1", "a"), found("2", "b")], now);
        book.remove(&found("1", "a"), now);
        book.replace(vec![], now);
        assert_eq!(book.len(), 2);
        assert!(book.ask(&"1".into(), now), "its last events are told");
        book.replace(vec![found("2", "b")], now + KEEP);
        assert_eq!(book.len(), 1);
    }

    #[test]
    fn a_flood_of_pods_and_of_questions_is_bounded() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.reached(true);
        let all = |from: usize| (from..from + PODS).map(|uid| found(&uid.to_string(), "p")).collect();
        assert_eq!(book.replace(all(0), now), 0);
        assert!(!book.put(found("x", "p"), now), "all of them live");
        assert_eq!(book.replace(all(PODS), now), 0, "those that were deleted make room");
        assert_eq!(book.len(), PODS);
        for uid in 0..3 * WANTED {
            book.ask(&uid.to_string().into(), now);
        }
        assert!(book.wanted.len() <= WANTED && book.news.len() <= WANTED && book.due.len() <= WANTED);
    }
}
