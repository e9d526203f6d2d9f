//! Opens that nobody wants. The kernel's side (`bpf/include/filter.h`) drops those whose directory it knows and
//! whose last name nobody wants; here is what tells it which, and what judges the opens that it let pass.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use libbpf_rs::{MapCore, MapFlags};
use sentinel_event::{FileInterest, FileOpen, PathClasses, PathFlags, PathSet};
use zerocopy::IntoBytes as _;

use crate::{ProbeError, abi};

/// Entries of each of the kernel's maps; a set that needs more is the set of everything there.
const ROOM: usize = 4096;

/// An open for writing with this mode passes, for the canary: the sticky bit, which nobody gives to a file. It must be one of
/// those that the kernel keeps in its own copy of what was asked for (`S_IALLUGO`), which some of the hooks look at.
pub(crate) const CANARY_MODE: u32 = 0o1000;

/// A set of opens, and how the kernel's side knows it.
#[derive(Debug)]
pub(crate) struct Filter {
    interest: FileInterest,
    wire: abi::sentinel_open_filter,
    /// Directories, slash included, in which beginnings of names are wanted, and their numbers.
    dirs: HashMap<Vec<u8>, u32>,
    names: BTreeMap<Vec<u8>, u32>,
    suffixes: BTreeMap<Vec<u8>, u32>,
    /// By directory's number and beginning of the name.
    prefixes: BTreeMap<(u32, Vec<u8>), u32>,
}

impl Filter {
    /// Never 0: that would let everything pass.
    fn secret() -> u64 {
        RandomState::new().hash_one(0) | 1
    }

    pub(crate) fn new(interest: FileInterest) -> Self {
        let mut filter = Self {
            wire: abi::sentinel_open_filter {
                secret: Self::secret(),
                failed: interest.failed.into(),
                unsure: interest.unsure.into(),
                modes: interest.modes | CANARY_MODE,
                ..Default::default()
            },
            dirs: HashMap::new(),
            names: BTreeMap::new(),
            suffixes: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            interest,
        };
        let FileInterest { reading, writing, .. } = filter.interest.clone();
        for (way, set) in [(abi::SENTINEL_WAY_READING, reading), (abi::SENTINEL_WAY_WRITING, writing)] {
            match set {
                PathSet::All => filter.wire.all |= way,
                PathSet::Some(classes) => filter.add(way, &classes),
            }
        }
        // The trie answers with its longest match: it must tell what the shorter ones would.
        let shorter: Vec<_> = filter.prefixes.iter().map(|(key, ways)| (key.clone(), *ways)).collect();
        for ((dir, rest), ways) in &mut filter.prefixes {
            let same = shorter.iter().filter(|((other, begin), _)| other == dir && rest.starts_with(begin));
            *ways |= same.fold(0, |all, (_, ways)| all | ways);
        }
        if [filter.names.len(), filter.suffixes.len(), filter.prefixes.len()].iter().any(|len| *len > ROOM)
            || filter.dirs.len() >= ROOM
        {
            tracing::warn!(room = ROOM, "Too many paths matter: every open is judged by the agent.");
            filter.wire.all |= abi::SENTINEL_WAY_READING | abi::SENTINEL_WAY_WRITING;
            (filter.names, filter.suffixes, filter.prefixes) = Default::default();
        }
        filter
    }

    fn add(&mut self, way: u32, classes: &PathClasses) {
        let PathClasses { prefixes, names, suffixes } = classes;
        if !(prefixes.is_empty() && names.is_empty() && suffixes.is_empty()) {
            self.wire.some |= way;
        }
        for name in names {
            self.ends_in(name);
            self.wire.lengths |= 1 << name.len().min(63);
            let cut = name.iter().copied().take(NAME - 1).collect();
            *self.names.entry(cut).or_default() |= way;
        }
        for suffix in suffixes {
            let Some(len) = u32::try_from(suffix.len().min(8)).ok().filter(|len| *len > 0) else {
                // Every path ends in nothing.
                self.wire.all |= way;
                continue;
            };
            self.ends_in(suffix);
            self.wire.suffix_lengths |= 1 << len;
            let cut = suffix.iter().copied().skip(suffix.len().saturating_sub(8)).collect();
            *self.suffixes.entry(cut).or_default() |= way;
        }
        for prefix in prefixes {
            let Some(slash) = prefix.iter().rposition(|byte| *byte == b'/') else {
                if prefix.is_empty() {
                    self.wire.all |= way;
                }
                continue;
            };
            let (dir, rest) = prefix.split_at(slash + 1);
            if !rest.is_empty() {
                let next = u32::try_from(self.dirs.len()).unwrap_or(u32::MAX).saturating_add(1);
                let number = *self.dirs.entry(dir.to_vec()).or_insert(next);
                let cut = rest.iter().copied().take(REST - 1).collect();
                *self.prefixes.entry((number, cut)).or_default() |= way;
            }
        }
    }

    /// As the kernel's map has it.
    pub(crate) fn wire(&self) -> &abi::sentinel_open_filter {
        &self.wire
    }

    fn ends_in(&mut self, name: &[u8]) {
        if let Some(word) =
            name.last().and_then(|last| Some((self.wire.last.get_mut(usize::from(last >> 6))?, last)))
        {
            *word.0 |= 1 << (word.1 & 63);
        }
    }

