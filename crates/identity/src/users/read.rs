//! `passwd` and `group` of a root directory that may be an attacker's.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat, openat2},
    io::Errno,
};
use sentinel_event::{Group, Mapping, User, Users};

/// Bytes of a file that are accepted, and lines.
const FILE_MAX: u64 = 1 << 20;
const LINES_MAX: usize = 8192;
/// Bytes of a name, a directory or a shell.
const TEXT_MAX: usize = 256;
/// Lines of a map of ids; the kernel takes 340.
const MAPPINGS_MAX: usize = 340;

/// What the contents of books hang on: the same, and they are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Version {
    root: (u64, u64),
    passwd: Stamp,
    group: Stamp,
    maps: [Vec<u8>; 2],
}

type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// The books of a process's root directory, opened.
pub(super) struct Books {
    passwd: Option<File>,
    group: Option<File>,
    version: Version,
}

impl Books {
    /// Of the process `tgid`, which must be in the mount namespace `mnt`. Paths are resolved as that process would
    /// resolve them: links end inside its root directory.
    pub(super) fn open(mnt: u32, tgid: u32) -> io::Result<Self> {
        let proc = format!("/proc/{tgid}");
        // The kernel's own link, not one that somebody made.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = File::from(rustix::fs::open(format!("{proc}/root"), flags, Mode::empty())?);
        let meta = root.metadata()?;
        // After the directory was opened: it is that of a process of this namespace.
        if !is_in(mnt, tgid) {
            return Err(io::Error::other("another mount namespace"));
        }
        let root_id = (meta.dev(), meta.ino());
        let (passwd, group) = (open(&root, "etc/passwd"), open(&root, "etc/group"));
        let maps = ["uid_map", "gid_map"].map(|name| {
            let mut text = Vec::new();
            if let Ok(file) = File::open(format!("{proc}/{name}")) {
                let _ = file.take(FILE_MAX).read_to_end(&mut text);
            }
            text
        });
        let version = Version { root: root_id, passwd: stamp(&passwd), group: stamp(&group), maps };
        Ok(Self { passwd, group, version })
    }

    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Whether their `passwd` is the one that we would read ourselves: no container's, and we are not in one.
    pub(super) fn are_ours(&self) -> bool {
        self.version.passwd.is_some() && self.version.passwd == stamp(&File::open("/etc/passwd").ok())
    }

    /// Users and groups, and `more` users. A root without `passwd` has none of its own.
    pub(super) fn read(self, more: Vec<User>) -> io::Result<Users> {
        let text = |file: Option<File>| match file {
            Some(file) => contents(file),
            None => Ok(String::new()),
        };
        let [uid_map, gid_map] = self.version.maps.map(|map| mappings(&String::from_utf8_lossy(&map)));
        let users = [users(&text(self.passwd)?), more].concat();
        Ok(Users::new(users, groups(&text(self.group)?), uid_map, gid_map))
    }
}

/// Whether a process is in a mount namespace. False when it has ended.
pub(super) fn is_in(mnt: u32, tgid: u32) -> bool {
    fs::metadata(format!("/proc/{tgid}/ns/mnt")).is_ok_and(|meta| meta.ino() == u64::from(mnt))
}

/// Whether the root directory of a process is that of the first one, or ours. False when it has ended.
pub(super) fn has_root_of_host(tgid: u32) -> bool {
    let root = |tgid| fs::metadata(format!("/proc/{tgid}/root/")).map(|meta| (meta.dev(), meta.ino())).ok();
    root(tgid).is_some_and(|own| [1, std::process::id()].into_iter().any(|host| root(host) == Some(own)))
}

/// A regular file inside `root`. A pipe does not make us wait, a link does not lead us out.
fn open(root: &File, path: &str) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = match openat2(root.as_fd(), path, flags, Mode::empty(), resolve) {
        // A profile of system calls that does not know it, or cannot look into its arguments.
        Err(Errno::NOSYS | Errno::PERM) => open_stepwise(root, path, flags),
        found => found,
    };
    let file = File::from(file.ok()?);
    let meta = file.metadata().ok()?;
    (meta.is_file() && meta.len() <= FILE_MAX).then_some(file)
}

