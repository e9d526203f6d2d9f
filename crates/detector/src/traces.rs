//! From events to what is kept of them: who ran, and what it touched.

use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{BuildHasher as _, BuildHasherDefault},
    sync::{Mutex, PoisonError},
};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use sentinel_wire::{Event, Events};

use crate::{
    store::{Process, Traces},
    time::millis,
};

/// Processes that are known to be in the store, at most twice as many.
const KNOWN: usize = 32 << 10;
/// Bytes of a text that are kept.
const TEXT: usize = 1024;
/// Kinds of events that are no touch: they say who ran, or nothing of a process.
const SILENT: [&str; 5] = ["fork", "exit", "loss", "canary", "file_close"];

/// Which processes the store has already. Two halves: the older is forgotten when the newer is full.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    new: FxHashSet<u64>,
    old: FxHashSet<u64>,
}

impl Known {
    /// True the first time.
    fn is_new(&self, process: u64) -> bool {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.new.contains(&process) {
            return false;
        }
        if halves.new.len() >= KNOWN {
            halves.old = std::mem::take(&mut halves.new);
        }
        halves.new.insert(process);
        !halves.old.contains(&process)
    }

    /// The store did not take what we gave it.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Halves::default();
    }
}

/// What is kept of a batch, by node.
pub(crate) fn of(events: &Events, known: &Known) -> Vec<Traces> {
    let mut nodes: FxHashMap<&str, Traces> = FxHashMap::default();
    // The same again in the same batch tells nothing new.
    let mut said: HashSet<u64, BuildHasherDefault<FxHasher>> = HashSet::default();
    let hasher = BuildHasherDefault::<FxHasher>::default();
    for event in events.iter() {
        let Some(pid) = text(event, "pid").parse().ok() else { continue };
        let (node, actor) = (event.hostname(), Actor::of(event));
        let traces = nodes.entry(node).or_default();
        let key = hasher.hash_one((node, pid, actor.start, actor.name, actor.exe, actor.cmdline));
        if (!actor.exe.is_empty() || !actor.name.is_empty()) && known.is_new(key) {
            traces.processes.push(actor.process(event, pid));
            if let Some(parent) = parent(event)
                && known.is_new(hasher.hash_one((node, parent.pid, parent.start_ns)))
            {
                traces.processes.push(parent);
            }
        }
        let what = what(event);
        if !what.is_empty() && said.insert(hasher.hash_one((node, pid, event.event_type(), &*what))) {
            traces.touch(millis(event.ts_unix_nano()), pid, cut(event.event_type()), cut(&what));
        }
    }
    let named = nodes.into_iter().map(|(node, traces)| Traces { node: cut(node).to_owned(), ..traces });
    named.collect()
}

fn text<'a>(event: Event<'a>, key: &str) -> &'a str {
    event.data(key).or_else(|| event.attribute(key)).unwrap_or_default()
}

/// What surrounds it; other writers have it among its own facts.
fn around<'a>(event: Event<'a>, key: &str) -> &'a str {
    event.attribute(key).or_else(|| event.data(key)).unwrap_or_default()
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT)).unwrap_or_default()
}

/// Who did it, in the event's own words.
struct Actor<'a> {
    start: &'a str,
    name: &'a str,
    exe: &'a str,
    cmdline: &'a str,
}

impl<'a> Actor<'a> {
    fn of(event: Event<'a>) -> Self {
        let started = event.event_type() == "exec" && !text(event, "exe").is_empty();
        let name = match around(event, "proc.name") {
            "" => text(event, "comm"),
            name => name,
        };
        let [exe, cmdline] = if started { ["exe", "argv"] } else { ["proc.exepath", "proc.cmdline"] }
            .map(|key| around(event, key));
        Self { start: around(event, "proc.pid.ts"), name, exe, cmdline }
    }

    fn process(&self, event: Event<'_>, pid: u32) -> Process {
        Process {
            pid,
            ppid: around(event, "proc.ppid").parse().unwrap_or(0),
            start_ns: self.start.parse().unwrap_or(0),
            ts_ms: millis(event.ts_unix_nano()),
            name: cut(self.name).to_owned(),
            exe: cut(self.exe).to_owned(),
            cmdline: cut(self.cmdline).to_owned(),
        }
    }
}

fn parent(event: Event<'_>) -> Option<Process> {
    let pid = around(event, "proc.ppid").parse().ok().filter(|pid| *pid != 0)?;
    let (name, exe) = (around(event, "proc.pname"), around(event, "proc.pexepath"));
    if name.is_empty() && exe.is_empty() {
        return None;
    }
    Some(Process {
        pid,
        ppid: 0,
        start_ns: around(event, "proc.ppid.ts").parse().unwrap_or(0),
        ts_ms: millis(event.ts_unix_nano()),
        name: cut(name).to_owned(),
        exe: cut(exe).to_owned(),
        cmdline: cut(around(event, "proc.pcmdline")).to_owned(),
    })
}

