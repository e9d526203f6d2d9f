//! What an event says of who did what to what.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash};

use rustc_hash::FxHasher;
use sentinel_wire::Event;

/// Who did what to what.
#[derive(Debug)]
pub(super) struct Act<'a> {
    /// The kind of event; of what failed and of what gives rights away, a kind of its own.
    pub(super) deed: String,
    /// The kind alone.
    pub(super) kind: &'a str,
    /// Image of the container; empty on the host. The same program in two images has two lives.
    pub(super) image: &'a str,
    pub(super) program: &'a str,
    pub(super) parent: &'a str,
    /// Names the process for as long as it lives.
    pub(super) process: u64,
    pub(super) user: &'a str,
    /// The command line, with the program's name.
    pub(super) arguments: &'a str,
    pub(super) target: Target<'a>,
}

/// To what.
#[derive(Debug, PartialEq)]
pub(super) enum Target<'a> {
    None,
    File(&'a str),
    Peer { ip: &'a str, port: &'a str },
}

/// Stable from run to run: checkpoints hold these.
pub(super) fn hash(value: impl Hash) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(value)
}

impl<'a> Act<'a> {
    /// None for kinds that say nothing of a program, and where nobody knows the program.
    pub(super) fn of(event: Event<'a>) -> Option<Self> {
        let data = |key: &str| event.data(key).unwrap_or_default();
        let around = |key: &str| event.attribute(key).unwrap_or_default();
        let kind = event.event_type();
        if matches!(kind, "loss" | "canary" | "exit" | "fork") {
            return None;
        }
        let first = |texts: [&'a str; 3]| texts.into_iter().find(|text| !text.is_empty());
        let failed = !matches!(around("evt.res"), "" | "SUCCESS");
        let program = match kind {
            // What could not be started is no program.
            "exec" if failed => None,
            "exec" => first([data("exe"), data("filename"), data("comm")]),
            _ => first([around("proc.exepath"), around("proc.name"), data("comm")]),
        }?;
        let gives_rights =
            kind == "file_chmod" && u32::from_str_radix(data("mode"), 8).is_ok_and(|mode| mode & 0o6000 != 0);
        let deed = match (kind, failed, gives_rights) {
            (_, true, _) => format!("{kind} in vain"),
            (_, false, true) => format!("{kind} to set-user-id"),
            (_, false, false) => kind.to_owned(),
        };
        let target = match (data("peer_ip"), data("filename")) {
            ("", "") => Target::None,
            ("", file) => Target::File(file),
            (ip, _) => Target::Peer { ip, port: data("peer_port") },
        };
        Some(Self {
            deed: deed.replace('_', " "),
            kind,
            image: around("container.image.repository"),
            program,
            parent: first([around("proc.pexepath"), around("proc.pname"), ""])
                .unwrap_or("an unknown program"),
            process: hash((event.hostname(), data("pid"), around("proc.pid.ts"))),
            user: around("user.uid"),
            arguments: around("proc.cmdline"),
            target,
        })
    }
}
