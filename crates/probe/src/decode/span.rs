//! The variable part of a record.

use sentinel_event::{Path, PathFlags, Text, UserPath};

use super::DecodeError;
use crate::abi;

/// What follows the fixed part.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a>(pub &'a [u8]);

impl<'a> Tail<'a> {
    /// The bytes a span points at.
    pub(crate) fn bytes(self, span: abi::sentinel_span) -> Result<&'a [u8], DecodeError> {
        let (off, len) = (usize::from(span.off), usize::from(span.len));
        self.0.get(off..off + len).ok_or(DecodeError::Span {
            off: span.off,
            len: span.len,
            tail: self.0.len(),
        })
    }

    /// The same, owned.
    pub(crate) fn text(self, span: abi::sentinel_span) -> Result<Text, DecodeError> {
        Ok(Text::from(self.bytes(span)?))
    }

    /// Leaf first, NUL behind each component, becomes root first, `/` before each. No file gives an
    /// empty path: a record says so by a length of 0 and no inode; [`Tail::rooted`] is for the others.
    pub(crate) fn path(self, path: abi::sentinel_path) -> Result<Path, DecodeError> {
        let components = self.bytes(path.span)?;
        let mut bytes = Vec::with_capacity(components.len());
        let components = components.strip_suffix(&[0]).unwrap_or(components);
        if !components.is_empty() {
            for name in components.rsplit(|byte| *byte == 0) {
                bytes.push(b'/');
                bytes.extend_from_slice(name);
            }
        }
        Ok(Path { bytes: bytes.into(), flags: PathFlags::from_bits(path.flags) })
    }

    /// A path that is known to be there: no component means the root.
    pub(crate) fn rooted(self, path: abi::sentinel_path) -> Result<Path, DecodeError> {
        let mut path = self.path(path)?;
        if path.bytes.is_empty() {
            path.bytes = "/".into();
        }
        Ok(path)
    }

    /// A caller's name behind its directory.
    pub(crate) fn user_path(self, user: abi::sentinel_user_path) -> Result<UserPath, DecodeError> {
        let name = self.text(user.name)?;
        let base = self.path(user.base)?;
        let unreadable = user.unreadable != 0;
        let path = if name.is_empty() { base.bytes } else { join(&base.bytes, &name) };
        Ok(UserPath { path, name, unreadable })
    }
}

/// `name` behind `base`; `.`, `..` and empty components resolved by name alone.
fn join(base: &[u8], name: &[u8]) -> Text {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in base.split(|byte| *byte == b'/').chain(name.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => (),
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut path = Vec::with_capacity(base.len() + name.len() + 1);
    for part in &parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_turned_round() {
        let tail = Tail(b"shadow\0etc\0");
        let path = |off, len| {
            tail.path(abi::sentinel_path { span: abi::sentinel_span { off, len }, flags: 0 }).unwrap().bytes
        };
        assert_eq!(path(0, 11), "/etc/shadow");
        assert_eq!(path(7, 4), "/etc");
        assert_eq!(path(0, 0), "");
    }

    #[test]
    fn names_are_joined_to_their_directory() {
        for (base, name, want) in [
            ("/home/u", "f", "/home/u/f"),
            ("/home/u", "../v/./f", "/home/v/f"),
            ("", "/etc//passwd", "/etc/passwd"),
            ("", "/..", "/"),
            ("/jail", "/etc/passwd", "/jail/etc/passwd"),
            ("/a", "\u{1f980}\n", "/a/\u{1f980}\n"),
        ] {
            assert_eq!(join(base.as_bytes(), name.as_bytes()), want, "{base} {name}");
        }
    }
}
