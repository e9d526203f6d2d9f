//! What 32-bit system calls are handed on to: see [`crate::compat`].

use std::{
    collections::BTreeMap,
    os::fd::{AsFd as _, AsRawFd as _},
};

use libbpf_rs::{MapCore as _, MapFlags, Object};
use zerocopy::IntoBytes as _;

use super::Probe;
use crate::{
    ProbeError,
    attach::Attached,
    compat::{self, Entry, Slot},
    load,
    support::Name,
};

/// The programs for 32-bit calls, and where they are.
pub(super) struct Compat {
    entries: Vec<Entry>,
    /// Those that are to go into the tables.
    pub(super) loaded: Vec<Object>,
    placed: BTreeMap<Slot, &'static str>,
}

impl Probe {
    /// Tells the kernel's side the numbers of the calls, and makes ready for the programs when they are wanted.
    ///
    /// # Errors
    /// When the map `compat_numbers` cannot be written.
    pub(super) fn see_compat(&mut self) -> Result<(), ProbeError> {
        let entries = compat::entries();
        for entry in &entries {
            let (index, number) = (u32::from(entry.index), u32::from(entry.call.0) + 1);
            self.skel
                .maps
                .compat_numbers
                .update(index.as_bytes(), number.as_bytes(), MapFlags::ANY)
                .map_err(ProbeError::refused("the map compat_numbers"))?;
        }
        if self.facts.has(Name::Compat) {
            self.compat = Some(Compat { entries, loaded: Vec::new(), placed: BTreeMap::new() });
        }
        Ok(())
    }

    /// Loads these programs for 32-bit calls too. What the kernel refuses is told as a record; it is missing for those
    /// calls only.
    ///
    /// # Errors
    /// When the kernel refuses them all.
    pub(super) fn need_compat(&mut self, names: &[&'static str]) -> Result<(), ProbeError> {
        let Some(compat) = &mut self.compat else { return Ok(()) };
        let names: Vec<_> = names.iter().copied().filter(|name| compat::has_twin(name)).collect();
        let (mut loaded, refused) = load::compat_programs(&self.skel, &names)?;
        compat.loaded.append(&mut loaded);
        for (program, error) in refused {
            let error = format!("{error:#}");
            tracing::error!(program, error, "32-bit calls are not seen by this program.");
        }
        Ok(())
    }

    /// Puts into the tables, which keep it, what is attached now.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub(super) fn hand_on(&mut self) -> Result<(), ProbeError> {
        let Some(compat) = &mut self.compat else { return Ok(()) };
        let attached: Vec<_> = self.jobs.iter().flat_map(Attached::attached).collect();
        let wanted = compat::slots(&compat.entries, &attached);
        let maps = &self.skel.maps;
        let gone: Vec<Slot> =
            compat.placed.keys().filter(|slot| !wanted.contains_key(slot)).copied().collect();
        for slot in gone {
            let (map, index) = match slot {
                Slot::Enter(index) => (&maps.compat_enters, index),
                Slot::Exit(index) => (&maps.compat_exits, index),
            };
            map.delete(index.as_bytes()).map_err(ProbeError::refused("the tables of 32-bit calls"))?;
            compat.placed.remove(&slot);
        }
        for (slot, program) in wanted {
            if compat.placed.get(&slot) == Some(&program) {
                continue;
            }
            let mut loaded = compat.loaded.iter().flat_map(Object::progs);
            let Some(twin) = loaded.find(|twin| twin.autoload() && twin.name() == program) else { continue };
            let (map, index) = match slot {
                Slot::Enter(index) => (&maps.compat_enters, index),
                Slot::Exit(index) => (&maps.compat_exits, index),
            };
            map.update(index.as_bytes(), twin.as_fd().as_raw_fd().as_bytes(), MapFlags::ANY)
                .map_err(ProbeError::refused("the tables of 32-bit calls"))?;
            compat.placed.insert(slot, program);
        }
        Ok(())
    }
}
