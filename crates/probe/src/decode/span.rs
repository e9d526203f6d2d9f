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
        let by_kernel = user.second.flags & abi::SENTINEL_PATH_USED != 0;
        let shared = user.second.flags & abi::SENTINEL_PATH_SHARED != 0;
        let second =
            if by_kernel || user.second.span.len != 0 { Some(self.behind(user.second)?) } else { None };
        let second = second.filter(|second| *second != path).map(Box::new);
        Ok(UserPath { path, name, unreadable, shared, second })
    }

    /// A path whose first component is a name behind the others.
    fn behind(self, path: abi::sentinel_path) -> Result<Text, DecodeError> {
        let components = self.bytes(path.span)?;
        let end = components.iter().position(|byte| *byte == 0).unwrap_or(components.len());
        let (name, rest) = components.split_at(end);
        let skipped = components.len() - rest.strip_prefix(&[0]).unwrap_or(rest).len();
        let skipped = u16::try_from(skipped).unwrap_or(path.span.len);
        let span =
            abi::sentinel_span { off: path.span.off.saturating_add(skipped), len: path.span.len - skipped };
        let base = self.path(abi::sentinel_path { span, ..path })?;
        Ok(join(&base.bytes, name))
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
    fn a_second_witness_counts_where_it_says_something_else() {
        const USED: u32 = abi::SENTINEL_PATH_USED;
        const SHARED: u32 = abi::SENTINEL_PATH_SHARED;
        let tail = Tail(b"tmp\0passwd\0etc\0../x\0tmp\0a/y");
        let span = |off, len| abi::sentinel_span { off, len };
        let base = abi::sentinel_path { span: span(0, 4), flags: 0 };
        for (second, flags, shared, want) in [
            (span(0, 0), 0, false, None),
            (span(0, 0), SHARED, true, None),
            (span(4, 11), USED, false, Some("/etc/passwd")),
            (span(15, 9), SHARED, true, Some("/x")),
            // The root of a mount that is the top.
            (span(0, 0), USED, false, Some("/")),
            (span(4, 7), USED, false, Some("/passwd")),
        ] {
            let second = abi::sentinel_path { span: second, flags };
            let user = abi::sentinel_user_path { base, name: span(24, 3), unreadable: 0, second };
            let name = tail.user_path(user).unwrap();
            let told = name.second.as_deref().map(|second| second.to_string());
            assert_eq!(
                (name.path.to_string().as_str(), name.shared, told.as_deref()),
                ("/tmp/a/y", shared, want)
            );
        }
        let name = span(24, 1);
        let agrees = abi::sentinel_path { span: span(0, 4), flags: USED };
        let user = abi::sentinel_user_path {
            base: abi::sentinel_path::default(),
            name,
            unreadable: 0,
            second: agrees,
        };
        assert_eq!(
            Tail(b"tmp\0                    tmp")
                .user_path(abi::sentinel_user_path { name: span(24, 3), ..user })
                .unwrap()
                .second,
            None
        );
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
