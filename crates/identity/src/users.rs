//! Names of users, read by a thread of its own: a file system may hang, and may be a container's.

mod read;
mod service;

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use sentinel_event::{User, Users, UsersOf};
use tracing::warn;

use self::{
    read::{Books, Version},
    service::{LookUp, Service},
};
use crate::{
    Counters,
    meter::{Meter, count},
};

/// Questions that wait, and answers that wait.
const QUEUE: usize = 256;
/// Databases that are kept, to see that nothing has changed.
const KEPT: usize = 256;
/// How long one reading may take before another thread goes on.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a thread that has nothing to do looks whether another has taken over.
const IDLE: Duration = Duration::from_secs(1);
/// How often it is looked whether a container that is being made has got its own root directory, for how long, and
/// how many at once.
const LOOK: Duration = Duration::from_millis(4);
const LOOK_FOR: Duration = Duration::from_secs(2);
const LOOKED_AT: usize = 64;
/// Threads that may hang; then no users are read any more.
const STUCK: u64 = 4;

/// An answer.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whose, as it was asked.
    pub of: UsersOf,
    /// None when they could not be read. The same `Arc` as before when nothing has changed.
    pub users: Option<Arc<Users>>,
}

/// Those who read user databases.
#[derive(Debug)]
pub struct UserBooks {
    questions: SyncSender<Question>,
    service: Service,
    shared: Arc<Shared>,
    answers: Mutex<Receiver<Found>>,
}

#[derive(Debug, Clone)]
struct Question {
    of: UsersOf,
    tgid: u32,
}

/// What all readers share. A hanging one holds none of it.
#[derive(Debug)]
struct Shared {
    input: Mutex<Receiver<Question>>,
    output: SyncSender<Found>,
    /// By version, and how many users directory services had told of then.
    kept: Mutex<HashMap<(Version, usize), Arc<Users>>>,
    /// Users of our own mount namespace that its files do not have.
    strangers: Arc<Mutex<Vec<User>>>,
    meter: Meter,
    begin: Instant,
    /// When the reading began that is under way, milliseconds after `begin`; 0 for none.
    busy_ms: AtomicU64,
    /// How long one reading may take.
    patience: Duration,
    /// The reader whose work `busy_ms` is: those before it hang.
    reader: AtomicU64,
}

impl UserBooks {
    /// Starts the thread that reads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Self> {
        Self::with(PATIENCE, service::look_up)
    }

    fn with(patience: Duration, look_up: LookUp) -> io::Result<Self> {
        let (questions, input) = sync_channel(QUEUE);
        let (output, answers) = sync_channel(QUEUE);
        let shared = Arc::new(Shared {
            input: Mutex::new(input),
            output,
            kept: Mutex::default(),
            strangers: Arc::default(),
            meter: Meter::default(),
            begin: Instant::now(),
            busy_ms: AtomicU64::new(0),
            patience,
            reader: AtomicU64::new(0),
        });
        spawn(&shared, 0)?;
        let service = Service::start(look_up, Arc::clone(&shared.strangers), questions.clone())?;
        Ok(Self { questions, service, shared, answers: Mutex::new(answers) })
    }

    /// Asks the name services of this system (`nsswitch.conf`: LDAP, systemd's dynamic users …) for a user whom the files
    /// of the host's mount namespace `of` do not have, on behalf of the process `tgid` in it: what our name services
    /// say holds where our files do. False: nobody is asked. Who is found comes with an answer about `of`. A service
    /// that hangs keeps nobody waiting but others whom it is asked for.
    pub fn ask_user(&self, of: UsersOf, tgid: u32, uid: u32) -> bool {
        self.service.ask(Question { of, tgid }, uid)
    }

    /// Asks for users, by the root directory of a process in the mount namespace. False: no answer will come. A
    /// container whose root directory is still the host's is waited for, two seconds at most: its first program may
    /// be too short to be asked in time.
    pub fn ask(&self, of: UsersOf, tgid: u32) -> bool {
        self.replace_stuck();
        let asked = self.questions.try_send(Question { of, tgid }).is_ok();
        if !asked {
            count(&self.shared.meter.refused);
        }
        asked
    }

    /// The next answer, if there is one.
    pub fn answer(&self) -> Option<Found> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    /// What was read.
    pub fn counters(&self) -> Counters {
        self.shared.meter.read()
    }

    fn replace_stuck(&self) {
        let (busy_ms, now_ms) = (self.shared.busy_ms.load(Ordering::Relaxed), self.shared.now_ms());
        let patience = u64::try_from(self.shared.patience.as_millis()).unwrap_or(u64::MAX);
        let reader = self.shared.reader.load(Ordering::Relaxed);
        if busy_ms == 0 || now_ms.saturating_sub(busy_ms) < patience || reader >= STUCK {
            return;
        }
        count(&self.shared.meter.users_stuck);
        let next = reader + 1;
        self.shared.reader.store(next, Ordering::Relaxed);
        self.shared.busy_ms.store(0, Ordering::Relaxed);
        warn!(
            reader,
            "Reading a container's users does not end: its file system hangs. Another thread goes on."
        );
        if let Err(error) = spawn(&self.shared, next) {
            warn!(%error, "No thread to read users with; they have no names from now on.");
        }
    }
}

