//! What processes did lately, so that each of them counts once for each habit.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

/// Keys of a generation. There are two: the older one goes when the younger is full.
const GENERATION: usize = 1 << 17;

/// A bounded memory of keys, of which the oldest are forgotten.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashSet<u64, FxBuildHasher>,
    old: HashSet<u64, FxBuildHasher>,
}

impl Recent {
    /// Remembers a key; true when it is new.
    pub(super) fn is_new(&mut self, key: u64) -> bool {
        if self.young.contains(&key) {
            return false;
        }
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
        !self.old.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once_and_the_memory_is_bounded() {
        let mut recent = Recent::default();
        for key in 0..3 * GENERATION as u64 {
            assert!(recent.is_new(key));
            assert!(!recent.is_new(key));
            assert!(recent.young.len() <= GENERATION && recent.old.len() <= GENERATION);
        }
        assert!(recent.is_new(0), "the oldest are forgotten");
    }
}
