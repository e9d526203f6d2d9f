//! The kernel's book of cgroups: which path each has, also when it has gone.

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

/// Reads the book; written in the kernel at each birth of a cgroup of version 2, from the load of the probe on.
#[derive(Debug)]
pub struct CgroupBook(pub(crate) MapHandle);

impl CgroupBook {
    /// The path of a cgroup from the root of the hierarchy. None when it was made before the probe, has been
    /// forgotten for want of room, or is too long for the book.
    pub fn path(&self, id: u64) -> Option<Vec<u8>> {
        let mut path = self.0.lookup(&id.to_ne_bytes(), MapFlags::ANY).ok()??;
        let end = path.iter().position(|byte| *byte == 0)?;
        let whole = end > 0 && end + 1 < path.len();
        path.truncate(end);
        whole.then_some(path)
    }
}
