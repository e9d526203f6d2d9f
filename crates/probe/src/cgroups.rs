//! The kernel's book of cgroups: which path each has, also when it has gone; which have gone; and what the agent says that
//! each is.

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;

/// Reads the book; written in the kernel at each birth and death of a cgroup of version 2, from the load of the probe on.
#[derive(Debug)]
pub struct CgroupBook {
    pub(crate) paths: MapHandle,
    pub(crate) places: MapHandle,
    pub(crate) deaths: MapHandle,
}

impl CgroupBook {
    /// The path of a cgroup from the root of the hierarchy. None when it was made before the probe, has been
    /// forgotten for want of room, or is too long for the book.
    pub fn path(&self, id: u64) -> Option<Vec<u8>> {
        let mut path = self.paths.lookup(&id.to_ne_bytes(), MapFlags::ANY).ok()??;
        let end = path.iter().position(|byte| *byte == 0)?;
        let whole = end > 0 && end + 1 < path.len();
        path.truncate(end);
        whole.then_some(path)
    }

    /// The next cgroup that has gone; each is told once, in the order of their deaths. When thousands are not asked for,
    /// those that follow are never told.
    pub fn died(&self) -> Option<u64> {
        let id = self.deaths.lookup_and_delete(&[]).ok()??;
        Some(u64::from_ne_bytes(id.try_into().ok()?))
    }

    /// Makes room: a cgroup that has gone is not asked for any more.
    pub fn forget(&self, id: u64) {
        // Most likely the kernel has forgotten it before, for want of room.
        for map in [&self.paths, &self.places] {
            let _ = map.delete(&id.to_ne_bytes());
        }
    }

    /// From now on the kernel's side knows whether the cgroup is a container's: see
    /// [`crate::Probe::set_calls`]. It must be so for as long as the cgroup lives.
    pub fn place(&self, id: u64, contained: bool) {
        let place =
            if contained { abi::SENTINEL_PLACE_CONTAINER } else { abi::SENTINEL_PLACE_HOST }.to_ne_bytes();
        // What is not known is taken for both.
        if let Err(error) = self.places.update(&id.to_ne_bytes(), &place, MapFlags::ANY) {
            tracing::debug!(%error, "Cannot write the map cgroup_places.");
        }
    }
}
