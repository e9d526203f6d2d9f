//! Who opens our maps: the program `guard` notes it in the kernel, and every look asks there.

use libbpf_rs::{MapCore, MapFlags, skel::Skel as _};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::Probe;
use crate::{HookFault, ProbeError, abi};

/// Processes that were told of and are not told of again: a tool that lists all maps does so all the time.
const REMEMBERED: usize = 64;

/// Our maps, and who was seen to open them.
#[derive(Debug, Default)]
pub(super) struct Guard {
    maps: Vec<Guarded>,
    told: Vec<u32>,
}

#[derive(Debug)]
struct Guarded {
    id: u32,
    name: String,
    /// As often it had been opened at the last look.
    opened: u64,
}

impl Probe {
    /// Tells the kernel's side which maps are ours.
    ///
    /// # Errors
    /// When the map `own_maps` cannot be written.
    pub(super) fn guard_maps(&mut self) -> Result<(), ProbeError> {
        for map in self.skel.object().maps() {
            let id = map.info().map_err(ProbeError::refused("a map's number"))?.info.id;
            let nobody = abi::sentinel_intruder::default();
            self.skel
                .maps
                .own_maps
                .update(id.as_bytes(), nobody.as_bytes(), MapFlags::ANY)
                .map_err(ProbeError::refused("the map own_maps"))?;
            let name = map.name().to_string_lossy().into_owned();
            self.guard.maps.push(Guarded { id, name, opened: 0 });
        }
        Ok(())
    }

    /// Processes that have opened maps of ours since the last call.
    pub(crate) fn intruders(&mut self) -> Vec<HookFault> {
        let mut found: Vec<(u32, String, Vec<&str>)> = Vec::new();
        for guarded in &mut self.guard.maps {
            let value = self.skel.maps.own_maps.lookup(guarded.id.as_bytes(), MapFlags::ANY);
            let Ok(Some(value)) = value else { continue };
            let Ok((note, _)) = abi::sentinel_intruder::read_from_prefix(&value) else { continue };
            if note.count <= guarded.opened {
                continue;
            }
            guarded.opened = note.count;
            match found.iter_mut().find(|(tgid, ..)| *tgid == note.tgid) {
                Some((.., maps)) => maps.push(&guarded.name),
                None => {
                    let comm = String::from_utf8_lossy(&note.comm);
                    let comm = comm.trim_end_matches('\0').escape_debug().to_string();
                    found.push((note.tgid, comm, vec![&guarded.name]));
                }
            }
        }
        let told = &mut self.guard.told;
        found.retain(|(tgid, ..)| !told.contains(tgid));
        told.extend(found.iter().map(|(tgid, ..)| *tgid));
        told.drain(..told.len().saturating_sub(REMEMBERED));
        let fault = |(tgid, comm, maps): (u32, String, Vec<&str>)| HookFault {
            program: "",
            hook: None,
            reason: format!("process {tgid} ({comm}) has opened maps of the sensor: {}", maps.join(", ")),
        };
        found.into_iter().map(fault).collect()
    }
}
