//! Values that are one of a few words.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A syslog facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(u8);

/// Names in the order of their numbers (RFC 5424, 6.2.1); those that no program may claim are left out.
const NAMES: &[(&str, u8)] = &[
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

impl Facility {
    /// What programs in the background are.
    pub const DAEMON: Self = Self(3);

    /// The number in a message.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl Serialize for Facility {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(_, number)| *number == self.0).map_or("daemon", |(name, _)| name);
        to.serialize_str(name)
    }
}

impl<'de> Deserialize<'de> for Facility {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number));
        known.ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!("unknown facility {name:?}, expected one of {}", names.join(", ")))
        })
    }
}