/// The same without openat2, and without following any link.
fn open_stepwise(root: &File, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut dir = root.as_fd().try_clone_to_owned().map_err(|_| Errno::MFILE)?;
    let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
    for step in dirs.split('/').filter(|step| !step.is_empty()) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        dir = openat(&dir, step, flags, Mode::empty())?;
    }
    openat(&dir, name, flags | OFlags::NOFOLLOW, Mode::empty())
}

fn stamp(file: &Option<File>) -> Stamp {
    let meta = file.as_ref()?.metadata().ok()?;
    Some((meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}

fn contents(file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn users(text: &str) -> Vec<User> {
    let user = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let uid = parts.nth(1)?.parse().ok()?;
        Some(User {
            uid,
            name: short(name),
            home: short(parts.nth(2).unwrap_or_default()),
            shell: short(parts.next().unwrap_or_default()),
        })
    };
    text.lines().take(LINES_MAX).filter_map(user).collect()
}

fn groups(text: &str) -> Vec<Group> {
    let group = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        Some(Group { gid: parts.nth(1)?.parse().ok()?, name: short(name) })
    };
    text.lines().take(LINES_MAX).filter_map(group).collect()
}

/// `0 100000 65536`; the map of the host, where all is what it is, is none.
fn mappings(text: &str) -> Vec<Mapping> {
    let mapping = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Mapping { inside: next()?, outside: next()?, count: next()? })
    };
    let found: Vec<_> = text.lines().take(MAPPINGS_MAX).filter_map(mapping).collect();
    let same = [Mapping { inside: 0, outside: 0, count: u32::MAX }];
    if found == same { Vec::new() } else { found }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn lines_that_make_no_sense_cost_themselves() {
        let found = users(
            "root:x:0:0:root:/root:/bin/sh\n\n#x\n:x:5\nann:x:1000\nbad:x:one:1::/:\nbob:x:99999999999:1\n",
        );
        let names: Vec<_> =
            found.iter().map(|user| (&*user.name, user.uid, &*user.home, &*user.shell)).collect();
        assert_eq!(names, [("root", 0, "/root", "/bin/sh"), ("ann", 1000, "", "")]);
        let found = groups("wheel:x:10:ann\nx\ny:x:\n");
        assert_eq!(found, [Group { gid: 10, name: "wheel".into() }]);
    }

    #[test]
    fn the_map_of_the_host_is_no_map() {
        assert_eq!(mappings("         0          0 4294967295\n"), []);
        let found = mappings("0 1000 1\n1 100000 65536\nx\n");
        assert_eq!(found[1], Mapping { inside: 1, outside: 100_000, count: 65_536 });
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn links_end_inside_the_root_and_pipes_do_not_make_us_wait() {
        let dir = tempfile::tempdir().unwrap();
        let (outside, root) = (dir.path().join("outside"), dir.path().join("root"));
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(&outside, "secret:x:1:1::/:\n").unwrap();
        symlink(&outside, root.join("etc/passwd")).unwrap();
        let handle = File::open(&root).unwrap();
        assert!(open(&handle, "etc/passwd").is_none(), "an absolute link means a path inside");
        symlink("../../outside", root.join("etc/group")).unwrap();
        assert!(open(&handle, "etc/group").is_none(), "so does one that climbs");
        fs::write(root.join("inside"), "ann:x:1:1::/:\n").unwrap();
        symlink("/inside", root.join("etc/link")).unwrap();
        assert!(open(&handle, "etc/link").is_some());
        rustix::fs::mknodat(&handle, "pipe", rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(open(&handle, "pipe").is_none());
        let large = File::create(root.join("large")).unwrap();
        large.set_len(FILE_MAX + 1).unwrap();
        assert!(open(&handle, "large").is_none());
        assert!(open(&handle, "etc").is_none(), "a directory");

        let stepwise = |path| open_stepwise(&handle, path, OFlags::RDONLY | OFlags::CLOEXEC).is_ok();
        assert!(stepwise("inside") && !stepwise("link") && !stepwise("etc/passwd"), "no link is followed");
        fs::write(root.join("etc/real"), "").unwrap();
        symlink(root.join("etc"), root.join("config")).unwrap();
        assert!(stepwise("etc/real") && !stepwise("config/real") && !stepwise("etc/none"));
    }
}
