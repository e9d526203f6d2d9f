//! Questions about containers, asked by a thread of its own.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use sentinel_event::{Container, Place, Runtime};
use thiserror::Error;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{interval, sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{
    Counters,
    cri::{Cri, News},
    engine,
    meter::{Meter, count},
    socket::{Door, Pauses, Protocol, Shut, Socket, look},
};

/// Bytes of one answer.
pub(crate) const ANSWER_MAX: usize = 4 << 20;
/// Questions that wait for the thread, and answers that wait for the pipeline.
const QUEUE: usize = 512;
/// Questions that are asked at once.
const AT_ONCE: usize = 32;
/// Questions a second, and how many of them may come at once.
const PER_SECOND: u32 = 200;
const BURST: u32 = 100;
/// How often it is looked whether sockets have come or gone.
const LOOK: Duration = Duration::from_secs(1);
/// When a runtime that does not tell of events is asked for them again.
const LISTEN_AGAIN: Duration = Duration::from_secs(30);
/// A container whose first process runs may not be in the runtime's book yet.
const AGAIN_MS: [u64; 6] = [0, 20, 40, 80, 160, 320];

/// How runtimes are asked.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whom.
    pub sockets: Vec<Socket>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum AskError {
    #[error("no answer in time")]
    Timeout,
    #[error("it answers {0}")]
    Malformed(&'static str),
    /// The user that we are may not. Ours is not always root: the service's is not.
    #[error(
        "permission denied: let its user write to the socket (by its group, or CAP_DAC_OVERRIDE: docs/identity.md), or \
         set enrichment.runtimes: false"
    )]
    Forbidden,
    #[error("{0}")]
    Failed(String),
}

impl AskError {
    /// For an error on the way to the runtime.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        let denied = |cause: &(dyn std::error::Error + 'static)| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        };
        if causes.any(denied) { Self::Forbidden } else { Self::Failed(error.to_string()) }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Told {
    /// The container that was asked for.
    pub id: Arc<str>,
    /// None when no runtime knows it, or none could be asked.
    pub found: Option<Arc<Container>>,
}

/// Those who are asked. Dropping it ends the thread.
#[derive(Debug)]
pub struct Runtimes {
    questions: mpsc::Sender<Question>,
    answers: Mutex<Receiver<Told>>,
    doors: Arc<[Arc<Desk>]>,
    meter: Arc<Meter>,
}

#[derive(Debug)]
struct Question {
    id: Arc<str>,
    runtime: Option<Runtime>,
}

/// A socket and how it behaves.
#[derive(Debug)]
struct Desk {
    door: Door,
    pauses: Mutex<Pauses>,
    told: Mutex<Option<Shut>>,
}

impl Runtimes {
    /// Starts the thread that asks.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(options: Options) -> io::Result<Self> {
        let meter = Arc::new(Meter::default());
        let desk = |socket| {
            Arc::new(Desk { door: Door::new(socket), pauses: Mutex::default(), told: Mutex::default() })
        };
        let doors: Arc<[Arc<Desk>]> = options.sockets.into_iter().map(desk).collect();
        let (questions, input) = mpsc::channel(QUEUE);
        let (output, answers) = sync_channel(QUEUE);
        let clerk = Clerk { doors: Arc::clone(&doors), meter: Arc::clone(&meter), timeout: options.timeout };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name("runtimes".into())
            .spawn(move || runtime.block_on(clerk.work(input, output)))?;
        Ok(Self { questions, answers: Mutex::new(answers), doors, meter })
    }

    /// Asks for a container. False when nobody can be asked about it now; then no answer comes.
    pub fn ask(&self, place: &Place) -> bool {
        let Some(id) = &place.container else { return false };
        let known = |desk: &Arc<Desk>| desk.door.is_open() && desk.door.socket.knows(place.runtime);
        if !self.doors.iter().any(known) {
            return false;
        }
        let question = Question { id: Arc::clone(id), runtime: place.runtime };
        if self.questions.try_send(question).is_err() {
            count(&self.meter.refused);
            return false;
        }
        count(&self.meter.containers_asked);
        true
    }

