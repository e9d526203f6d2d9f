//! Who stores our output: the processes whose reads and writes our own events cause.
//!
//! * Our standard output or error is a pipe: the processes that hold its reading end (`tee`, a container
//!   runtime's shim), and the readers of the pipes these write to (the runtime behind the shim).
//! * `JOURNAL_STREAM` says that systemd's journal has it: the processes in the journal's cgroup, which only the
//!   service manager can put a process into, and those of the usual syslog services behind it.
//! * We ourselves, when our output is a file.
//!
//! What is found is folded, never excluded (see [`crate::fold`]); the wrong process here costs it some delay.
//! In a pid namespace of our own only its processes are found: for those outside (a container runtime) the
//! kernel's aggregation, one event a second for each open file, is what bounds the feedback.

use std::{
    collections::BTreeSet,
    fs,
    os::{
        fd::{AsFd, AsRawFd as _},
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use sentinel_event::Head;

/// Clock tick of `/proc`: `USER_HZ` is 100 wherever we run.
const TICK_NS: u64 = sentinel_enrich::TICK_NS;
/// Consumers that are kept.
const MOST: usize = 64;
/// Pipes behind pipes that are followed: shim, then runtime.
const DEPTH: usize = 2;
/// Readers of a pipe have this bit in the mode of their `/proc/PID/fd/N`.
const MAY_READ: u32 = 0o400;
const MAY_WRITE: u32 = 0o200;
/// Services that store what the journal or syslog gets.
const JOURNAL_UNITS: [&str; 3] = ["/systemd-journald.service", "/rsyslog.service", "/syslog-ng.service"];

/// A process that stores our output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Consumer {
    /// Its pid, as our `/proc` has it.
    pub(crate) tgid: u32,
    /// Its start, in ticks since boot: pids are reused.
    pub(crate) start_ticks: u64,
    /// Our pid namespace. The kernel reports its own numbers, and those of a process in its own namespace.
    pub(crate) pid_ns: u32,
}

impl Consumer {
    /// Whether this is the process.
    pub(crate) fn is(&self, head: &Head) -> bool {
        let number =
            self.tgid == head.process.tgid || (self.tgid == head.vpid && self.pid_ns == head.namespaces.pid);
        number && self.start_ticks == head.process.start_ns / TICK_NS
    }
}

/// A file as stat(2) names it.
type FileId = (u64, u64);

/// What our own output is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Our descriptors: what we write there is excluded in the kernel.
    pub(crate) descriptors: Vec<i32>,
    /// Pipes, named or not.
    pipes: Vec<FileId>,
    /// systemd's journal has it.
    journal: bool,
}

impl Output {
    /// Looks at descriptors of ours: those that events and log lines go to.
    pub(crate) fn of(descriptors: &[&dyn AsFd]) -> Self {
        let stream = std::env::var("JOURNAL_STREAM").ok();
        let mut output = Self::default();
        for descriptor in descriptors {
            output.descriptors.push(descriptor.as_fd().as_raw_fd());
            let Ok(copy) = descriptor.as_fd().try_clone_to_owned() else { continue };
            let Ok(metadata) = fs::File::from(copy).metadata() else { continue };
            let id = (metadata.dev(), metadata.ino());
            if metadata.file_type().is_fifo() {
                output.pipes.push(id);
            } else if stream.as_deref() == Some(format!("{}:{}", id.0, id.1).as_str()) {
                output.journal = true;
            }
        }
        output
    }

    /// Somebody else must be storing it.
    pub(crate) fn has_consumers(&self) -> bool {
        self.journal || !self.pipes.is_empty()
    }
}

/// Finds the processes that store our output; we are always among them.
pub(crate) fn find(output: &Output, proc: &Path) -> Vec<Consumer> {
    let own = std::process::id();
    let pid_ns = fs::metadata(proc.join("self/ns/pid")).ok().and_then(|ns| u32::try_from(ns.ino()).ok());
    let mut found = BTreeSet::from([own]);
    if output.has_consumers() {
        let processes = processes(proc);
        if output.journal {
            found
                .extend(processes.iter().filter(|(_, path)| stores_the_journal(path)).map(|(tgid, _)| *tgid));
        }
        if !output.pipes.is_empty() {
            let ends: Vec<End> = processes.iter().flat_map(|(tgid, path)| ends(*tgid, path)).collect();
            found.extend(behind(&output.pipes, &ends, own));
        }
    }
    found
        .into_iter()
        .take(MOST)
        .filter_map(|tgid| {
            let start_ticks = start_ticks(&proc.join(tgid.to_string()))?;
            Some(Consumer { tgid, start_ticks, pid_ns: pid_ns.unwrap_or_default() })
        })
        .collect()
}

/// One end of a pipe.
#[derive(Debug, Clone, Copy)]
struct End {
    tgid: u32,
    pipe: FileId,
    mode: u32,
}

