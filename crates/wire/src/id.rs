//! Identities of events.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A UUID version 7 (RFC 9562): sortable by the time of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

/// Makes identities. Within one maker no two are equal; between makers 74 bits, seeded by the operating
/// system's random numbers, keep them apart. They are names, not secrets.
#[derive(Debug)]
pub struct EventIds {
    seed: u64,
    salt: u16,
    count: u64,
}

impl Default for EventIds {
    fn default() -> Self {
        let random = || RandomState::new().build_hasher().finish();
        let [salt, more, ..] = random().to_ne_bytes();
        Self { seed: random(), salt: u16::from_ne_bytes([salt, more]), count: 0 }
    }
}

impl EventIds {
    /// The next identity, for an event at `real_ns` nanoseconds since the Unix epoch.
    pub fn next(&mut self, real_ns: u64) -> EventId {
        // splitmix64 is a bijection of the counter: 64 bits that do not repeat. The salt fills the other ten.
        self.count = self.count.wrapping_add(1);
        let mut mix = self.seed.wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mix = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mix = (mix ^ (mix >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mix ^= mix >> 31;

        let millis = u128::from(real_ns / 1_000_000) & ((1 << 48) - 1);
        let rand_a = u128::from(self.salt & 0x3ff) << 2 | u128::from(mix >> 62);
        let rand_b = u128::from(mix & ((1 << 62) - 1));
        EventId((millis << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b).to_be_bytes())
    }
}

impl EventId {
    /// The usual form, lower case, 36 bytes.
    pub fn text(&self) -> [u8; 36] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        let mut text = [b'-'; 36];
        let mut slots = text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                if let Some((_, slot)) = slots.next() {
                    *slot = digit(nibble);
                }
            }
        }
        text
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_version_7_uuid_of_its_time() {
        let id = EventIds::default().next(1_700_000_000_123_456_789);
        let uuid = uuid::Uuid::parse_str(&id.to_string()).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        assert!(id.to_string().starts_with("018bcfe5-687b-7"), "{id}");
    }

    #[test]
    fn identities_differ() {
        let (mut one, mut other) = (EventIds::default(), EventIds::default());
        let mut ids: Vec<_> = (0..10_000).flat_map(|_| [one.next(5), other.next(5)]).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 20_000);
    }
}
