//! The forward rules: which events leave the node.
//!
//! ```yaml
//! rules:
//!   - name: passwords          # its own, for people
//!     enabled: true            # default
//!     event: file_read         # any event kind
//!     match:                   # both must hold; absent or empty: anything
//!       pathPrefixes: [/etc/shadow, /etc/passwd]
//!       comms: [cat]
//! ```
//!
//! An event is forwarded when one enabled rule matches it. Losses are always forwarded.
//!
//! * **pathPrefixes**: one of them is a prefix of the path, byte by byte (`/etc/pass` matches `/etc/passwd`).
//!   Judged is, for `exec`, the program (what was asked for when none ran); for `file_open`, the kernel's path
//!   and the one that was asked for; for `file_rename`, both names; for `mmap_exec`, the mapped file; for other
//!   file kinds, the path. One match is enough. A file event whose path is not known whole matches: hiding a
//!   path must not hide the event. Kinds without a path never match.
//! * **comms**: one of them is the name of the thread or of its process. The kernel keeps 15 bytes of a name;
//!   longer ones are compared as the kernel would keep them.

mod parse;

use bstr::ByteSlice as _;
use sentinel_event::{
    Body, CallInterest, Comm, Comms, FileTarget, Kind, KindSet, Named, Observation, Path, PathFlags, Setting,
    UserPath,
};

/// Why forward rules were refused. Nothing of them is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// Not YAML.
    #[error(
        "{file}: no YAML: {message}; close every bracket and quote before it, and indent with blanks, not tabs"
    )]
    Syntax {
        /// Name of the file.
        file: String,
        /// What the YAML reader says, with line and column.
        message: String,
    },
    /// YAML, but not rules.
    #[error("{file}: {at}: {problem}")]
    Invalid {
        /// Name of the file.
        file: String,
        /// Which key, e.g. `rules[2].match.comms`.
        at: String,
        /// What is wrong with its value, and what would do.
        problem: String,
    },
}

/// A set of forward rules, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardRules {
    /// Kinds of which every event is forwarded.
    whole: KindSet,
    /// Kinds of which some are.
    partial: KindSet,
    rules: Vec<Rule>,
}

/// One enabled rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    kind: Kind,
    prefixes: Vec<Vec<u8>>,
    comms: Vec<Comm>,
}

impl Default for ForwardRules {
    /// Every `file_read` and `file_write`.
    fn default() -> Self {
        Self::of_kinds([Kind::FileRead, Kind::FileWrite].into_iter().collect())
    }
}

impl ForwardRules {
    /// Every event of every kind.
    pub fn every_kind() -> Self {
        Self::of_kinds(KindSet::all())
    }

    /// Every event of these kinds.
    pub fn of_kinds(kinds: KindSet) -> Self {
        Self::new(kinds.iter().map(|kind| Rule { kind, prefixes: Vec::new(), comms: Vec::new() }).collect())
    }

    /// Reads rules. `name` is what errors call the text, usually its path. An empty text is the default set;
    /// `rules: []` forwards nothing.
    ///
    /// # Errors
    /// [`ForwardError`] with the first thing that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, ForwardError> {
        parse::parse(name, text)
    }

    /// Kinds of which events may be forwarded; `loss` is always among them.
    pub fn kinds(&self) -> KindSet {
        self.whole.union(self.partial)
    }

    /// Which calls may be forwarded: by name, where every rule for their kind names some.
    pub fn calls(&self) -> CallInterest {
        let mut interest = CallInterest::default();
        for rule in &self.rules {
            let comms = Comms::Only(rule.comms.iter().copied().collect());
            let some = Named { comms, ..Named::default() };
            let named = if rule.comms.is_empty() { Named::all() } else { some };
            Setting::all().for_each(|setting| interest.insert(rule.kind, setting, named.clone()));
        }
        interest
    }

    /// Whether the event is to be forwarded. Does not allocate.
    pub fn matches(&self, observation: &Observation) -> bool {
        let kind = observation.event.kind();
        self.whole.contains(kind)
            || self.partial.contains(kind)
                && self.rules.iter().any(|rule| rule.kind == kind && rule.matches(observation))
    }

    fn new(rules: Vec<Rule>) -> Self {
        let kinds =
            |whole| rules.iter().filter(|rule| rule.takes_all() == whole).map(|rule| rule.kind).collect();
        let mut all: KindSet = kinds(true);
        all.insert(Kind::Loss);
        Self { whole: all, partial: kinds(false), rules }
    }
}

impl Rule {
    fn takes_all(&self) -> bool {
        self.prefixes.is_empty() && self.comms.is_empty()
    }