/// The readers of our pipes, and of the pipes that these write to.
fn behind(ours: &[FileId], ends: &[End], own: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut pipes: BTreeSet<FileId> = ours.iter().copied().collect();
    for _ in 0..DEPTH {
        let readers: BTreeSet<u32> = ends
            .iter()
            .filter(|end| pipes.contains(&end.pipe) && end.mode & MAY_READ != 0 && end.tgid != own)
            .map(|end| end.tgid)
            .collect();
        pipes = ends
            .iter()
            .filter(|end| readers.contains(&end.tgid) && end.mode & MAY_WRITE != 0)
            .map(|end| end.pipe)
            .collect();
        found.extend(readers);
    }
    found
}

fn processes(proc: &Path) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect()
}

/// The pipes that a process has open. What goes away meanwhile, or may not be seen, is left out.
fn ends(tgid: u32, process: &Path) -> Vec<End> {
    let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    descriptors
        .filter_map(|descriptor| {
            let path = descriptor.path();
            let file = fs::metadata(&path).ok().filter(|file| file.file_type().is_fifo())?;
            let mode = fs::symlink_metadata(&path).ok()?.mode();
            Some(End { tgid, pipe: (file.dev(), file.ino()), mode })
        })
        .collect()
}

fn stores_the_journal(process: &Path) -> bool {
    let cgroups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
    cgroups.lines().any(|line| JOURNAL_UNITS.iter().any(|unit| line.ends_with(unit)))
}

/// Field 22 of `/proc/PID/stat`. The name before it may hold anything, so count from its last parenthesis.
fn start_ticks(process: &Path) -> Option<u64> {
    let stat = fs::read(process.join("stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use sentinel_event::{Namespaces, ProcessKey};

    use super::*;

    #[test]
    fn readers_of_our_pipe_are_found_with_those_behind_them() {
        // We write to the first cat, it writes to the second one, which discards.
        let mut second = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let between = second.stdin.take().unwrap();
        let mut first = Command::new("cat").stdin(Stdio::piped()).stdout(between).spawn().unwrap();
        let mut ours = first.stdin.take().unwrap();
        ours.write_all(b"x").unwrap();

        let output = Output::of(&[&ours]);
        assert!(output.has_consumers());
        let found: Vec<u32> =
            find(&output, Path::new("/proc")).iter().map(|consumer| consumer.tgid).collect();
        for expected in [std::process::id(), first.id(), second.id()] {
            assert!(found.contains(&expected), "{expected} in {found:?}");
        }

        drop(ours);
        first.wait().unwrap();
        second.wait().unwrap();
    }

    #[test]
    fn a_file_of_ours_needs_no_search() {
        let file = tempfile::tempfile().unwrap();
        let output = Output::of(&[&file]);
        assert!(!output.has_consumers());
        let found = find(&output, Path::new("/proc"));
        assert_eq!(found.iter().map(|consumer| consumer.tgid).collect::<Vec<_>>(), [std::process::id()]);
    }

    #[test]
    fn the_journal_is_known_by_its_cgroup_not_by_its_name() {
        let proc = tempfile::tempdir().unwrap();
        for (tgid, name, cgroup) in [
            (11, "systemd-journal", "0::/system.slice/systemd-journald.service\n"),
            (12, "systemd-journal", "0::/user.slice/evil.scope\n"),
            (13, "a) b", "12:pids:/x\n1:name=systemd:/system.slice/rsyslog.service\n"),
        ] {
            let process = proc.path().join(tgid.to_string());
            fs::create_dir(&process).unwrap();
            let fields = (4..22).map(|_| "0").collect::<Vec<_>>().join(" ");
            fs::write(process.join("stat"), format!("{tgid} ({name}) S {fields} 77 0\n")).unwrap();
            fs::write(process.join("cgroup"), cgroup).unwrap();
        }
        let output = Output { journal: true, ..Output::default() };
        let consumer = |tgid| Consumer { tgid, start_ticks: 77, pid_ns: 0 };
        assert_eq!(find(&output, proc.path()), [consumer(11), consumer(13)]);
    }

    #[test]
    fn a_process_of_our_namespace_is_known_by_its_number_there() {
        let consumer = Consumer { tgid: 7, start_ticks: 3, pid_ns: 40 };
        let head = |tgid, start_ticks, vpid, pid| Head {
            process: ProcessKey { tgid, start_ns: start_ticks * TICK_NS + 1 },
            vpid,
            namespaces: Namespaces { pid, ..Namespaces::default() },
            ..Head::default()
        };
        assert!(consumer.is(&head(7, 3, 1, 1)), "the kernel's number");
        assert!(consumer.is(&head(900, 3, 7, 40)), "its own number, in our namespace");
        assert!(!consumer.is(&head(900, 3, 7, 41)), "another container's");
        assert!(!consumer.is(&head(900, 4, 7, 40)), "the next process of this number");
    }
}
