//! Totals become events. The kernel tells how much a process has read and written since it first used an
//! open file; the ledger remembers what has been told and reports the difference. A record that was lost
//! is made good by the next one.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use sentinel_event::{Body, Event, FileClose, FileIo, Head, Kind, KindSet, Path, ProcessKey, Text};
use zerocopy::FromBytes as _;

use crate::{
    abi,
    decode::{Close, Io, OpenFile},
};

const READ: usize = 0;
const WRITE: usize = 1;

/// Entries younger than this may have records in the ring that we have not read yet.
const SETTLED_NS: u64 = 2_000_000_000;
/// Closed entries older than this are removed from the kernel's table.
const STALE_NS: u64 = 60_000_000_000;

/// Which open file of which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    file: u64,
    tgid: u32,
}

/// What has been told about an open file.
#[derive(Debug)]
struct Told {
    file: OpenFile,
    head: Head,
    path: Path,
    calls: [u64; 2],
    bytes: [u64; 2],
    closed: bool,
}

/// One entry of the kernel's table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    start_ns: u64,
    file: OpenFile,
    calls: [u64; 2],
    bytes: [u64; 2],
    closed: bool,
    untold: bool,
    single: bool,
    own: bool,
}

/// What has been told so far. As large as the kernel's table at most.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    told: FxHashMap<Key, Told>,
    /// Processes that ended since the last sweep.
    exited: HashSet<ProcessKey>,
    /// Calls that gave no event of their own: `[reads, writes]`.
    pub(crate) folded: [u64; 2],
}

impl Ledger {
    /// The record that names a file, or a single call.
    pub(crate) fn io(&mut self, head: Head, io: Io, out: &mut Vec<Event>) {
        let way = usize::from(io.write);
        if io.single {
            out.push(io_event(head, way, &io.file, (io.path, io.data), io.calls, io.bytes));
            return;
        }
        let key = Key { file: io.file.key, tgid: head.process.tgid };
        let told = self.told.entry(key).or_insert_with(|| Told::new(io.file, &head, &io.path));
        if told.file.opened_ns != io.file.opened_ns {
            *told = Told::new(io.file, &head, &io.path);
        }
        if told.path.bytes.is_empty() {
            told.path.clone_from(&io.path);
        }
        told.tell_at((io.path, io.data), way, head, (io.calls, io.bytes), &mut self.folded, out);
    }

    /// The totals of a closed file.
    pub(crate) fn close(&mut self, head: Head, close: &Close, wanted: KindSet, out: &mut Vec<Event>) {
        let key = Key { file: close.file.key, tgid: head.process.tgid };
        let told = self.told.entry(key).or_insert_with(|| Told::new(close.file, &head, &Path::default()));
        if told.file.opened_ns != close.file.opened_ns {
            *told = Told::new(close.file, &head, &Path::default());
        }
        told.finish(head, close.calls, close.bytes, close.single, wanted, &mut self.folded, out);
    }

    /// A process ended: what it left open is closed.
    pub(crate) fn exit(&mut self, process: ProcessKey) {
        self.exited.insert(process);
    }

    /// Compares the kernel's table with what has been told. Call it when the ring has been emptied.
    /// Returns the keys to delete there.
    pub(crate) fn sweep(
        &mut self,
        entries: impl Iterator<Item = Entry>,
        now: (u64, u64),
        wanted: KindSet,
        out: &mut Vec<Event>,
    ) -> Vec<Key> {
        let mut delete = Vec::new();
        let mut alive = HashSet::new();
        for entry in entries {
            let exited = self.exited.contains(&ProcessKey { tgid: entry.key.tgid, start_ns: entry.start_ns });
            let age = now.0.saturating_sub(entry.file.opened_ns);
            if !entry.own {
                self.tell_entry(&entry, exited, age, now, wanted, out);
            }
            if exited || (entry.closed && !entry.untold && age > STALE_NS) {
                delete.push(entry.key);
            } else if !entry.closed || entry.untold {
                alive.insert(entry.key);
            }
        }
        self.told.retain(|key, told| {
            alive.contains(key) || now.0.saturating_sub(told.file.opened_ns) < SETTLED_NS
        });
        self.exited.clear();
        delete
    }

    fn tell_entry(
        &mut self,
        entry: &Entry,
        exited: bool,
        age: u64,
        (boot_ns, real_ns): (u64, u64),
        wanted: KindSet,
        out: &mut Vec<Event>,
    ) {
        let known = self.told.get_mut(&entry.key).filter(|told| told.file.opened_ns == entry.file.opened_ns);
        let told = match known {
            Some(told) => told,
            // The record that names it may still be on its way, unless nothing more can come.
            None if !exited && age < SETTLED_NS => return,
            None if entry.closed && !entry.untold => return,
            None => {
                let head = Head {
                    process: ProcessKey { tgid: entry.key.tgid, start_ns: entry.start_ns },
                    tid: entry.key.tgid,
                    ..Head::default()
                };
                let fresh = Told::new(entry.file, &head, &Path::default());
                self.told.insert(entry.key, fresh);
                match self.told.get_mut(&entry.key) {
                    Some(told) => told,
                    None => return,
                }
            }
        };
        let head = Head { boot_ns, real_ns, result: 0, ..told.head.clone() };
        if (exited && !entry.closed) || entry.untold {
            told.finish(head, entry.calls, entry.bytes, entry.single, wanted, &mut self.folded, out);
        } else if !entry.single {
            for (way, kind) in [(READ, Kind::FileRead), (WRITE, Kind::FileWrite)] {
                if wanted.contains(kind) {
                    told.tell(
                        way,
                        head.clone(),
                        at(entry.calls, way),
                        at(entry.bytes, way),
                        &mut self.folded,
                        out,
                    );
                }
            }
        }
    }