    /// What to remember of the directory `dir`, slash included: the ways in which all that is in it is wanted, and
    /// the number of its beginnings of names.
    fn verdict(&self, dir: &[u8]) -> u64 {
        let everything = |set: &PathSet| match set {
            PathSet::All => true,
            PathSet::Some(classes) => {
                classes.prefixes.iter().any(|prefix| dir.starts_with(prefix))
                    || dir
                        .split(|byte| *byte == b'/')
                        .any(|name| !name.is_empty() && classes.names.iter().any(|wanted| wanted == name))
            }
        };
        let mut ways = 0;
        if everything(&self.interest.reading) {
            ways |= abi::SENTINEL_WAY_READING;
        }
        if everything(&self.interest.writing) {
            ways |= abi::SENTINEL_WAY_WRITING;
        }
        u64::from(self.dirs.get(dir).copied().unwrap_or_default() << 2 | ways)
    }
}

const NAME: usize = abi::SENTINEL_NAME_BYTES as usize;
const REST: usize = abi::SENTINEL_REST_BYTES as usize;

/// Judges one batch of opens.
pub(crate) struct Judge {
    filter: Option<Arc<Filter>>,
    filtered: u64,
    /// Places that the kernel's side asked about, and the answers.
    answers: HashMap<u64, u64>,
}

impl Judge {
    pub(crate) fn new(filter: Option<Arc<Filter>>) -> Self {
        Self { filter, filtered: 0, answers: HashMap::new() }
    }

    /// Whether somebody wants this open.
    pub(crate) fn wants(&mut self, open: &FileOpen, result: i64, place: u64) -> bool {
        let Some(filter) = &self.filter else { return true };
        // What is marked is not the whole path, or not in the tree.
        if place != 0 && ([PathFlags::default(), PathFlags::DELETED].contains(&open.path.flags)) {
            let path = open.path.bytes.as_slice();
            let dir = path.iter().rposition(|byte| *byte == b'/').and_then(|slash| path.get(..=slash));
            if let Some(dir) = dir {
                self.answers.entry(place).or_insert_with(|| filter.verdict(dir));
            }
        }
        let wants = filter.interest.holds(open, result) || open.mode & CANARY_MODE != 0;
        self.filtered += u64::from(!wants);
        wants
    }

    /// Answers the kernel's side. Returns how many opens nobody wanted.
    pub(crate) fn tell(self, places: &impl MapCore) -> u64 {
        for (place, answer) in self.answers {
            let slot = place & u64::from(abi::SENTINEL_PLACES - 1);
            let Ok(slot) = u32::try_from(slot) else { continue };
            let word = place & !0xffff | answer;
            // Unanswered it asks again.
            if let Err(error) = places.update(slot.as_bytes(), word.as_bytes(), MapFlags::ANY) {
                tracing::debug!(%error, "Cannot write the map open_places.");
            }
        }
        self.filtered
    }
}

/// The kernel's maps of what is wanted.
pub(crate) struct Maps<'a, M> {
    pub(crate) filter: &'a M,
    pub(crate) names: &'a M,
    pub(crate) suffixes: &'a M,
    pub(crate) prefixes: &'a M,
}

impl<M: MapCore> Maps<'_, M> {
    /// Every open passes, from the next one on.
    pub(crate) fn pass_all(&self) -> Result<(), ProbeError> {
        self.write(&abi::sentinel_open_filter::default())
    }

    /// Fills the maps, while everything passes, and then puts the filter into force.
    pub(crate) fn install(&self, filter: &Filter) -> Result<(), ProbeError> {
        let padded = |bytes: &[u8], len: usize| {
            let mut key = bytes.to_vec();
            key.resize(len, 0);
            key
        };
        let names = filter.names.iter().map(|(name, ways)| (padded(name, NAME), *ways));
        replace(self.names, names, "the map open_names")?;
        let suffixes = filter.suffixes.iter().map(|(suffix, ways)| {
            let bytes = suffix.iter().rev().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
            let key = abi::sentinel_open_suffix { bytes, len: suffix.len() as u64 };
            (key.as_bytes().to_vec(), *ways)
        });
        replace(self.suffixes, suffixes, "the map open_suffixes")?;
        let prefixes = filter.prefixes.iter().map(|((dir, rest), ways)| {
            let bits = u32::try_from(8 * (4 + rest.len())).unwrap_or(u32::MAX);
            let key = [bits.as_bytes(), dir.as_bytes(), &padded(rest, REST)].concat();
            (key, *ways)
        });
        replace(self.prefixes, prefixes, "the map open_prefixes")?;
        self.write(&filter.wire)
    }

    fn write(&self, filter: &abi::sentinel_open_filter) -> Result<(), ProbeError> {
        self.filter
            .update(0u32.as_bytes(), filter.as_bytes(), MapFlags::ANY)
            .map_err(ProbeError::refused("the map open_filter"))
    }
}

fn replace(
    map: &impl MapCore,
    entries: impl Iterator<Item = (Vec<u8>, u32)>,
    what: &'static str,
) -> Result<(), ProbeError> {
    let old: Vec<Vec<u8>> = map.keys().collect();
    for key in &old {
        map.delete(key).map_err(ProbeError::refused(what))?;
    }
    for (key, ways) in entries {
        map.update(&key, ways.as_bytes(), MapFlags::ANY).map_err(ProbeError::refused(what))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