    /// The next answer, if there is one.
    pub fn answer(&self) -> Option<Told> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    /// What was asked, and what came of it.
    pub fn counters(&self) -> Counters {
        self.meter.read()
    }
}

/// The thread.
struct Clerk {
    doors: Arc<[Arc<Desk>]>,
    meter: Arc<Meter>,
    timeout: Duration,
}

impl Clerk {
    async fn work(self, mut questions: mpsc::Receiver<Question>, answers: SyncSender<Told>) {
        let clients: Arc<[Option<Cri>]> = self.doors.iter().map(|desk| client(&desk.door.socket)).collect();
        let news = Arc::new(News::default());
        for (desk, client) in self.doors.iter().zip(clients.iter()) {
            let Some(client) = client.clone() else { continue };
            let (desk, news, meter) = (Arc::clone(desk), Arc::clone(&news), Arc::clone(&self.meter));
            tokio::spawn(async move { desk.listen(&client, &news, &meter).await });
        }
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut looks = interval(LOOK);
        let mut rate = Rate::new(Instant::now());
        loop {
            let question = tokio::select! {
                question = questions.recv() => question,
                _ = looks.tick() => {
                    self.doors.iter().for_each(|desk| desk.look(&self.meter));
                    continue;
                }
            };
            let Some(question) = question else { return };
            while let Some(wait) = rate.wait(Instant::now()) {
                sleep(wait).await;
            }
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let case = Case {
                question,
                doors: Arc::clone(&self.doors),
                clients: Arc::clone(&clients),
                news: Arc::clone(&news),
                meter: Arc::clone(&self.meter),
                timeout: self.timeout,
            };
            let answers = answers.clone();
            tokio::spawn(async move {
                let found = case.solve().await;
                let told = Told { id: Arc::clone(&case.question.id), found: found.map(Arc::new) };
                // The table asks again when an answer found no room.
                if answers.try_send(told).is_err() {
                    count(&case.meter.refused);
                }
                drop(place);
            });
        }
    }
}

fn client(socket: &Socket) -> Option<Cri> {
    match socket.protocol {
        Protocol::Docker | Protocol::Podman => None,
        Protocol::Containerd | Protocol::CriO => Cri::new(&socket.path),
    }
}

/// One question on its way.
struct Case {
    question: Question,
    doors: Arc<[Arc<Desk>]>,
    clients: Arc<[Option<Cri>]>,
    news: Arc<News>,
    meter: Arc<Meter>,
    timeout: Duration,
}

impl Case {
    async fn solve(&self) -> Option<Container> {
        for pause in AGAIN_MS {
            let pause = Duration::from_millis(pause);
            let told = self.news.wait(self.question.runtime, &self.question.id, pause).await;
            let mut knew = false;
            for (desk, client) in self.doors.iter().zip(self.clients.iter()) {
                if !desk.door.is_open() || !desk.door.socket.knows(self.question.runtime) {
                    continue;
                }
                match self.ask(&desk.door.socket, client.clone()).await {
                    Ok(found) => {
                        desk.pauses.lock().unwrap_or_else(PoisonError::into_inner).succeeded();
                        if found.is_some() {
                            count(&self.meter.containers_found);
                            return found;
                        }
                        knew = true;
                    }
                    Err(error) => desk.failed(&error, &self.meter),
                }
            }
            // It was there, and is in no book any more.
            if told.is_some() {
                count(&self.meter.containers_found);
                return told;
            }
            if !knew {
                return None;
            }
        }
        count(&self.meter.containers_unknown);
        None
    }

