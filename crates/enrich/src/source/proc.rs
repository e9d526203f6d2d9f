//! The host through `/proc` and the cgroup v2 mount.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice as _;
use rustc_hash::FxHashMap;
use sentinel_event::{Capabilities, Process, ProcessKey, Text};

use super::{Births, Cgroup, ROOT_CGROUP, Source, TICK_NS};
use crate::place::container_of;

/// Bytes kept of the arguments, as at exec.
const ARGV_MAX: u64 = 4096;
/// cgroups that one scan looks at.
const CGROUPS_MAX: usize = 65_536;

/// Reads `/proc`, and the cgroup v2 hierarchy where it is mounted (also beside v1, as `unified`).
///
/// Program, user and cgroup are the kernel's; arguments are read from the process, which may have
/// rewritten them.
#[derive(Debug)]
pub struct ProcSource {
    proc: PathBuf,
    /// Where cgroup v2 is mounted; none when it is not.
    cgroups: Option<PathBuf>,
    births: Option<Box<dyn Births>>,
}

impl ProcSource {
    /// This host.
    pub fn new() -> Self {
        Self::at("/proc".into())
    }

    /// A host whose `/proc` is somewhere else.
    pub fn at(proc: PathBuf) -> Self {
        let mountinfo = fs::read(proc.join("self/mountinfo")).unwrap_or_default();
        let mounts = cgroup2_mounts(&mountinfo);
        let is_root = |path: &&PathBuf| fs::metadata(path).is_ok_and(|meta| meta.ino() == ROOT_CGROUP);
        let cgroups = mounts.iter().find(is_root).or_else(|| mounts.first()).cloned();
        Self { proc, cgroups, births: None }
    }

    /// The same, and cgroups that have gone are known by `births`.
    #[must_use]
    pub fn with_births(mut self, births: Option<Box<dyn Births>>) -> Self {
        self.births = births;
        self
    }

    fn read(&self, tgid: u32) -> Option<(Process, u32)> {
        let dir = self.proc.join(tgid.to_string());
        let (stat, ppid) = Stat::parse(&fs::read(dir.join("stat")).ok()?)?;
        let status = fs::read(dir.join("status")).unwrap_or_default();
        let loginuid = fs::read_to_string(dir.join("loginuid")).unwrap_or_default();
        Some((
            Process {
                key: ProcessKey { tgid, start_ns: stat.start_ns },
                parent: ProcessKey::default(),
                host: 0,
                execution: None,
                creator: None,
                comm: stat.comm,
                exe: exe(&dir),
                argv: argv(&dir),
                cwd: cwd(&dir),
                uid: first_number(&status, "Uid:").unwrap_or_default(),
                gid: first_number(&status, "Gid:").unwrap_or_default(),
                loginuid: loginuid.trim().parse().unwrap_or(u32::MAX),
                executable: None,
                vpid: inner_number(&status, "NSpid:").unwrap_or(tgid),
                group: stat.group,
                session: stat.session,
                tty: stat.tty,
                cgroup_id: self.cgroup(&dir).and_then(|cgroup| cgroup.id).unwrap_or_default(),
                capabilities: capabilities(&status),
                exited: false,
            },
            ppid,
        ))
    }

    fn cgroup(&self, dir: &Path) -> Option<Cgroup> {
        let file = fs::read(dir.join("cgroup")).ok()?;
        let legacy = self.legacy(dir, &file);
        let Some(path) = file.lines().find_map(|line| line.strip_prefix(b"0::/")) else {
            // Nobody mounts version 2: everything is in its root.
            return Some(Cgroup { id: Some(ROOT_CGROUP), path: "/".into(), legacy });
        };
        let at = self.cgroups.as_ref().map(|mount| mount.join(OsStr::from_bytes(path)));
        let visible = !path.starts_with(b"..");
        let id = at.filter(|_| visible).and_then(|at| fs::metadata(at).ok()).map(|meta| meta.ino());
        Some(Cgroup { id, path: [b"/", path].concat().into(), legacy })
    }

    /// A path of version 1 with a container in it. A runtime that is about to start one is in its cgroup already,
    /// but still in the host's root directory.
    fn legacy(&self, dir: &Path, file: &[u8]) -> Option<Text> {
        let path = file.lines().filter(|line| !line.starts_with(b"0::")).find_map(|line| {
            let path = line.splitn_str(3, ":").nth(2)?;
            container_of(path.as_bstr()).map(|_| Text::from(path))
        })?;
        let root = |dir: &Path| fs::metadata(dir.join("root/")).ok().map(|meta| (meta.dev(), meta.ino()));
        (root(dir)? != root(&self.proc.join("1"))?).then_some(path)
    }
}

impl Default for ProcSource {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for ProcSource {
    fn processes(&mut self) -> Vec<Process> {
        let Ok(dir) = fs::read_dir(&self.proc) else { return Vec::new() };
        let tgids = dir.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut found: Vec<_> = tgids.filter_map(|tgid| self.read(tgid)).collect();
        let keys: FxHashMap<u32, ProcessKey> = found.iter().map(|(p, _)| (p.key.tgid, p.key)).collect();
        for (process, ppid) in &mut found {
            process.parent = keys.get(ppid).copied().unwrap_or_default();
        }
        found.into_iter().map(|(process, _)| process).collect()
    }

    fn process(&mut self, tgid: u32) -> Option<Process> {
        let (mut process, ppid) = self.read(tgid)?;
        let parent = fs::read(self.proc.join(ppid.to_string()).join("stat")).unwrap_or_default();
        if let Some((stat, _)) = Stat::parse(&parent) {
            process.parent = ProcessKey { tgid: ppid, start_ns: stat.start_ns };
        }
        Some(process)
    }

