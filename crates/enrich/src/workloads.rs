//! Workloads: places with what runtimes and user databases say. Bounded.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sentinel_event::{Container, Known, Place, Pod, Users, UsersOf, Workload};

use crate::{
    directory::{Answer, Directory},
    places::Cell,
};

/// What a workload belongs to: a cgroup and a mount namespace.
pub(crate) type Key = (u64, u32);

/// Answers that are taken at once.
const ANSWERS: usize = 256;
/// How long the absence of an answer holds.
const RETRY_NS: u64 = 10_000_000_000;
/// How long user databases hold before an exec has them looked at again.
const STALE_NS: u64 = 10_000_000_000;
/// How long a directory service's silence about a user holds, and about how many it is kept.
const STRANGER_NS: u64 = 60_000_000_000;
const STRANGERS: usize = 1024;
/// A process that ended before its users could be read says nothing of the next one.
const AGAIN_NS: u64 = 100_000_000;

/// By cgroup and mount namespace, with the answers that they are made of.
#[derive(Debug)]
pub(crate) struct Workloads {
    known: FxHashMap<Key, Spot>,
    containers: FxHashMap<Arc<str>, Asked<Container>>,
    pods: FxHashMap<Arc<str>, Asked<Pod>>,
    users: FxHashMap<UsersOf, Names>,
    /// Users of the host that its database does not have, and when a directory service was asked for them.
    strangers: FxHashMap<u32, u64>,
    bound: usize,
    pub(crate) evicted: u64,
}

#[derive(Debug)]
struct Spot {
    workload: Arc<Workload>,
    cell: Cell,
    used_ns: u64,
    /// Event time from which on its parts are looked at again.
    doubt_ns: Option<u64>,
}

#[derive(Debug)]
struct Asked<T> {
    state: Known<T>,
    asked_ns: u64,
    used_ns: u64,
}

/// Users that were asked for.
#[derive(Debug)]
struct Names {
    asked: Asked<Users>,
    /// Through which process they are asked for; none when it had ended, and the next one that is met is tried.
    through: Option<u32>,
    /// The last process that was met.
    last: u32,
}

/// What an event says of its place.
pub(crate) struct Visit {
    pub(crate) key: Key,
    pub(crate) cell: Cell,
    pub(crate) tgid: u32,
    pub(crate) uid: u32,
    /// A program was started: the root directory is what it will be.
    pub(crate) exec: bool,
}

