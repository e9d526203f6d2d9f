//! Calls that nobody wants: what tells the kernel's side (`bpf/include/calls.h`) which.

use std::collections::BTreeMap;

use libbpf_rs::{MapCore, MapFlags};
use sentinel_event::{CallInterest, Comm, Comms, Kind, KindSet, Named, Outcome, Setting};
use zerocopy::IntoBytes as _;

use crate::{ProbeError, abi, decode::wire_id};

/// Entries of each of the kernel's maps; a kind whose names no longer fit is judged by its setting alone.
const ROOM: usize = abi::SENTINEL_NAMED_MAX as usize;

/// A set of calls, as the kernel's side knows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    comms: BTreeMap<Comm, u64>,
    ports: BTreeMap<u32, u64>,
    selective: u64,
    unwanted: [u64; 12],
    named: u64,
    except: u64,
    ported: u64,
}

impl Calls {
    pub(crate) fn new(interest: &CallInterest) -> Self {
        let mut calls = Self::default();
        for (unwanted, setting) in calls.unwanted.iter_mut().zip(Setting::all()) {
            let wanted = interest.kinds(setting);
            let looked_at = Kind::ALL.iter().filter(|kind| CallInterest::looks_at(**kind, setting.outcome));
            *unwanted = bits(looked_at.copied().filter(|kind| !wanted.contains(*kind)).collect());
        }
        for kind in Kind::ALL.iter().copied().filter(|kind| CallInterest::looks_at(*kind, Outcome::Failed)) {
            if let (Some(named), Some(id)) = (interest.named(kind), wire_id(kind)) {
                calls.name(1 << id, named);
            }
        }
        calls.selective = calls.unwanted.iter().fold(calls.named, |all, some| all | some);
        calls
    }

    fn name(&mut self, bit: u64, named: &Named) {
        let (Comms::Only(names) | Comms::Except(names)) = &named.comms;
        if self.comms.len() + names.len() > ROOM || self.ports.len() + named.ports.len() > ROOM {
            tracing::warn!(
                room = ROOM,
                "Too many names matter: calls of a kind are told whoever makes them."
            );
            return;
        }
        self.named |= bit;
        if matches!(named.comms, Comms::Except(_)) {
            self.except |= bit;
        }
        for name in names {
            *self.comms.entry(*name).or_default() |= bit;
        }
        if !named.ports.is_empty() {
            self.ported |= bit;
        }
        for port in &named.ports {
            *self.ports.entry(u32::from(*port)).or_default() |= bit;
        }
    }

    /// Puts it into the configuration.
    pub(crate) fn tell(&self, config: &mut abi::sentinel_config) {
        (config.selective, config.unwanted) = (self.selective, self.unwanted);
        (config.named, config.except, config.ported) = (self.named, self.except, self.ported);
    }
}

fn bits(kinds: KindSet) -> u64 {
    kinds.iter().filter_map(wire_id).fold(0, |bits, id| bits | 1u64 << id)
}

/// The kernel's maps of names.
pub(crate) struct Maps<'a, M> {
    pub(crate) comms: &'a M,
    pub(crate) ports: &'a M,
}

impl<M: MapCore> Maps<'_, M> {
    /// Fills the maps, while everything passes.
    pub(crate) fn fill(&self, calls: &Calls) -> Result<(), ProbeError> {
        let comms = calls.comms.iter().map(|(comm, kinds)| (comm.bytes().to_vec(), *kinds));
        replace(self.comms, comms, "the map call_comms")?;
        let ports = calls.ports.iter().map(|(port, kinds)| (port.as_bytes().to_vec(), *kinds));
        replace(self.ports, ports, "the map call_ports")
    }
}

fn replace(
    map: &impl MapCore,
    entries: impl Iterator<Item = (Vec<u8>, u64)>,
    what: &'static str,
) -> Result<(), ProbeError> {
    let old: Vec<Vec<u8>> = map.keys().collect();
    for key in &old {
        map.delete(key).map_err(ProbeError::refused(what))?;
    }
    for (key, kinds) in entries {
        map.update(&key, kinds.as_bytes(), MapFlags::ANY).map_err(ProbeError::refused(what))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(comms: Comms, ports: &[u16]) -> Calls {
        let mut interest = CallInterest::default();
        let setting = Setting { outcome: Outcome::Succeeded, root: false, contained: true };
        let ports = ports.iter().copied().collect();
        interest.insert(Kind::Connect, setting, Named { comms, ports });
        Calls::new(&interest)
    }

    fn names(names: impl IntoIterator<Item = String>) -> std::collections::BTreeSet<Comm> {
        names.into_iter().map(|name| Comm::from(name.as_str())).collect()
    }

    #[test]
    fn a_plan_becomes_bits_by_setting_and_by_name() {
        let calls = plan(Comms::Only(names(["sh".into()])), &[22]);
        let connect = 1 << abi::SENTINEL_KIND_CONNECT;
        let wanted: Vec<_> = calls
            .unwanted
            .iter()
            .enumerate()
            .filter(|(_, bits)| **bits & connect == 0)
            .map(|(at, _)| at)
            .collect();
        assert_eq!(wanted, [9], "succeeded, not root, in a container");
        assert_eq!((calls.named, calls.ported, calls.except), (connect, connect, 0));
        assert_eq!((calls.comms[&Comm::from("sh")], calls.ports[&22]), (connect, connect));
        let exec = 1 << abi::SENTINEL_KIND_EXEC;
        assert_eq!((calls.unwanted[0] & exec, calls.unwanted[2] & exec), (0, exec), "starts are always told");
    }

    #[test]
    fn everything_passes_a_plan_of_everything() {
        assert_eq!(Calls::new(&CallInterest::all()), Calls::default());
    }

    #[test]
    fn names_that_do_not_fit_are_left_to_the_agent() {
        let calls = plan(Comms::Only(names((0..=ROOM).map(|n| n.to_string()))), &[]);
        assert_eq!((calls.named, calls.comms.len()), (0, 0));
        assert_eq!(plan(Comms::Except(names(["x".into()])), &[]).except, 1 << abi::SENTINEL_KIND_CONNECT);
    }
}
