//! Versions of the engine and of plugins.

use std::fmt;

/// `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// The version of Falco's engine whose language this is.
pub const ENGINE_VERSION: Version = Version(0, 63, 0);

/// Plugins that are built in, with the newest version whose fields there are.
pub(super) const PLUGINS: &[(&str, Version)] = &[("container", Version(0, 99, 0))];

impl Version {
    /// Reads `1.2.3`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(number);
        let version = Self(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }

    /// Reads the version of an engine: also a single number N, which means `0.N.0`.
    pub fn parse_engine(text: &str) -> Option<Self> {
        number(text.trim()).map(|minor| Self(0, minor, 0)).or_else(|| Self::parse(text))
    }

    /// Whether something of this version does what `required` asks for.
    pub fn satisfies(self, required: Self) -> bool {
        self.0 == required.0 && self >= required
    }
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_a_minor_version() {
        assert_eq!(Version::parse_engine("57"), Some(Version(0, 57, 0)));
        assert_eq!(Version::parse_engine("0.57.0"), Some(Version(0, 57, 0)));
        for wrong in ["", "x", "1.2", "1.2.3.4", "1.-2.3", "+1", "99999999999"] {
            assert_eq!(Version::parse_engine(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn newer_minor_versions_satisfy_and_other_majors_do_not() {
        assert!(ENGINE_VERSION.satisfies(Version(0, 57, 0)));
        assert!(ENGINE_VERSION.satisfies(ENGINE_VERSION));
        assert!(!ENGINE_VERSION.satisfies(Version(0, 63, 1)));
        assert!(!Version(1, 0, 0).satisfies(Version(0, 1, 0)));
    }
}
