//! How calls end, and which ends may matter to somebody: what the kernel may leave out.

use crate::{Kind, KindSet};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its result is not negative.
    Succeeded,
    /// It goes on without the caller (`EINPROGRESS`).
    UnderWay,
    /// Any other error.
    Failed,
}

impl Outcome {
    /// Every one, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::UnderWay, Self::Failed];

    /// That of a call with this result (`head.result`).
    #[must_use]
    pub fn of(result: i64) -> Self {
        match result {
            0.. => Self::Succeeded,
            _ if result == -i64::from(libc::EINPROGRESS) => Self::UnderWay,
            _ => Self::Failed,
        }
    }

    /// As `rules explain` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::UnderWay => "under way",
            Self::Failed => "failed",
        }
    }
}

/// Kinds of which the kernel's side looks at the outcome.
const LOOKED_AT: &[Kind] = &[
    Kind::Connect,
    Kind::Accept,
    Kind::Bind,
    Kind::Listen,
    Kind::Socket,
    Kind::Dup,
    Kind::Ptrace,
    Kind::MemfdCreate,
    Kind::MmapExec,
    Kind::MprotectExec,
    Kind::Signal,
    Kind::FileLink,
    Kind::FileSymlink,
    Kind::FileMkdir,
    Kind::FileChmod,
    Kind::FileChown,
    Kind::FileTruncate,
    Kind::FileMknod,
    Kind::Mount,
    Kind::Umount,
    Kind::Chroot,
    Kind::Setns,
    Kind::Unshare,
    Kind::Bpf,
    Kind::ModuleLoad,
    Kind::Userfaultfd,
    Kind::IoUringSetup,
    Kind::ProcessVmWrite,
];

/// Which outcomes of which kinds may matter. A plan may only ever say too much: what it leaves out, no rule could match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes([KindSet; 3]);

impl Outcomes {
    /// Every outcome of every kind matters.
    #[must_use]
    pub fn all() -> Self {
        Self([KindSet::all(); 3])
    }

    /// The kinds of which the kernel's side looks at the outcome. Of the others it takes each.
    #[must_use]
    pub fn looked_at() -> KindSet {
        LOOKED_AT.iter().copied().collect()
    }

    /// The kinds whose events with this outcome matter.
    #[must_use]
    pub fn kinds(&self, outcome: Outcome) -> KindSet {
        let [succeeded, under_way, failed] = self.0;
        match outcome {
            Outcome::Succeeded => succeeded,
            Outcome::UnderWay => under_way,
            Outcome::Failed => failed,
        }
    }

    /// Whether an event of this kind with this result matters.
    #[must_use]
    pub fn holds(&self, kind: Kind, result: i64) -> bool {
        self.kinds(Outcome::of(result)).contains(kind)
    }

    /// Adds an outcome of a kind.
    pub fn insert(&mut self, kind: Kind, outcome: Outcome) {
        let [succeeded, under_way, failed] = &mut self.0;
        match outcome {
            Outcome::Succeeded => succeeded.insert(kind),
            Outcome::UnderWay => under_way.insert(kind),
            Outcome::Failed => failed.insert(kind),
        }
    }

    /// What matters to either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a.union(d), b.union(e), c.union(f)])
    }

    /// The same, and every outcome of these kinds.
    #[must_use]
    pub fn and_all_of(self, kinds: KindSet) -> Self {
        self.or(Self([kinds; 3]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_outcomes() {
        let outcomes = [0, 7, -115, -1, i64::MIN].map(Outcome::of);
        use Outcome::{Failed, Succeeded, UnderWay};
        assert_eq!(outcomes, [Succeeded, Succeeded, UnderWay, Failed, Failed]);
    }

    #[test]
    fn either_holds_what_one_holds() {
        let mut one = Outcomes::default();
        one.insert(Kind::Connect, Outcome::UnderWay);
        let either = one.or(Outcomes::default().and_all_of([Kind::Bpf].into_iter().collect()));
        assert!(either.holds(Kind::Connect, -115) && !either.holds(Kind::Connect, 0));
        assert!(either.holds(Kind::Bpf, -1) && either.holds(Kind::Bpf, 3) && !either.holds(Kind::Dup, 3));
        assert!(Outcomes::looked_at().contains(Kind::Connect) && !Outcomes::looked_at().contains(Kind::Exec));
    }
}
