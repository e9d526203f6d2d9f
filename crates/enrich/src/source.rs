//! Where the host is read.

use std::fmt::Debug;
use std::sync::Arc;

use sentinel_event::{Process, Text};

mod proc;

pub use proc::ProcSource;

/// Start times in `/proc` are cut to clock ticks of this length: `USER_HZ` is 100 on every platform that
/// we run on, whatever the kernel's own HZ.
pub const TICK_NS: u64 = 10_000_000;

/// Id of the root of a cgroup hierarchy: the first inode.
pub(crate) const ROOT_CGROUP: u64 = 1;

/// What enrichment asks the host. The only way it reads anything.
pub trait Source: Debug + Send {
    /// Every process alive, start times cut to [`TICK_NS`].
    fn processes(&mut self) -> Vec<Process>;

    /// One process; none when it has gone.
    fn process(&mut self, tgid: u32) -> Option<Process>;

    /// The cgroup v2 that a process is in now; none when it has gone.
    fn cgroup_of(&mut self, tgid: u32) -> Option<Cgroup>;

    /// Every cgroup v2: its id and its path.
    fn cgroups(&mut self) -> Vec<(u64, Text)>;

    /// The path of a cgroup v2 that was made since we are here, also when it has gone meanwhile.
    fn born(&mut self, id: u64) -> Option<Text> {
        let _ = id;
        None
    }

    /// Is told what a cgroup v2 is, once that is sure: a container's, or the host's.
    fn placed(&mut self, id: u64, contained: bool) {
        let _ = (id, contained);
    }

    /// The next cgroup v2 that has gone since we are here; each is told once.
    fn died(&mut self) -> Option<u64> {
        None
    }

    /// Is told that a cgroup that has gone is not asked for any more.
    fn forget(&mut self, id: u64) {
        let _ = id;
    }

    /// The invocation id of a unit of the host's systemd, as it runs now.
    fn invocation(&mut self, unit: &str) -> Option<Arc<str>> {
        let _ = unit;
        None
    }
}

/// Who remembers the paths of cgroups that were made since we are here, also of those that have gone.
pub trait Births: Debug + Send {
    /// The path of a cgroup v2; none when nobody remembers.
    fn path(&mut self, id: u64) -> Option<Text>;

    /// Is told what a cgroup v2 is, see [`Source::placed`].
    fn placed(&mut self, id: u64, contained: bool) {
        let _ = (id, contained);
    }

    /// See [`Source::died`].
    fn died(&mut self) -> Option<u64> {
        None
    }

    /// See [`Source::forget`].
    fn forget(&mut self, id: u64) {
        let _ = id;
    }
}

/// A cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cgroup {
    /// Its id; none when its directory cannot be seen from here (another cgroup namespace, no mount).
    pub id: Option<u64>,
    /// Its path from the root of the hierarchy, or of our cgroup namespace.
    pub path: Text,
    /// A cgroup of version 1 that names a container, for a process with a root directory of its own.
    pub legacy: Option<Text>,
}
