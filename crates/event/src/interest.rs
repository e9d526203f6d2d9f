//! Which opens of files may matter to somebody: what the kernel may leave out, planned from rules.

use bstr::BString;

use crate::{FileOpen, PathFlags};

/// Opens that may matter. A plan may only ever say too much: what it leaves out, no rule could match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileInterest {
    /// Opens with `O_RDONLY`, without `O_CREAT` and without `O_TRUNC`.
    pub reading: PathSet,
    /// All other opens.
    pub writing: PathSet,
    /// Of those in `writing`, the ones whose mode has one of these bits matter whatever their path.
    pub modes: u32,
    /// Opens that failed. They have no path to be judged by, so all of them matter or none.
    pub failed: bool,
    /// Opens that succeeded, but the kernel's side is not sure what was opened: no file was found, others share
    /// the descriptors, or its path does not begin with `/`. All of them matter or none.
    pub unsure: bool,
}

impl FileInterest {
    /// Every open matters.
    #[must_use]
    pub fn all() -> Self {
        Self { reading: PathSet::All, writing: PathSet::All, modes: 0, failed: true, unsure: true }
    }

    /// Whether an open with this result (`head.result`) matters. The kernel's side may only leave out what this
    /// does.
    #[must_use]
    pub fn holds(&self, open: &FileOpen, result: i64) -> bool {
        const CHANGING: i32 = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;
        if result < 0 {
            return self.failed;
        }
        let path = open.path.bytes.as_slice();
        if !path.starts_with(b"/") || open.path.flags.contains(PathFlags::SHARED) {
            return self.unsure;
        }
        if open.flags & CHANGING.cast_unsigned() == 0 {
            return self.reading.holds(path);
        }
        open.mode & self.modes != 0 || self.writing.holds(path)
    }

    /// What matters to either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            reading: self.reading.or(other.reading),
            writing: self.writing.or(other.writing),
            modes: self.modes | other.modes,
            failed: self.failed || other.failed,
            unsure: self.unsure || other.unsure,
        }
    }
}

/// A set of absolute paths, as events carry them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSet {
    /// Every path.
    All,
    /// Paths for which any of these holds; none when all are empty.
    Some(PathClasses),
}

/// Ways to be in a [`PathSet`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathClasses {
    /// The path begins with these bytes (`/etc/` and also `/etc/pass`: not only at whole names).
    pub prefixes: Vec<BString>,
    /// A name on the way is this, the last one included (`.ssh`, `shadow`). No slash in it.
    pub names: Vec<BString>,
    /// The path ends in these bytes, all within the last name (`.pem`).
    pub suffixes: Vec<BString>,
}

impl Default for PathSet {
    fn default() -> Self {
        Self::Some(PathClasses::default())
    }
}

impl PathSet {
    /// Paths in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (Self::Some(mut ours), Self::Some(theirs)) = (self, other) else { return Self::All };
        let both = [
            (&mut ours.prefixes, theirs.prefixes),
            (&mut ours.names, theirs.names),
            (&mut ours.suffixes, theirs.suffixes),
        ];
        for (ours, theirs) in both {
            ours.extend(theirs);
            ours.sort();
            ours.dedup();
        }
        Self::Some(ours)
    }

    /// Whether `path` is in the set.
    #[must_use]
    pub fn holds(&self, path: &[u8]) -> bool {
        let Self::Some(classes) = self else { return true };
        classes.prefixes.iter().any(|prefix| path.starts_with(prefix))
            || classes.suffixes.iter().any(|suffix| path.ends_with(suffix))
            || path.split(|&byte| byte == b'/').any(|name| classes.names.iter().any(|wanted| wanted == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(prefixes: &[&str], names: &[&str], suffixes: &[&str]) -> PathSet {
        let own = |texts: &[&str]| texts.iter().map(|&text| BString::from(text)).collect();
        PathSet::Some(PathClasses { prefixes: own(prefixes), names: own(names), suffixes: own(suffixes) })
    }

    #[test]
    fn a_path_is_in_by_its_beginning_a_name_or_its_end() {
        let set = set(&["/etc/pass"], &[".ssh"], &[".pem"]);
        for path in ["/etc/passwd", "/root/.ssh/id", "/root/.ssh", "/srv/key.pem"] {
            assert!(set.holds(path.as_bytes()), "{path}");
        }
        for path in ["/etc/hosts", "/root/.sshd/id", "/srv/key.pem2", "/x/etc/passwd"] {
            assert!(!set.holds(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn nothing_is_in_the_empty_set_and_everything_in_the_whole() {
        assert!(!PathSet::default().holds(b"/etc/passwd"));
        assert!(PathSet::All.holds(b"/etc/passwd"));
    }

    #[test]
    fn either_is_in_the_union_once() {
        let union = set(&["/etc/"], &[], &[".pem"]).or(set(&["/etc/", "/usr/"], &[".ssh"], &[]));
        assert_eq!(union, set(&["/etc/", "/usr/"], &[".ssh"], &[".pem"]));
        assert_eq!(union.or(PathSet::All), PathSet::All);
    }
}
