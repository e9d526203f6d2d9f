//! Who is asked about containers and users, as enrichment sees it.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sentinel_enrich::{Answer, Births, Directory};
use sentinel_event::{Container, Place, Text, UsersOf};
use sentinel_identity::{Counters, Options, PodOptions, Pods, Runtimes, Socket, UserBooks, default_sockets};
use sentinel_probe::CgroupBook;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::config::{Enrichment, Kubernetes};

/// How long a runtime may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Containers whose names are kept for reports; the one that was told of first goes first.
const NAMED: usize = 4096;

/// The threads that ask. Shared with the metrics port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    runtimes: Option<Arc<Runtimes>>,
    pods: Option<Arc<Pods>>,
    users: Option<Arc<UserBooks>>,
    named: Arc<Mutex<Named>>,
}

/// Names of containers that runtimes have told of.
#[derive(Debug, Default)]
struct Named {
    by_id: HashMap<Arc<str>, ContainerName>,
    order: VecDeque<Arc<str>>,
}

/// What a container is called.
#[derive(Debug, Clone)]
pub(crate) struct ContainerName {
    pub(crate) container: Box<str>,
    /// `NAMESPACE/NAME` of its pod.
    pub(crate) pod: Option<Box<str>>,
}

impl Named {
    fn keep(&mut self, id: &Arc<str>, container: &Container) {
        let pod = container.pod.as_ref().map(|pod| format!("{}/{}", pod.namespace, pod.name).into());
        let name = ContainerName { container: container.name.as_str().into(), pod };
        if self.by_id.insert(Arc::clone(id), name).is_none() {
            self.order.push_back(Arc::clone(id));
        }
        if self.order.len() > NAMED {
            self.order.pop_front().map(|first| self.by_id.remove(&first));
        }
    }
}

impl Registry {
    /// Starts what the configuration wants. What does not start is missing, and the log says so.
    /// `node` is the name of this node.
    pub(crate) fn start(wanted: &Enrichment, node: &str) -> Self {
        let runtimes = wanted.runtimes.then(|| {
            let sockets = match &wanted.sockets {
                Some(paths) => paths.iter().filter_map(|path| Socket::chosen(path)).collect(),
                None => default_sockets(),
            };
            Runtimes::start(Options { sockets, timeout: TIMEOUT })
        });
        let users = wanted.users.then(UserBooks::start);
        let pods = cluster(wanted, node).map(Pods::start);
        let keep = |what, error| warn!(%error, "No thread to ask for {what}: they have no names.");
        Self {
            runtimes: runtimes
                .and_then(|started| started.map_err(|error| keep("containers", error)).ok())
                .map(Arc::new),
            pods: pods.and_then(|started| started.map_err(|error| keep("pods", error)).ok()).map(Arc::new),
            users: users.and_then(|started| started.map_err(|error| keep("users", error)).ok()).map(Arc::new),
            named: Arc::default(),
        }
    }

    /// What a runtime calls this container; none when it was not asked or has not answered.
    pub(crate) fn name(&self, id: &str) -> Option<ContainerName> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// Asks for a place's container, for [`Self::name`]. Enrichment hears the answer, too.
    pub(crate) fn look_up(&self, place: &Place) {
        let _asked = self.runtimes.as_ref().is_some_and(|runtimes| runtimes.ask(place));
    }

    /// What was asked so far.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = self.runtimes.as_ref().map(|runtimes| runtimes.counters()).unwrap_or_default();
        if let Some(users) = self.users.as_ref().map(|users| users.counters()) {
            counters.refused += users.refused;
            counters.users_read = users.users_read;
            counters.users_failed = users.users_failed;
            counters.users_stuck = users.users_stuck;
        }
        if let Some(pods) = self.pods.as_ref().map(|pods| pods.counters()) {
            counters = Counters {
                pods_known: pods.pods_known,
                pod_lists: pods.pod_lists,
                pod_watches: pods.pod_watches,
                pod_changes: pods.pod_changes,
                pods_failed: pods.pods_failed,
                pods_gone: pods.pods_gone,
                pods_malformed: pods.pods_malformed,
                pods_refused: pods.pods_refused,
                ..counters
            };
        }
        counters
    }
}

/// Whom to ask about pods; none when nobody is to be asked.
fn cluster(wanted: &Enrichment, node: &str) -> Option<PodOptions> {
    if wanted.kubernetes == Kubernetes::Off {
        return None;
    }
    let found = PodOptions::in_cluster(node, wanted.kubernetes_credentials.as_deref());
    if found.is_none() && wanted.kubernetes == Kubernetes::On {
        warn!(
            "enrichment.kubernetes is on, but KUBERNETES_SERVICE_HOST or the token of a service account is missing: \
             pods have no owners."
        );
    }
    found
}

impl Directory for Registry {
    fn ask_container(&mut self, place: &Place) -> bool {
        self.runtimes.as_ref().is_some_and(|runtimes| runtimes.ask(place))
    }

    fn ask_users(&mut self, of: &UsersOf, tgid: u32) -> bool {
        self.users.as_ref().is_some_and(|users| users.ask(of.clone(), tgid))
    }

    fn ask_user(&mut self, of: &UsersOf, tgid: u32, uid: u32) -> bool {
        self.users.as_ref().is_some_and(|users| users.ask_user(of.clone(), tgid, uid))
    }

    fn ask_pod(&mut self, uid: &Arc<str>) -> bool {
        self.pods.as_ref().is_some_and(|pods| pods.ask(uid))
    }

    fn answer(&mut self) -> Option<Answer> {
        let users = || {
            let found = self.users.as_ref()?.answer()?;
            Some(Answer::Users { of: found.of, found: found.users })
        };
        let told = || {
            let told = self.runtimes.as_ref()?.answer()?;
            if let Some(found) = &told.found {
                self.named.lock().unwrap_or_else(PoisonError::into_inner).keep(&told.id, found);
            }
            Some(Answer::Container { id: told.id, found: told.found })
        };
        let pods = || {
            let told = self.pods.as_ref()?.answer()?;
            Some(Answer::Pod { uid: told.uid, found: told.found })
        };
        users().or_else(told).or_else(pods)
    }
}

/// Node and boot, as the names of executions have them ([`sentinel_event::ExecId::host`]):
/// `printf %s NODE/BOOT_ID | sha256sum | cut -c 1-16`.
pub(crate) fn host_id(node: &str) -> u64 {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digest: [u8; 32] = Sha256::digest(format!("{node}/{}", boot.trim())).into();
    digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte))
}

/// The kernel's book of cgroups.
#[derive(Debug)]
pub(crate) struct Book(pub(crate) CgroupBook);

impl Births for Book {
    fn path(&mut self, id: u64) -> Option<Text> {
        self.0.path(id).map(Text::from)
    }

    fn placed(&mut self, id: u64, contained: bool) {
        self.0.place(id, contained);
    }

    fn died(&mut self) -> Option<u64> {
        self.0.died()
    }

    fn forget(&mut self, id: u64) {
        self.0.forget(id);
    }
}

/// Whether the path of a socket tells what it speaks.
pub(crate) fn speaks(path: &Path) -> bool {
    Socket::chosen(path).is_some()
}