    fn cgroup_of(&mut self, tgid: u32) -> Option<Cgroup> {
        self.cgroup(&self.proc.join(tgid.to_string()))
    }

    fn born(&mut self, id: u64) -> Option<Text> {
        self.births.as_mut()?.path(id)
    }

    fn placed(&mut self, id: u64, contained: bool) {
        if let Some(births) = &mut self.births {
            births.placed(id, contained);
        }
    }

    fn died(&mut self) -> Option<u64> {
        self.births.as_mut()?.died()
    }

    fn forget(&mut self, id: u64) {
        if let Some(births) = &mut self.births {
            births.forget(id);
        }
    }

    fn invocation(&mut self, unit: &str) -> Option<Arc<str>> {
        // systemd keeps a link for each running unit, whose target is the id.
        let link = Path::new("/run/systemd/units").join(format!("invocation:{unit}"));
        let id = fs::read_link(link).ok()?.into_os_string().into_string().ok()?;
        let hex = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| id.into())
    }

    fn cgroups(&mut self) -> Vec<(u64, Text)> {
        let Some(mount) = &self.cgroups else { return Vec::new() };
        let mut found = Vec::new();
        let mut left = vec![mount.clone()];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                if found.len() >= CGROUPS_MAX || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let path = entry.path();
                let inside = path.strip_prefix(mount).map(|path| path.as_os_str().as_bytes());
                found.push((entry.ino(), [b"/", inside.unwrap_or_default()].concat().into()));
                left.push(path);
            }
        }
        found
    }
}

/// What `/proc/PID/stat` tells.
struct Stat {
    comm: Text,
    group: u32,
    session: u32,
    tty: u32,
    start_ns: u64,
}

impl Stat {
    /// The name may hold blanks and parentheses, so the fields are counted from its last parenthesis.
    fn parse(stat: &[u8]) -> Option<(Self, u32)> {
        let (head, tail) = (stat.find_byte(b'(')?, stat.rfind_byte(b')')?);
        let comm = stat.get(head + 1..tail)?.into();
        let fields: Vec<&str> = stat.get(tail + 1..)?.to_str().ok()?.split_ascii_whitespace().collect();
        // Numbered as in proc(5), where the state after the name is field 3.
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks: u64 = field(22)?.parse().ok()?;
        let tty: i32 = field(7)?.parse().ok()?;
        let stat = Self {
            comm,
            group: field(5)?.parse().unwrap_or_default(),
            session: field(6)?.parse().unwrap_or_default(),
            tty: kernel_dev(tty.cast_unsigned()),
            start_ns: ticks.saturating_mul(TICK_NS),
        };
        Some((stat, field(4)?.parse().ok()?))
    }
}

/// From the device numbers of user space (minor split around the major) to those inside the kernel.
fn kernel_dev(dev: u32) -> u32 {
    let (major, minor) = ((dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xf_ff00));
    (major << 20) | minor
}

/// The path of the program as the kernel has it, without the mark of an unlinked file.
fn exe(dir: &Path) -> Text {
    let link = dir.join("exe");
    let Ok(target) = fs::read_link(&link) else { return Text::default() };
    let bytes = target.as_os_str().as_bytes();
    let unlinked = fs::metadata(&link).is_ok_and(|meta| meta.nlink() == 0);
    bytes.strip_suffix(b" (deleted)").filter(|_| unlinked).unwrap_or(bytes).into()
}

/// The working directory; of one that was removed nothing.
fn cwd(dir: &Path) -> Text {
    let Ok(target) = fs::read_link(dir.join("cwd")) else { return Text::default() };
    let bytes = target.as_os_str().as_bytes();
    if bytes.ends_with(b" (deleted)") { Text::default() } else { bytes.into() }
}

fn argv(dir: &Path) -> Arc<[Text]> {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(dir.join("cmdline")) {
        // What could be read counts: the process may end meanwhile.
        let _ = file.take(ARGV_MAX).read_to_end(&mut bytes);
    }
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
    if bytes.is_empty() { Arc::default() } else { bytes.split_str("\0").map(Text::from).collect() }
}

/// The first number of a line such as `Uid: 1000 1000 1000 1000`.
fn first_number(status: &[u8], name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name.as_bytes()))?;
    line.to_str().ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// The last number of a line: as the innermost namespace has it.
fn inner_number(status: &[u8], name: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name.as_bytes()))?;
    line.to_str().ok()?.split_ascii_whitespace().last()?.parse().ok()
}

/// What the lines `CapInh:`, `CapPrm:` and `CapEff:` say, in hexadecimal.
fn capabilities(status: &[u8]) -> Option<Capabilities> {
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name.as_bytes()))?;
        u64::from_str_radix(line.to_str().ok()?.trim(), 16).ok()
    };
    Some(Capabilities { inheritable: of("CapInh:")?, permitted: of("CapPrm:")?, effective: of("CapEff:")? })
}

/// Mount points of cgroup v2 in `/proc/self/mountinfo`, proc(5).
fn cgroup2_mounts(mountinfo: &[u8]) -> Vec<PathBuf> {
    let mount = |line: &[u8]| {
        let (mount, kind) = line.split_once_str(" - ")?;
        kind.starts_with(b"cgroup2 ").then_some(())?;
        Some(PathBuf::from(OsStr::from_bytes(&unescape(mount.split_str(" ").nth(4)?))))
    };
    mountinfo.lines().filter_map(mount).collect()
}

/// Blanks and backslashes in paths are `\ooo` in mountinfo.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, tail)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| tail.get(..3)?.to_str().ok()).flatten();
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
