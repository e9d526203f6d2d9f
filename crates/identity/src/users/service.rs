//! Users that no file tells of: by the name services of this system, in a thread that may wait for them.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

use sentinel_event::User;
use tracing::debug;

use super::{Question, read::short};

/// Questions that wait.
const QUEUE: usize = 64;
/// Users that are kept.
const STRANGERS: usize = 4096;

/// Who has an id; none when nobody has.
pub(super) type LookUp = fn(u32) -> Option<User>;

/// The thread that asks name services.
#[derive(Debug)]
pub(super) struct Service(SyncSender<(Question, u32)>);

impl Service {
    /// Starts it. Whom it finds it puts into `strangers`, and has `readers` answer the question again.
    pub(super) fn start(
        look_up: LookUp,
        strangers: Arc<Mutex<Vec<User>>>,
        readers: SyncSender<Question>,
    ) -> io::Result<Self> {
        let (questions, input) = sync_channel(QUEUE);
        thread::Builder::new().name("name-service".into()).spawn(move || {
            while let Ok((question, uid)) = input.recv() {
                let Some(user) = look_up(uid) else { continue };
                let mut known = strangers.lock().unwrap_or_else(PoisonError::into_inner);
                if known.len() < STRANGERS && known.iter().all(|known| known.uid != uid) {
                    known.push(user);
                    drop(known);
                    // A full queue has one of the same kind in it, or the next reading tells.
                    let _ = readers.try_send(question);
                }
            }
        })?;
        Ok(Self(questions))
    }

    /// False when too many wait.
    pub(super) fn ask(&self, question: Question, uid: u32) -> bool {
        self.0.try_send((question, uid)).is_ok()
    }
}

/// As `getent passwd UID` finds it.
pub(super) fn look_up(uid: u32) -> Option<User> {
    let found = nix::unistd::User::from_uid(uid.into());
    let found = found.inspect_err(|error| debug!(uid, %error, "The name services do not answer.")).ok()??;
    Some(User {
        uid,
        name: short(&found.name),
        home: short(&found.dir.to_string_lossy()),
        shell: short(&found.shell.to_string_lossy()),
    })
}