/// Where an event of the network came from or went to: keys of address, port and path.
const ENDS: [[&str; 3]; 2] =
    [["peer_ip", "peer_port", "peer_path"], ["local_ip", "local_port", "local_path"]];

/// What the event was about: a path, an address, a program. Empty: nothing that would tell.
fn what<'a>(event: Event<'a>) -> Cow<'a, str> {
    let kind = event.event_type();
    if SILENT.contains(&kind) {
        return Cow::Borrowed("");
    }
    let data = |key: &str| event.data(key).unwrap_or_default();
    let file = data("filename");
    // Most are about a file and nothing else.
    if !file.is_empty() && matches!(kind, "file_read" | "file_write" | "file_open") {
        return Cow::Borrowed(file);
    }
    let to = data("new_filename");
    if !to.is_empty() {
        return Cow::Owned(format!("{file} → {to}"));
    }
    for end in ENDS {
        match end.map(data) {
            ["", _, ""] => {}
            ["", _, path] => return Cow::Borrowed(path),
            [ip, port, _] if ip.contains(':') => return Cow::Owned(format!("[{ip}]:{port}")),
            [ip, port, _] => return Cow::Owned(format!("{ip}:{port}")),
        }
    }
    let keys: &[&str] =
        if kind == "exec" { &["exe", "filename"] } else { &["filename", "name", "target_pid", "request"] };
    Cow::Borrowed(keys.iter().map(|key| data(key)).find(|text| !text.is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use sentinel_wire::v1::EventEnvelope;

    use super::*;

    fn event(event_type: &str, facts: &[(&str, &str)]) -> EventEnvelope {
        let data = facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        EventEnvelope {
            hostname: "n".into(),
            event_type: event_type.into(),
            data,
            ts_unix_nano: 5_000_000,
            ..EventEnvelope::default()
        }
    }

    #[test]
    fn a_touch_names_what_was_touched() {
        for (event_type, facts, expected) in [
            ("file_read", &[("filename", "/etc/shadow")][..], "/etc/shadow"),
            ("file_rename", &[("filename", "/a"), ("new_filename", "/b")], "/a → /b"),
            (
                "connect",
                &[("peer_ip", "10.0.0.1"), ("peer_port", "80"), ("local_ip", "10.0.0.2")],
                "10.0.0.1:80",
            ),
            ("connect", &[("peer_ip", "::1"), ("peer_port", "80")], "[::1]:80"),
            ("connect", &[("peer_path", "/run/x.sock")], "/run/x.sock"),
            ("listen", &[("local_ip", "0.0.0.0"), ("local_port", "22")], "0.0.0.0:22"),
            ("exec", &[("exe", "/usr/bin/dash"), ("filename", "sh")], "/usr/bin/dash"),
            ("memfd_create", &[("name", "stage2")], "stage2"),
            ("exit", &[("filename", "/x")], ""),
        ] {
            let events = Events::of(&[event(event_type, facts)]);
            assert_eq!(what(events.get(0).unwrap()), expected, "{event_type}");
        }
    }

    #[test]
    fn a_process_is_kept_once_and_again_when_it_changes() {
        let known = Known::default();
        let read = event(
            "file_read",
            &[
                ("pid", "7"),
                ("filename", "/a"),
                ("proc.name", "cat"),
                ("proc.ppid", "6"),
                ("proc.pname", "sh"),
            ],
        );
        let of = |events: &[EventEnvelope]| of(&Events::of(events), &known);
        let touches = |traces: &Traces| -> usize { traces.leaves.iter().map(|leaf| leaf.touches).sum() };
        let traces = of(&[read.clone(), read.clone()]);
        assert_eq!((traces.len(), traces[0].processes.len(), touches(&traces[0])), (1, 2, 1));
        assert_eq!((traces[0].processes[1].pid, traces[0].processes[1].name.as_str()), (6, "sh"));
        let again = of(std::slice::from_ref(&read));
        assert_eq!((again[0].processes.len(), touches(&again[0])), (0, 1));
        let exec = event("exec", &[("pid", "7"), ("exe", "/bin/ls"), ("argv", "ls -l"), ("proc.name", "ls")]);
        let changed = of(&[exec]);
        assert_eq!(changed[0].processes[0].cmdline, "ls -l");
        known.forget();
        assert_eq!(of(&[read])[0].processes.len(), 2);
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(cut(&"é".repeat(TEXT)).len(), TEXT);
        assert_eq!(cut(&format!("a{}", "é".repeat(TEXT))).len(), TEXT - 1);
        assert_eq!(cut("short"), "short");
    }
}