    /// Open files that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.told.len()
    }
}

fn at(pair: [u64; 2], way: usize) -> u64 {
    let [read, write] = pair;
    if way == READ { read } else { write }
}

impl Told {
    fn new(file: OpenFile, head: &Head, path: &Path) -> Self {
        Self { file, head: head.clone(), path: path.clone(), calls: [0; 2], bytes: [0; 2], closed: false }
    }

    /// Reports what is new of one direction.
    fn tell(
        &mut self,
        way: usize,
        head: Head,
        calls: u64,
        bytes: u64,
        folded: &mut [u64; 2],
        out: &mut Vec<Event>,
    ) {
        if at(self.calls, way) < calls {
            self.tell_at((self.path.clone(), Text::default()), way, head, (calls, bytes), folded, out);
        }
    }

    /// The same of a file at a path that is as good as the one that is remembered, and of what the first call moved.
    fn tell_at(
        &mut self,
        said: (Path, Text),
        way: usize,
        head: Head,
        (calls, bytes): (u64, u64),
        folded: &mut [u64; 2],
        out: &mut Vec<Event>,
    ) {
        let (Some(told_calls), Some(told_bytes), Some(folded)) =
            (self.calls.get_mut(way), self.bytes.get_mut(way), folded.get_mut(way))
        else {
            return;
        };
        let new_calls = calls.saturating_sub(*told_calls);
        if new_calls == 0 {
            return;
        }
        let new_bytes = bytes.saturating_sub(*told_bytes);
        *told_calls = calls;
        *told_bytes = bytes.max(*told_bytes);
        *folded += new_calls - 1;
        out.push(io_event(head, way, &self.file, said, new_calls, new_bytes));
    }

    /// The last word: sums, then the close of what was written.
    #[expect(clippy::too_many_arguments, reason = "one caller each for the record and the sweep")]
    fn finish(
        &mut self,
        head: Head,
        calls: [u64; 2],
        bytes: [u64; 2],
        single: bool,
        wanted: KindSet,
        folded: &mut [u64; 2],
        out: &mut Vec<Event>,
    ) {
        let io = Head { syscall: self.head.syscall, ..head.clone() };
        for (way, kind) in [(READ, Kind::FileRead), (WRITE, Kind::FileWrite)] {
            if !single && wanted.contains(kind) {
                self.tell(way, io.clone(), at(calls, way), at(bytes, way), folded, out);
            }
        }
        if !self.closed && at(calls, WRITE) > 0 && wanted.contains(Kind::FileClose) {
            let (path, file) = (self.path.clone(), &self.file);
            let body = FileClose {
                path,
                bytes: at(bytes, WRITE),
                calls: at(calls, WRITE),
                dev: file.dev,
                ino: file.ino,
            };
            out.push(Event { head, body: Body::FileClose(body) });
        }
        self.closed = true;
    }
}

fn io_event(
    head: Head,
    way: usize,
    file: &OpenFile,
    (path, data): (Path, Text),
    calls: u64,
    bytes: u64,
) -> Event {
    let io = FileIo { path, bytes, calls, fd: file.fd, dev: file.dev, ino: file.ino, data };
    let body = if way == WRITE { Body::FileWrite(io) } else { Body::FileRead(io) };
    Event { head, body }
}

impl Key {
    /// As the kernel's map has it.
    pub(crate) fn wire(self) -> abi::sentinel_open_file_key {
        abi::sentinel_open_file_key { file: self.file, tgid: self.tgid, pad: 0 }
    }
}

impl Entry {
    /// From the bytes of the kernel's map; none when they are too few.
    pub(crate) fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        let (key, _) = abi::sentinel_open_file_key::read_from_prefix(key).ok()?;
        let (value, _) = abi::sentinel_open_file::read_from_prefix(value).ok()?;
        Some(Self {
            key: Key { file: key.file, tgid: key.tgid },
            start_ns: value.start_ns,
            file: OpenFile {
                key: key.file,
                opened_ns: value.opened_ns,
                ino: value.ino,
                dev: value.dev,
                fd: value.fd,
            },
            calls: value.calls,
            bytes: value.bytes,
            closed: value.closed != 0,
            untold: value.untold != 0,
            single: value.single != 0,
            own: value.own != 0,
        })
    }
}

#[cfg(test)]
mod tests;