fn spawn(shared: &Arc<Shared>, reader: u64) -> io::Result<()> {
    let shared = Arc::clone(shared);
    thread::Builder::new().name("users".into()).spawn(move || shared.work(reader)).map(drop)
}

impl Shared {
    fn now_ms(&self) -> u64 {
        // Never 0, which means nothing.
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Until nobody asks any more, or another has taken over.
    fn work(&self, reader: u64) {
        let mut early: VecDeque<(Instant, Question)> = VecDeque::new();
        while self.reader.load(Ordering::Relaxed) == reader {
            let received = {
                let input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
                let wait = if early.is_empty() { IDLE } else { LOOK };
                input.recv_timeout(wait)
            };
            self.busy_ms.store(self.now_ms(), Ordering::Relaxed);
            let now = Instant::now();
            early.retain(|(until, question)| {
                let wait = now < *until && is_early(question);
                if !wait {
                    self.answer(question.clone());
                }
                wait
            });
            match received {
                Ok(question) if early.len() < LOOKED_AT && is_early(&question) => {
                    early.push_back((now + LOOK_FOR, question));
                }
                Ok(question) => self.answer(question),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.reader.load(Ordering::Relaxed) == reader {
                self.busy_ms.store(0, Ordering::Relaxed);
            }
        }
    }

    fn answer(&self, question: Question) {
        if self.output.try_send(self.read(question)).is_err() {
            count(&self.meter.refused);
        }
    }

    fn read(&self, question: Question) -> Found {
        let Question { of, tgid } = question;
        // Both fail in a mount namespace that is not the host's.
        let hosts = || Books::open(of.mnt, 1).or_else(|_| Books::open(of.mnt, std::process::id()));
        let own = || Books::open(of.mnt, tgid);
        // A process of the host may have ended, or have a root directory that is not the others'. What is in a
        // container's cgroup and still in the host's mount namespace is about to start it.
        let contained = of.container.is_some();
        let books = if contained { own().or_else(|_| hosts()) } else { hosts().or_else(|_| own()) };
        let users = books.and_then(|books| {
            let ours = !contained && books.are_ours();
            let more = if ours {
                self.strangers.lock().unwrap_or_else(PoisonError::into_inner).clone()
            } else {
                Vec::new()
            };
            let version = (books.version().clone(), more.len());
            let known = self.kept().get(&version).cloned();
            match known {
                Some(known) => Ok(known),
                None => {
                    let users = Arc::new(books.read(more)?);
                    let mut kept = self.kept();
                    if kept.len() >= KEPT {
                        // Whatever is in use is read again; nothing is lost.
                        kept.clear();
                    }
                    kept.insert(version, Arc::clone(&users));
                    Ok(users)
                }
            }
        });
        match &users {
            Ok(_) => count(&self.meter.users_read),
            Err(_) => count(&self.meter.users_failed),
        }
        Found { of, users: users.ok() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(Version, usize), Arc<Users>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A container that is being made: its mount namespace is there, its root directory is still the host's.
fn is_early(question: &Question) -> bool {
    let is_hosts = [1, std::process::id()].into_iter().any(|host| read::is_in(question.of.mnt, host));
    question.of.container.is_some() && !is_hosts && read::has_root_of_host(question.tgid)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn ours() -> UsersOf {
        let mnt = std::fs::metadata("/proc/self/ns/mnt").unwrap().ino();
        UsersOf { mnt: mnt.try_into().unwrap(), container: None }
    }

    fn wait(books: &UserBooks) -> Found {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(found) = books.answer() {
                return found;
            }
            assert!(Instant::now() < deadline, "no answer");
            thread::yield_now();
        }
    }

    #[test]
    fn users_of_our_own_root_are_found_and_shared() {
        let books = UserBooks::start().unwrap();
        let own = std::process::id();
        assert!(books.ask(ours(), own));
        let first = wait(&books);
        assert_eq!(first.users.as_ref().unwrap().user(0).unwrap().name, "root");
        assert!(books.ask(ours(), own));
        let second = wait(&books);
        assert!(Arc::ptr_eq(first.users.as_ref().unwrap(), second.users.as_ref().unwrap()));
        assert!(books.ask(UsersOf { mnt: ours().mnt + 1, ..ours() }, own));
        assert!(wait(&books).users.is_none(), "a process of another namespace");
        assert_eq!((books.counters().users_read, books.counters().users_failed), (2, 1));
    }

    #[test]
    fn a_user_whom_only_a_directory_service_knows_has_a_name_and_a_service_that_hangs_stops_nobody() {
        let look_up: LookUp = |uid| match uid {
            54_321 => Some(User { uid, name: "ldap-ann".into(), ..User::default() }),
            54_322 => loop {
                thread::park();
            },
            _ => None,
        };
        let books = UserBooks::with(PATIENCE, look_up).unwrap();
        let own = std::process::id();
        assert!(books.ask_user(ours(), own, 54_320) && books.ask_user(ours(), own, 54_321));
        let found = wait(&books).users.unwrap();
        assert_eq!((&*found.user(54_321).unwrap().name, &*found.user(0).unwrap().name), ("ldap-ann", "root"));
        assert!(found.user(54_320).is_none());
        assert!(books.ask_user(ours(), own, 54_322));
        assert!(books.ask(ours(), own));
        assert!(Arc::ptr_eq(&wait(&books).users.unwrap(), &found), "kept, and nobody waits");
        let asked = (0..10 * QUEUE).filter(|_| books.ask_user(ours(), own, 54_323)).count();
        assert!(asked <= QUEUE, "what waits for it is bounded: {asked}");
    }

    #[test]
    fn a_reader_that_hangs_is_replaced_and_others_go_on() {
        let books = UserBooks::with(Duration::from_millis(20), service::look_up).unwrap();
        let own = std::process::id();
        // The reader cannot go on as long as this is held.
        let held = books.shared.kept.lock().unwrap();
        assert!(books.ask(ours(), own));
        let deadline = Instant::now() + Duration::from_secs(10);
        while books.counters().users_stuck == 0 {
            assert!(Instant::now() < deadline, "nobody notices");
            thread::sleep(Duration::from_millis(5));
            books.replace_stuck();
        }
        drop(held);
        assert!(books.ask(ours(), own));
        assert!(wait(&books).users.is_some() && wait(&books).users.is_some());
        assert_eq!(books.shared.reader.load(Ordering::Relaxed), books.counters().users_stuck);
        assert!(books.counters().users_stuck <= STUCK);
    }
}
