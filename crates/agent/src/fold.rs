//! Folding: no feedback through the processes that store our output.
//!
//! Whoever stores our events reads and writes for each of them, and that is an event again. Excluding those
//! processes would blind us to them, so they are slowed down instead: of each such process, kind and path one
//! event passes at once, and for ten seconds the rest is summed into one. An event more in our output then
//! makes at most a fixed trickle of further ones, whatever the load. Sums are exact, nothing is lost, and
//! what was folded is counted.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use sentinel_event::{Body, Kind, Observation, ProcessKey, UserPath};

use crate::consumers::Consumer;

/// How long events are summed.
const WINDOW: Duration = Duration::from_secs(10);
/// Open sums. On top of these the oldest is let out early.
const MOST: usize = 1024;
/// How often sums are looked through.
const LOOK: Duration = Duration::from_millis(100);

/// Same process, same deed, same object, same outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    process: ProcessKey,
    kind: Kind,
    error: i64,
    path: Vec<u8>,
}

#[derive(Debug)]
struct Sum {
    /// The newest event, with the sums of all since the window began.
    held: Option<Observation>,
    /// Events in `held`.
    events: u64,
    until: Instant,
}

/// An event on its way out, and how many further ones it stands for.
pub(crate) type Out = (Observation, u64);

/// Sums of the processes that store our output.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    consumers: Vec<Consumer>,
    sums: HashMap<Key, Sum>,
    looked: Option<Instant>,
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it lives for a moment; a box would cost every event")]
pub(crate) enum Offer {
    /// It passes.
    Pass(Observation),
    /// It is held: a sum of one that will be let out.
    Held,
    /// It went into a sum; there is no event of its own any more.
    Folded,
}

impl Fold {
    /// Whose events are folded from now on.
    pub(crate) fn set_consumers(&mut self, consumers: Vec<Consumer>) {
        self.consumers = consumers;
    }

    /// Takes an event. `early` gets a sum that has to leave because the table is full.
    pub(crate) fn offer(&mut self, observation: Observation, now: Instant, early: &mut Vec<Out>) -> Offer {
        let key = self.consumers.iter().any(|consumer| consumer.is(&observation.event.head));
        let Some(key) = key.then(|| key_of(&observation)).flatten() else {
            return Offer::Pass(observation);
        };
        if let Some(sum) = self.sums.get_mut(&key) {
            sum.events += 1;
            let Some(held) = &mut sum.held else {
                sum.held = Some(observation);
                return Offer::Held;
            };
            let before = std::mem::replace(held, observation);
            add(&mut held.event.body, &before.event.body);
            return Offer::Folded;
        }
        if self.sums.len() >= MOST {
            let oldest = self.sums.iter().min_by_key(|(_, sum)| sum.until).map(|(key, _)| key.clone());
            let sum = oldest.and_then(|oldest| self.sums.remove(&oldest));
            early.extend(sum.and_then(Sum::into_out));
        }
        self.sums.insert(key, Sum { held: None, events: 0, until: now + WINDOW });
        Offer::Pass(observation)
    }

    /// Lets out the sums whose window has passed.
    pub(crate) fn due(&mut self, now: Instant, out: &mut Vec<Out>) {
        if self.sums.is_empty() || self.looked.is_some_and(|looked| now.duration_since(looked) < LOOK) {
            return;
        }
        self.looked = Some(now);
        self.sums.retain(|_, sum| {
            if sum.until > now {
                return true;
            }
            let next = Sum { held: None, events: 0, until: now + WINDOW };
            match std::mem::replace(sum, next).into_out() {
                Some(summed) => {
                    out.push(summed);
                    true
                }
                None => false,
            }
        });
    }

    /// Lets out everything: the end.
    pub(crate) fn drain(&mut self, out: &mut Vec<Out>) {
        out.extend(self.sums.drain().filter_map(|(_, sum)| sum.into_out()));
    }
}

impl Sum {
    fn into_out(self) -> Option<Out> {
        self.held.map(|held| (held, self.events.saturating_sub(1)))
    }
}

/// What is summed with what; none for kinds that are never folded.
fn key_of(observation: &Observation) -> Option<Key> {
    let event = &observation.event;
    let path = match &event.body {
        Body::FileOpen(open) => open.best().to_vec(),
        Body::FileRead(io) | Body::FileWrite(io) => io.path.bytes.to_vec(),
        Body::FileClose(close) => close.path.bytes.to_vec(),
        Body::FileUnlink(unlink) => unlink.target.path.to_vec(),
        Body::FileRename(rename) => both(&rename.from, &rename.to),
        Body::FileLink(link) => both(&link.from, &link.to),
        Body::FileSymlink(symlink) => [symlink.link.path.as_slice(), b"\0", &symlink.target].concat(),
        Body::FileMkdir(mkdir) => mkdir.target.path.to_vec(),
        Body::FileRmdir(rmdir) => rmdir.target.path.to_vec(),
        Body::FileMknod(mknod) => mknod.target.path.to_vec(),
        Body::FileChmod(chmod) => [mark(chmod.mode, chmod.flags).as_slice(), chmod.file.best()].concat(),
        Body::FileChown(chown) => [mark(chown.uid, chown.gid).as_slice(), chown.file.best()].concat(),
        Body::FileTruncate(truncate) => truncate.file.best().to_vec(),
        Body::Exec(_)
        | Body::Fork(_)
        | Body::Exit(_)
        | Body::Connect(_)
        | Body::Accept(_)
        | Body::Bind(_)
        | Body::Listen(_)
        | Body::Ptrace(_)
        | Body::MemfdCreate(_)
        | Body::MmapExec(_)
        | Body::MprotectExec(_)
        | Body::Dup(_)
        | Body::Socket(_)
        | Body::Send(_)
        | Body::Recv(_)
        | Body::Dns(_)
        | Body::Setuid(_)
        | Body::Capset(_)
        | Body::Prctl(_)
        | Body::Signal(_)
        | Body::Mount(_)
        | Body::Umount(_)
        | Body::Chroot(_)
        | Body::Setns(_)
        | Body::Unshare(_)
        | Body::Bpf(_)
        | Body::ModuleLoad(_)
        | Body::Userfaultfd(_)
        | Body::IoUringSetup(_)
        | Body::ProcessVmWrite(_)
        | Body::Syscall(_)
        | Body::Loss(_) => return None,
    };
    Some(Key { process: event.head.process, kind: event.kind(), error: event.head.result.min(0), path })
}

fn both(from: &UserPath, to: &UserPath) -> Vec<u8> {
    [from.path.as_slice(), b"\0", &to.path].concat()
}

/// What must not be summed with something else that is done to the same file.
fn mark(one: u32, two: u32) -> [u8; 8] {
    (u64::from(one) << 32 | u64::from(two)).to_be_bytes()
}

/// Adds the calls and bytes of an earlier event of the same key.
fn add(to: &mut Body, from: &Body) {
    match (to, from) {
        (Body::FileRead(to), Body::FileRead(from)) | (Body::FileWrite(to), Body::FileWrite(from)) => {
            to.bytes = to.bytes.saturating_add(from.bytes);
            to.calls = to.calls.saturating_add(from.calls);
        }
        (Body::FileClose(to), Body::FileClose(from)) => {
            to.bytes = to.bytes.saturating_add(from.bytes);
            to.calls = to.calls.saturating_add(from.calls);
        }
        // The rest has no sums of its own: how many they were is enough.
        _ => {}
    }
}

#[cfg(test)]
mod tests;