    async fn ask(&self, socket: &Socket, client: Option<Cri>) -> Result<Option<Container>, AskError> {
        count(&self.meter.requests);
        let id = &*self.question.id;
        let answer = async {
            match (socket.protocol, client) {
                (Protocol::Docker, _) => engine::ask(&socket.path, Runtime::Docker, id).await,
                (Protocol::Podman, _) => engine::ask(&socket.path, Runtime::Podman, id).await,
                (Protocol::Containerd, Some(mut client)) => client.ask(Runtime::Containerd, id).await,
                (Protocol::CriO, Some(mut client)) => client.ask(Runtime::CriO, id).await,
                (_, None) => Err(AskError::Failed("its path is no address".into())),
            }
        };
        timeout(self.timeout, answer).await.unwrap_or(Err(AskError::Timeout))
    }
}

impl Desk {
    /// Hears what the runtime tells by itself, for ever. One that does not offer it is asked as ever.
    async fn listen(&self, client: &Cri, news: &News, meter: &Meter) {
        let runtime = match self.door.socket.protocol {
            Protocol::CriO => Runtime::CriO,
            _ => Runtime::Containerd,
        };
        loop {
            if !self.door.is_open() {
                sleep(LOOK).await;
                continue;
            }
            let began = Instant::now();
            let ended = client.hear(runtime, news, meter).await;
            let path = self.door.socket.path.display();
            debug!(%path, ?ended, "A container runtime tells of no events (any more).");
            sleep(if began.elapsed() > LISTEN_AGAIN { LOOK } else { LISTEN_AGAIN }).await;
        }
    }

    /// Nobody asks here for a while.
    fn failed(&self, error: &AskError, meter: &Meter) {
        count(match error {
            AskError::Timeout => &meter.timeouts,
            AskError::Malformed(_) => &meter.malformed,
            AskError::Forbidden | AskError::Failed(_) => &meter.failures,
        });
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        // Others that were under way when it failed add nothing.
        if self.door.open.swap(false, Ordering::Relaxed) {
            let pause = pauses.failed(Instant::now());
            let path = self.door.socket.path.display();
            warn!(%path, %error, pause_s = pause.as_secs(), "A container runtime does not answer; it is asked again later.");
        }
    }

    /// Whether the socket is there, and may be asked.
    fn look(&self, meter: &Meter) {
        let found = look(&self.door.socket);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.door.socket.path.display();
        if found == Err(Shut::Untrusted) && *told != Some(Shut::Untrusted) {
            count(&meter.untrusted);
            warn!(%path, "The socket of a container runtime belongs to another user: not asked. Name it in enrichment.sockets to trust it.");
        }
        *told = found.err();
        let over = self.pauses.lock().unwrap_or_else(PoisonError::into_inner).over(Instant::now());
        let open = found.is_ok() && over;
        if self.door.open.swap(open, Ordering::Relaxed) != open {
            if open {
                info!(%path, "A container runtime can be asked.");
            } else {
                debug!(%path, "A container runtime has gone.");
            }
        }
    }
}

/// So many a second.
struct Rate {
    left: u32,
    filled: Instant,
}

impl Rate {
    fn new(now: Instant) -> Self {
        Self { left: BURST, filled: now }
    }

    /// Takes one, or says how long to wait before the next attempt.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let one = Duration::from_secs(1) / PER_SECOND;
        let due = now.saturating_duration_since(self.filled).as_nanos() / one.as_nanos();
        let due = u32::try_from(due).unwrap_or(u32::MAX);
        if due > 0 {
            self.left = self.left.saturating_add(due).min(BURST);
            self.filled = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                None
            }
            None => Some(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_have_a_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let granted = |rate: &mut Rate, ms| {
            (0..1000).filter(|_| rate.wait(start + Duration::from_millis(ms)).is_none()).count()
        };
        assert_eq!([0, 1, 5, 1000, 9000].map(|ms| granted(&mut rate, ms)), [100, 0, 1, 100, 100]);
    }
}
