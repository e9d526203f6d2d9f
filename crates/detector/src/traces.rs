//! From events to what is kept of them: who ran, and what it touched.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, BuildHasherDefault},
    sync::{Mutex, PoisonError},
};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use sentinel_wire::v1::EventEnvelope;

use crate::{
    store::{Process, Touch, Traces},
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
pub(crate) fn of(events: &[EventEnvelope], known: &Known) -> Vec<Traces> {
    let mut nodes: FxHashMap<&str, Traces> = FxHashMap::default();
    // The same again in the same batch tells nothing new.
    let mut said: HashSet<u64, BuildHasherDefault<FxHasher>> = HashSet::default();
    let hasher = BuildHasherDefault::<FxHasher>::default();
    for event in events {
        let Some(pid) = event.data.get("pid").and_then(|pid| pid.parse().ok()) else { continue };
        let traces = nodes.entry(&event.hostname).or_default();
        let process = process(event, pid);
        let (name, exe, cmdline) = (&process.name, &process.exe, &process.cmdline);
        let key = hasher.hash_one((&event.hostname, pid, process.start_ns, name, exe, cmdline));
        if (!exe.is_empty() || !name.is_empty()) && known.is_new(key) {
            traces.processes.push(process);
            if let Some(parent) = parent(event)
                && known.is_new(hasher.hash_one((&event.hostname, parent.pid, parent.start_ns)))
            {
                traces.processes.push(parent);
            }
        }
        let what = what(event);
        if !what.is_empty() && said.insert(hasher.hash_one((&event.hostname, pid, &event.event_type, &what)))
        {
            let event_type = cut(&event.event_type);
            traces.touches.push(Touch { ts_ms: millis(event.ts_unix_nano), pid, event_type, what });
        }
    }
    let named = nodes.into_iter().map(|(node, traces)| Traces { node: cut(node), ..traces });
    named.collect()
}

fn text<'a>(event: &'a EventEnvelope, key: &str) -> &'a str {
    event.data.get(key).or_else(|| event.attributes.get(key)).map(String::as_str).unwrap_or_default()
}

fn cut(text: &str) -> String {
    let end =
        text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= TEXT).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

fn process(event: &EventEnvelope, pid: u32) -> Process {
    let number = |key: &str| text(event, key).parse().unwrap_or(0);
    let started = event.event_type == "exec" && !text(event, "exe").is_empty();
    let name = match text(event, "proc.name") {
        "" => text(event, "comm"),
        name => name,
    };
    Process {
        pid,
        ppid: text(event, "proc.ppid").parse().unwrap_or(0),
        start_ns: number("proc.pid.ts"),
        ts_ms: millis(event.ts_unix_nano),
        name: cut(name),
        exe: cut(text(event, if started { "exe" } else { "proc.exepath" })),
        cmdline: cut(text(event, if started { "argv" } else { "proc.cmdline" })),
    }
}

fn parent(event: &EventEnvelope) -> Option<Process> {
    let pid = text(event, "proc.ppid").parse().ok().filter(|pid| *pid != 0)?;
    let (name, exe) = (text(event, "proc.pname"), text(event, "proc.pexepath"));
    if name.is_empty() && exe.is_empty() {
        return None;
    }
    Some(Process {
        pid,
        ppid: 0,
        start_ns: text(event, "proc.ppid.ts").parse().unwrap_or(0),
        ts_ms: millis(event.ts_unix_nano),
        name: cut(name),
        exe: cut(exe),
        cmdline: cut(text(event, "proc.pcmdline")),
    })
}

/// What the event was about: a path, an address, a program. Empty: nothing that would tell.
fn what(event: &EventEnvelope) -> String {
    if SILENT.contains(&event.event_type.as_str()) {
        return String::new();
    }
    let to = text(event, "new_filename");
    if !to.is_empty() {
        return cut(&format!("{} → {to}", text(event, "filename")));
    }
    for end in ["peer", "local"] {
        let part = |part: &str| text(event, &format!("{end}_{part}"));
        match (part("ip"), part("port"), part("path")) {
            ("", _, "") => {}
            ("", _, path) => return cut(path),
            (ip, port, _) if ip.contains(':') => return cut(&format!("[{ip}]:{port}")),
            (ip, port, _) => return cut(&format!("{ip}:{port}")),
        }
    }
    let keys: &[&str] = if event.event_type == "exec" {
        &["exe", "filename"]
    } else {
        &["filename", "name", "target_pid", "request"]
    };
    cut(keys.iter().map(|key| text(event, key)).find(|text| !text.is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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
            assert_eq!(what(&event(event_type, facts)), expected, "{event_type}");
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
        let traces = of(&[read.clone(), read.clone()], &known);
        assert_eq!((traces.len(), traces[0].processes.len(), traces[0].touches.len()), (1, 2, 1));
        assert_eq!((traces[0].processes[1].pid, traces[0].processes[1].name.as_str()), (6, "sh"));
        let again = of(std::slice::from_ref(&read), &known);
        assert_eq!((again[0].processes.len(), again[0].touches.len()), (0, 1));
        let exec = event("exec", &[("pid", "7"), ("exe", "/bin/ls"), ("argv", "ls -l"), ("proc.name", "ls")]);
        let changed = of(&[exec], &known);
        assert_eq!(changed[0].processes[0].cmdline, "ls -l");
        known.forget();
        assert_eq!(of(&[read], &known)[0].processes.len(), 2);
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(cut(&"é".repeat(TEXT)).len(), TEXT);
        assert_eq!(cut(&format!("a{}", "é".repeat(TEXT))).len(), TEXT - 1);
        assert_eq!(cut("short"), "short");
    }
}
