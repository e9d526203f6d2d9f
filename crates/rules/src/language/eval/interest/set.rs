//! Sets of paths while they are made.

use bstr::BString;
use sentinel_event::{PathClasses, PathSet};

/// Paths that may matter.
#[derive(Debug, Clone)]
pub(super) enum Set {
    All,
    Some(PathClasses),
}

impl Default for Set {
    fn default() -> Self {
        Self::Some(PathClasses::default())
    }
}

/// Directories in which programs of all sorts keep something, so that their names tell little.
const COMMON: &[&[u8]] =
    &[b".config", b".cache", b".local", b"config", b"bin", b"lib", b"etc", b"usr", b"share"];

impl Set {
    pub(super) fn all_if(all: bool) -> Self {
        if all { Self::All } else { Self::default() }
    }

    pub(super) fn prefix(prefix: &[u8]) -> Self {
        if prefix.is_empty() {
            return Self::All;
        }
        Self::Some(PathClasses { prefixes: vec![prefix.into()], ..PathClasses::default() })
    }

    /// Paths with this name on the way.
    pub(super) fn name(name: &[u8]) -> Self {
        if name.is_empty() || name.contains(&b'/') {
            return Self::All;
        }
        Self::Some(PathClasses { names: vec![name.into()], ..PathClasses::default() })
    }

    /// Paths whose last name ends so.
    pub(super) fn suffix(suffix: &[u8]) -> Self {
        if suffix.is_empty() || suffix.contains(&b'/') {
            return Self::All;
        }
        Self::Some(PathClasses { suffixes: vec![suffix.into()], ..PathClasses::default() })
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Some(classes)
            if classes.prefixes.is_empty() && classes.names.is_empty() && classes.suffixes.is_empty())
    }

    /// Adds what is in the other.
    pub(super) fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Some(ours), Self::Some(mut theirs)) => {
                ours.prefixes.append(&mut theirs.prefixes);
                ours.names.append(&mut theirs.names);
                ours.suffixes.append(&mut theirs.suffixes);
            }
            (Self::All, _) => {}
            (ours, Self::All) => *ours = Self::All,
        }
    }

    /// The one that holds less, as far as can be guessed. Each holds at least what is in both.
    pub(super) fn narrower(self, other: Self) -> Self {
        if other.breadth() < self.breadth() { other } else { self }
    }

    /// How many opens it will let through; only the order counts.
    fn breadth(&self) -> u64 {
        const SHORT: usize = 3;
        let Self::Some(classes) = self else { return u64::MAX };
        let depth = |prefix: &BString| {
            let names = prefix.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).count();
            match names {
                0 => 100_000,
                1 => 1000,
                2 => 50,
                _ => 10,
            }
        };
        let name = |name: &BString| match name.as_slice() {
            common if COMMON.contains(&common) => 200,
            [b'.', ..] => 20,
            _ => 30,
        };
        let suffix = |suffix: &BString| if suffix.len() <= SHORT { 500 } else { 40 };
        classes.prefixes.iter().map(depth).sum::<u64>()
            + classes.names.iter().map(name).sum::<u64>()
            + classes.suffixes.iter().map(suffix).sum::<u64>()
    }

    /// Sorted, without what another part of it holds already.
    pub(super) fn finish(self) -> PathSet {
        let Self::Some(mut classes) = self else { return PathSet::All };
        for part in [&mut classes.prefixes, &mut classes.names, &mut classes.suffixes] {
            part.sort();
            part.dedup();
        }
        classes.prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
        PathSet::Some(classes)
    }
}
