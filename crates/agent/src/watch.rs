//! Looks after the rule files: when one changes, the main thread is told.
//!
//! Watched are directories, not files: editors and Kubernetes replace a file by another of the same name. A
//! ConfigMap swaps the symbolic link `..data`, whose name is all that changes.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::{fd::AsFd as _, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor},
};
use tracing::{debug, warn};

use crate::run::Message;

/// A writer of many files is waited for until it has been silent for this long,
const QUIET: Duration = Duration::from_millis(200);
/// but no longer than this.
const MOST: Duration = Duration::from_secs(2);

/// What means that a file may be another one now, and that somebody writes: a file that is being written is left alone until
/// it is closed, and what changed beside it waits for that too.
fn changes() -> AddWatchFlags {
    AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_ONLYDIR
}

/// Names in one directory that matter.
#[derive(Debug, Default)]
struct Names {
    files: Vec<OsString>,
    /// Every rule file.
    all: bool,
}

impl Names {
    fn matter(&self, name: &OsStr) -> bool {
        let rules = || [b".yaml".as_slice(), b".yml"].iter().any(|end| name.as_bytes().ends_with(end));
        name == "..data" || self.files.iter().any(|file| file == name) || self.all && rules()
    }
}

/// Watches these files and directories until the process ends. What cannot be watched is said: a signal still
/// makes the agent read it again.
pub(crate) fn start(paths: &[PathBuf], main: mpsc::Sender<Message>) {
    let (inotify, names) = match open(paths) {
        Ok((_, names)) if names.is_empty() => return,
        Ok(opened) => opened,
        Err(error) => {
            warn!(%error, "Cannot watch the rule files; after a change send SIGHUP.");
            return;
        }
    };
    let thread = move || {
        while wait(&inotify, &names) {
            if main.send(Message::Changed).is_err() {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("watch".into()).spawn(thread) {
        warn!(%error, "Cannot watch the rule files; after a change send SIGHUP.");
    }
}

fn open(paths: &[PathBuf]) -> nix::Result<(Inotify, HashMap<WatchDescriptor, Names>)> {
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let mut names: HashMap<WatchDescriptor, Names> = HashMap::new();
    for path in paths {
        let (directory, file) =
            if path.is_dir() { (path.as_path(), None) } else { (parent(path), path.file_name()) };
        match inotify.add_watch(directory, changes()) {
            Ok(watch) => {
                let names = names.entry(watch).or_default();
                names.files.extend(file.map(OsStr::to_owned));
                names.all |= file.is_none();
            }
            // The directory of the default rules need not be there.
            Err(error) => debug!(%error, directory = %directory.display(), "Cannot watch a directory."),
        }
    }
    Ok((inotify, names))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Waits for a change and for the silence after it. False when there is nothing to wait for any more.
fn wait(inotify: &Inotify, names: &HashMap<WatchDescriptor, Names>) -> bool {
    let mut first: Option<Instant> = None;
    loop {
        let patience = match first {
            None => PollTimeout::NONE,
            Some(first) if first.elapsed() >= MOST => return true,
            Some(_) => PollTimeout::try_from(QUIET).unwrap_or(PollTimeout::ZERO),
        };
        match poll(&mut [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)], patience) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => return false,
        }
        let events = match inotify.read_events() {
            Ok(events) => events,
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => continue,
            Err(_) => return false,
        };
        if events.iter().any(|event| matters(event, names)) && first.is_none() {
            first = Some(Instant::now());
        }
    }
}

fn matters(event: &InotifyEvent, names: &HashMap<WatchDescriptor, Names>) -> bool {
    // The kernel has dropped events: anything may have changed.
    if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
        return true;
    }
    if event.mask.contains(AddWatchFlags::IN_MODIFY) {
        return false;
    }
    let name = event.name.as_deref();
    names.get(&event.wd).zip(name).is_some_and(|(names, name)| names.matter(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn who_writes_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (inotify, names) = open(&[dir.path().to_owned()]).unwrap();
        let file = dir.path().join("rules.yaml");
        let writer = thread::spawn({
            let file = file.clone();
            move || {
                let mut file = fs::File::create(file).unwrap();
                for _ in 0..40 {
                    thread::sleep(QUIET / 20);
                    file.write_all(b"- list: x\n").unwrap();
                }
            }
        });
        // Its birth is the first that is heard of it.
        assert!(wait(&inotify, &names));
        assert_eq!(fs::read(&file).unwrap().len(), 400);
        writer.join().unwrap();
    }
}