impl Workloads {
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            known: FxHashMap::default(),
            containers: FxHashMap::default(),
            pods: FxHashMap::default(),
            users: FxHashMap::default(),
            strangers: FxHashMap::default(),
            bound: bound.max(1),
            evicted: 0,
        }
    }

    /// Workloads, containers and user databases that are known.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        (self.known.len(), self.containers.len(), self.users.len())
    }

    /// The workload of an event.
    pub(crate) fn get(&self, key: Key) -> Option<&Arc<Workload>> {
        self.known.get(&key).map(|spot| &spot.workload)
    }

    /// Whether nothing has to be done for a visit. Notes that it is used.
    pub(crate) fn is_settled(&mut self, key: Key, exec: bool, now_ns: u64) -> bool {
        let Some(spot) = self.known.get_mut(&key) else { return false };
        spot.used_ns = now_ns;
        !exec && spot.doubt_ns.is_none_or(|doubt_ns| now_ns < doubt_ns)
    }

    /// A cell is another place now: everything in it is made anew at its next visit.
    pub(crate) fn forget(&mut self, cell: Cell) {
        self.known.retain(|_, spot| spot.cell != cell);
    }

    /// cgroups have gone for good: forgets what was theirs alone. The host's users stay: they are read once and for
    /// all, and its mount namespaces are few.
    pub(crate) fn bury(&mut self, cgroups: &FxHashSet<u64>) {
        self.known.retain(|(cgroup, _), _| !cgroups.contains(cgroup));
        let places = || self.known.values().map(|spot| &spot.workload.place);
        let containers: FxHashSet<_> = places().filter_map(|place| place.container.as_ref()).collect();
        let pods: FxHashSet<_> = places().filter_map(|place| place.pod_uid.as_ref()).collect();
        self.containers.retain(|id, _| containers.contains(id));
        self.pods.retain(|uid, _| pods.contains(uid));
        self.users.retain(|of, _| of.container.as_ref().is_none_or(|id| containers.contains(id)));
    }

    /// Makes or renews the workload of a visit.
    pub(crate) fn visit(
        &mut self,
        visit: &Visit,
        place: Option<(&Arc<Place>, Option<u64>)>,
        directory: &mut dyn Directory,
        now_ns: u64,
    ) {
        let (place, doubt_ns) =
            place.map_or((Arc::default(), None), |(place, doubt)| (Arc::clone(place), doubt));
        let container = match &place.container {
            Some(id) => self.container(id, &place, !self.known.contains_key(&visit.key), directory, now_ns),
            None => Known::No,
        };
        let pod = match &place.pod_uid {
            Some(uid) => joined(&self.pod(uid, directory, now_ns), &container),
            None => Known::No,
        };
        let of = UsersOf { mnt: visit.key.1, container: place.container.clone() };
        let users = self.users(&of, visit, directory, now_ns);
        if of.container.is_none() {
            self.ask_stranger(&of, visit, &users, directory, now_ns);
        }
        // What nobody knew may be known later, and an answer may be lost. While users are asked for, it is noted who
        // else could be asked through.
        let open = !matches!(container, Known::Yes(_)) && place.container.is_some()
            || !matches!(users, Known::Yes(_));
        let wait_ns = if matches!(users, Known::Pending) { 0 } else { AGAIN_NS };
        let retry_ns = open.then(|| now_ns.saturating_add(wait_ns));
        // Of a pod one is told unasked.
        let pod_ns = place.pod_uid.as_ref().filter(|_| !matches!(pod, Known::Yes(_)));
        let pod_ns = pod_ns.map(|_| now_ns.saturating_add(RETRY_NS));
        let doubt_ns = [doubt_ns, retry_ns, pod_ns].into_iter().flatten().min();
        if let Some(spot) = self.known.get_mut(&visit.key) {
            spot.doubt_ns = doubt_ns;
            let old = &spot.workload;
            let same = Arc::ptr_eq(&old.place, &place) && old.container == container;
            if !same || old.users != users || old.pod != pod {
                spot.workload = Arc::new(Workload { place, container, pod, users });
            }
            return;
        }
        if self.known.len() >= self.bound {
            self.evicted += evict(&mut self.known, self.bound, |spot| spot.used_ns);
        }
        let workload = Arc::new(Workload { place, container, pod, users });
        self.known.insert(visit.key, Spot { workload, cell: visit.cell, used_ns: now_ns, doubt_ns });
    }

    fn container(
        &mut self,
        id: &Arc<str>,
        place: &Place,
        new: bool,
        directory: &mut dyn Directory,
        now_ns: u64,
    ) -> Known<Container> {
        if let Some(asked) = self.containers.get_mut(id) {
            asked.used_ns = now_ns;
            let old = now_ns.saturating_sub(asked.asked_ns) >= RETRY_NS;
            // A container that is started again has a new cgroup, and may have a new name.
            let ask = old && (new || !matches!(asked.state, Known::Yes(_)));
            if ask && directory.ask_container(place) {
                asked.asked_ns = now_ns;
                if matches!(asked.state, Known::No) {
                    asked.state = Known::Pending;
                }
            }
            return asked.state.clone();
        }
        if self.containers.len() >= self.bound {
            self.evicted += evict(&mut self.containers, self.bound, |asked| asked.used_ns);
        }
        let state = if directory.ask_container(place) { Known::Pending } else { Known::No };
        let asked = Asked { state: state.clone(), asked_ns: now_ns, used_ns: now_ns };
        self.containers.insert(Arc::clone(id), asked);
        state
    }

    fn pod(&mut self, uid: &Arc<str>, directory: &mut dyn Directory, now_ns: u64) -> Known<Pod> {
        if let Some(asked) = self.pods.get_mut(uid) {
            asked.used_ns = now_ns;
            let old = now_ns.saturating_sub(asked.asked_ns) >= RETRY_NS;
            if old && !matches!(asked.state, Known::Yes(_)) {
                asked.asked_ns = now_ns;
                asked.state = if directory.ask_pod(uid) { Known::Pending } else { Known::No };
            }
            return asked.state.clone();
        }
        if self.pods.len() >= self.bound {
            self.evicted += evict(&mut self.pods, self.bound, |asked| asked.used_ns);
        }
        let state = if directory.ask_pod(uid) { Known::Pending } else { Known::No };
        let asked = Asked { state: state.clone(), asked_ns: now_ns, used_ns: now_ns };
        self.pods.insert(Arc::clone(uid), asked);
        state
    }

    fn users(
        &mut self,
        of: &UsersOf,
        visit: &Visit,
        directory: &mut dyn Directory,
        now_ns: u64,
    ) -> Known<Users> {
        if of.mnt == 0 {
            return Known::No;
        }
        let ask = match self.users.get_mut(of) {
            None => true,
            Some(names) => {
                let other = std::mem::replace(&mut names.last, visit.tgid) != visit.tgid;
                names.asked.used_ns = now_ns;
                let age_ns = now_ns.saturating_sub(names.asked.asked_ns);
                match (&names.asked.state, names.through) {
                    (Known::No, _) => age_ns >= AGAIN_NS,
                    (Known::Pending, Some(_)) => age_ns >= RETRY_NS,
                    (Known::Pending, None) => other || age_ns >= AGAIN_NS,
                    // The files may have changed.
                    (Known::Yes(_), _) => visit.exec && age_ns >= STALE_NS,
                }
            }
        };
        if ask && directory.ask_users(of, visit.tgid) {
            if self.users.len() >= self.bound && !self.users.contains_key(of) {
                self.evicted += evict(&mut self.users, self.bound, |names| names.asked.used_ns);
            }
            // Only containers wait for their users: on hosts they are read once and for all.
            let state = match self.users.remove(of).map(|names| names.asked.state) {
                Some(Known::Yes(users)) => Known::Yes(users),
                _ if of.container.is_some() => Known::Pending,
                _ => Known::No,
            };
            let asked = Asked { state: state.clone(), asked_ns: now_ns, used_ns: now_ns };
            self.users.insert(of.clone(), Names { asked, through: Some(visit.tgid), last: visit.tgid });
            return state;
        }
        self.users.get(of).map_or(Known::No, |names| names.asked.state.clone())
    }

    /// The host's files may not have all of its users.
    fn ask_stranger(
        &mut self,
        of: &UsersOf,
        visit: &Visit,
        users: &Known<Users>,
        directory: &mut dyn Directory,
        now_ns: u64,
    ) {
        if users.get().is_none_or(|users| users.user(visit.uid).is_some()) {
            return;
        }
        let asked = self.strangers.get(&visit.uid);
        if asked.is_some_and(|asked_ns| now_ns.saturating_sub(*asked_ns) < STRANGER_NS) {
            return;
        }
        if self.strangers.len() >= STRANGERS && asked.is_none() {
            evict(&mut self.strangers, STRANGERS, |asked_ns| *asked_ns);
        }
        self.strangers.insert(visit.uid, now_ns);
        directory.ask_user(of, visit.tgid, visit.uid);
    }

    /// Takes what has been answered.
    pub(crate) fn take_answers(&mut self, directory: &mut dyn Directory) {
        for _ in 0..ANSWERS {
            match directory.answer() {
                Some(Answer::Container { id, found }) => {
                    let Some(asked) = self.containers.get_mut(&id) else { continue };
                    match found {
                        Some(found) => asked.state = Known::Yes(found),
                        // What was known stays known when the runtime has forgotten it.
                        None if matches!(asked.state, Known::Yes(_)) => continue,
                        None => asked.state = Known::No,
                    }
                    let state = asked.state.clone();
                    let pods = std::mem::take(&mut self.pods);
                    let asked = |old: &Workload| Some(&pods.get(old.place.pod_uid.as_ref()?)?.state);
                    self.change(|_, old| {
                        (old.place.container.as_ref() == Some(&id)).then(|| Workload {
                            container: state.clone(),
                            pod: asked(old).map_or(Known::No, |pod| joined(pod, &state)),
                            ..old.clone()
                        })
                    });
                    self.pods = pods;
                }
                Some(Answer::Pod { uid, found }) => {
                    let Some(asked) = self.pods.get_mut(&uid) else { continue };
                    match found {
                        Some(found) => asked.state = Known::Yes(found),
                        None if matches!(asked.state, Known::Yes(_)) => continue,
                        None => asked.state = Known::No,
                    }
                    let state = asked.state.clone();
                    self.change(|_, old| {
                        (old.place.pod_uid.as_ref() == Some(&uid))
                            .then(|| Workload { pod: joined(&state, &old.container), ..old.clone() })
                    });
                }
                Some(Answer::Users { of, found }) => {
                    let Some(names) = self.users.get_mut(&of) else { continue };
                    match (found, &names.asked.state) {
                        (Some(new), Known::Yes(old)) if Arc::ptr_eq(&new, old) => continue,
                        (Some(new), _) => names.asked.state = Known::Yes(new),
                        (None, Known::Yes(_)) => continue,
                        (None, _) => {
                            let tgid = names.last;
                            let other = names.through.take().is_some_and(|through| through != tgid);
                            if other && directory.ask_users(&of, tgid) {
                                names.through = Some(tgid);
                                continue;
                            }
                            // The first process of a container is short: there will be another one.
                            if of.container.is_some() {
                                continue;
                            }
                            names.asked.state = Known::No;
                        }
                    }
                    let state = names.asked.state.clone();
                    self.change(|key, old| {
                        let same = key.1 == of.mnt && old.place.container == of.container;
                        same.then(|| Workload { users: state.clone(), ..old.clone() })
                    });
                }
                None => return,
            }
        }
    }

    fn change(&mut self, of: impl Fn(&Key, &Workload) -> Option<Workload>) {
        for (key, spot) in &mut self.known {
            if let Some(new) = of(key, &spot.workload) {
                spot.workload = Arc::new(new);
            }
        }
    }
}

/// The API server knows more of a pod, but not its sandbox.
fn joined(pod: &Known<Pod>, container: &Known<Container>) -> Known<Pod> {
    let sandbox = container.get().and_then(|container| container.pod.as_ref()).map(|pod| &pod.sandbox);
    match (pod, sandbox) {
        (Known::Yes(pod), Some(sandbox)) if pod.sandbox != *sandbox => {
            Known::Yes(Arc::new(Pod { sandbox: sandbox.clone(), ..Pod::clone(pod) }))
        }
        (pod, _) => pod.clone(),
    }
}

/// Forgets the 16th part that was used least recently; returns how many.
pub(crate) fn evict<K, V>(table: &mut FxHashMap<K, V>, bound: usize, used: impl Fn(&V) -> u64) -> u64 {
    let mut times: Vec<u64> = table.values().map(&used).collect();
    let count = (bound / 16).max(1).min(times.len());
    let Some(last) = count.checked_sub(1) else { return 0 };
    let limit = *times.select_nth_unstable(last).1;
    let mut left = count;
    table.retain(|_, value| {
        let goes = left > 0 && used(value) <= limit;
        left -= usize::from(goes);
        !goes
    });
    (count - left) as u64
}

#[cfg(test)]
mod tests;
