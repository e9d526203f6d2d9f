//! The pods of our node, as Kubernetes' API server tells them: one list, then a watch, by a thread of its own.
//!
//! The client is our own, some four hundred lines on the HTTP and TLS that are in the tree anyway, and not the crate
//! kube: with its client, watcher and one version of Kubernetes' objects that is 195 packages, 65 of them new to this
//! tree, for two requests. It also collects an answer whatever its size and keeps whole pods, where we keep a few words of
//! each and bound what a server may say.
//!
//! What was heard stays known while the server is away, and pods that were deleted stay for their last events. A token
//! is read from its file with every request, so one that was renewed is used from then on.

mod api;
mod book;
mod object;
mod watch;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use sentinel_event::Pod;
use tokio::sync::oneshot;

use crate::{Counters, meter::Meter};
use book::Book;
use watch::Watcher;

/// Where Kubernetes puts the credentials of a pod.
const CREDENTIALS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whom to ask, and as whom.
#[derive(Debug, Clone)]
pub struct PodOptions {
    /// Host of the API server: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Directory with `token` and `ca.crt`.
    pub credentials: PathBuf,
    /// Name of our node, as Kubernetes knows it.
    pub node: String,
    /// How long connecting and each answer may take. A watch may last.
    pub timeout: Duration,
    /// First pause after a failure; further ones double it, up to 32 times.
    pub pause: Duration,
}

impl PodOptions {
    /// The cluster that we run in, as Kubernetes tells its pods; none outside of one. `node` is the name of our node,
    /// `credentials` the directory where they are, if not at the usual place.
    pub fn in_cluster(node: &str, credentials: Option<&Path>) -> Option<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credentials = credentials.unwrap_or(Path::new(CREDENTIALS));
        credentials.join("token").exists().then_some(())?;
        Some(Self {
            host: variable("KUBERNETES_SERVICE_HOST")?,
            port: variable("KUBERNETES_SERVICE_PORT").and_then(|port| port.parse().ok()).unwrap_or(443),
            credentials: credentials.into(),
            node: node.into(),
            timeout: Duration::from_secs(10),
            pause: Duration::from_secs(1),
        })
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct ToldPod {
    /// The pod's UID, as it was asked for.
    pub uid: Arc<str>,
    /// None when the server knows no such pod, for now.
    pub found: Option<Arc<Pod>>,
}

/// The pods of our node. Dropping it ends the thread.
#[derive(Debug)]
pub struct Pods {
    book: Arc<Mutex<Book>>,
    meter: Arc<Meter>,
    _stop: oneshot::Sender<()>,
}

impl Pods {
    /// Starts the thread that watches.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(options: PodOptions) -> io::Result<Self> {
        let (book, meter) = (Arc::new(Mutex::new(Book::default())), Arc::new(Meter::default()));
        let watcher = Watcher::new(options, Arc::clone(&book), Arc::clone(&meter));
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("pods".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = watcher.work() => {}
                }
            });
        })?;
        Ok(Self { book, meter, _stop: stop })
    }

    /// Asks for a pod. Whether an answer will come soon: not while the server cannot be reached and the pod is not
    /// known. In any case it is told when the server tells of it, and again whenever it changes.
    pub fn ask(&self, uid: &Arc<str>) -> bool {
        open(&self.book).ask(uid, Instant::now())
    }

    /// The next answer, if there is one.
    pub fn answer(&self) -> Option<ToldPod> {
        open(&self.book).answer(Instant::now())
    }

    /// What was asked, and what came of it.
    pub fn counters(&self) -> Counters {
        Counters { pods_known: open(&self.book).len() as u64, ..self.meter.read() }
    }
}

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