    fn matches(&self, observation: &Observation) -> bool {
        (self.comms.is_empty() || self.comms.iter().any(|comm| named(observation, comm)))
            && (self.prefixes.is_empty() || self.path_matches(&observation.event.body))
    }

    fn path_matches(&self, body: &Body) -> bool {
        match body {
            Body::Exec(exec) if exec.exe.bytes.is_empty() => self.starts(&exec.filename),
            Body::Exec(exec) => self.found(&exec.exe),
            Body::FileOpen(open) => {
                let unknown = open.path.bytes.is_empty() && open.asked.path.is_empty();
                unknown
                    || !open.path.bytes.is_empty() && self.found(&open.path)
                    || self.starts(&open.asked.path)
            }
            Body::FileRead(io) | Body::FileWrite(io) => self.found(&io.path),
            Body::FileClose(close) => self.found(&close.path),
            Body::FileUnlink(unlink) => self.named(&unlink.target),
            Body::FileRename(rename) => self.named(&rename.from) || self.named(&rename.to),
            Body::FileLink(link) => self.named(&link.from) || self.named(&link.to),
            Body::FileSymlink(symlink) => self.named(&symlink.link) || self.starts(&symlink.target),
            Body::FileMkdir(mkdir) => self.named(&mkdir.target),
            Body::FileRmdir(rmdir) => self.named(&rmdir.target),
            Body::FileMknod(mknod) => self.named(&mknod.target),
            Body::FileChmod(chmod) => self.target(&chmod.file),
            Body::FileChown(chown) => self.target(&chown.file),
            Body::FileTruncate(truncate) => self.target(&truncate.file),
            Body::Mount(mount) => self.named(&mount.target) || self.starts(&mount.source.path),
            Body::Umount(umount) => self.named(&umount.target),
            Body::Chroot(chroot) => self.found(&chroot.root) || self.starts(&chroot.asked.path),
            // No path: pipes and sockets.
            Body::Dup(dup) => !dup.path.bytes.is_empty() && self.found(&dup.path),
            // No path: a module from memory.
            Body::ModuleLoad(module) => !module.path.bytes.is_empty() && self.found(&module.path),
            // No path: memory without a file.
            Body::MmapExec(mmap) => !mmap.path.bytes.is_empty() && self.found(&mmap.path),
            Body::Fork(_)
            | Body::Exit(_)
            | Body::Connect(_)
            | Body::Accept(_)
            | Body::Bind(_)
            | Body::Listen(_)
            | Body::Ptrace(_)
            | Body::MemfdCreate(_)
            | Body::MprotectExec(_)
            | Body::Socket(_)
            | Body::Send(_)
            | Body::Recv(_)
            | Body::Dns(_)
            | Body::Setuid(_)
            | Body::Capset(_)
            | Body::Prctl(_)
            | Body::Signal(_)
            | Body::Setns(_)
            | Body::Unshare(_)
            | Body::Bpf(_)
            | Body::Userfaultfd(_)
            | Body::IoUringSetup(_)
            | Body::ProcessVmWrite(_)
            | Body::Syscall(_)
            | Body::Loss(_) => false,
        }
    }

    /// By descriptor the kernel's path, by name what is known of that.
    fn target(&self, file: &FileTarget) -> bool {
        if file.path.bytes.is_empty() { self.named(&file.asked) } else { self.found(&file.path) }
    }

    /// A kernel path. Where its top is not known, no prefix can be ruled out.
    fn found(&self, path: &Path) -> bool {
        const TOP_UNKNOWN: [PathFlags; 4] =
            [PathFlags::CUT, PathFlags::TORN, PathFlags::DETACHED, PathFlags::DISCONNECTED];
        self.asked(&path.bytes) || TOP_UNKNOWN.iter().any(|flag| path.flags.contains(*flag))
    }

    /// A name that may have led to one of two paths.
    fn named(&self, name: &UserPath) -> bool {
        self.asked(&name.path) || name.second.as_deref().is_some_and(|second| self.starts(second))
    }

    /// A path that is empty only because it could not be read.
    fn asked(&self, path: &[u8]) -> bool {
        path.is_empty() || self.starts(path)
    }

    fn starts(&self, path: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| path.starts_with(prefix))
    }
}

fn named(observation: &Observation, comm: &Comm) -> bool {
    let name = comm.as_bstr();
    observation.event.head.comm == *comm
        || observation.process.as_ref().is_some_and(|process| process.comm.as_bstr() == name)
}

#[cfg(test)]
mod tests;
