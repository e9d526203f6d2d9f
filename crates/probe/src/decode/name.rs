//! Names that are made, and directories that are removed.

use sentinel_event::{Body, FileLink, FileMkdir, FileMknod, FileRmdir, FileSymlink};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

impl Decode for abi::sentinel_file_link {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileLink(FileLink {
            from: tail.user_path(self.from)?,
            to: tail.user_path(self.to)?,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_file_symlink {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileSymlink(FileSymlink {
            link: tail.user_path(self.link)?,
            target: tail.text(self.target)?,
            target_unreadable: self.unreadable != 0,
        })))
    }
}

impl Decode for abi::sentinel_file_mkdir {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileMkdir(FileMkdir {
            target: tail.user_path(self.target)?,
            mode: self.mode,
        })))
    }
}

impl Decode for abi::sentinel_file_rmdir {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileRmdir(FileRmdir { target: tail.user_path(self.target)? })))
    }
}

impl Decode for abi::sentinel_file_mknod {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileMknod(FileMknod {
            target: tail.user_path(self.target)?,
            mode: self.mode,
            rdev: self.rdev,
        })))
    }
}

#[cfg(test)]
mod tests {
    use sentinel_event::UserPath;

    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record, span};

    /// `name` below `/tmp`, `off` bytes into the tail.
    fn user(off: u16, len: u16) -> abi::sentinel_user_path {
        let base = abi::sentinel_path { span: span(off, 4), flags: 0 };
        abi::sentinel_user_path { base, name: span(off + 4, len), unreadable: 0, ..Default::default() }
    }

    fn want(name: &str) -> UserPath {
        UserPath {
            path: format!("/tmp/{name}").into(),
            name: name.into(),
            unreadable: false,
            ..UserPath::default()
        }
    }

    #[test]
    fn both_names_of_a_link_are_told() {
        let wire =
            abi::sentinel_file_link { from: user(0, 1), to: user(5, 2), flags: 7, ..Default::default() };
        let bytes = record(26, &wire, b"tmp\0atmp\0bc");
        assert_eq!(body(&bytes), Body::FileLink(FileLink { from: want("a"), to: want("bc"), flags: 7 }));
        every_cut_fails(&bytes);
    }

    #[test]
    fn a_symbolic_link_leads_to_any_text() {
        let wire = abi::sentinel_file_symlink { link: user(0, 1), target: span(5, 4), ..Default::default() };
        let bytes = record(27, &wire, b"tmp\0a../\xff");
        let target = (&b"../\xff"[..]).into();
        let symlink = FileSymlink { link: want("a"), target, target_unreadable: false };
        assert_eq!(body(&bytes), Body::FileSymlink(symlink));
        every_cut_fails(&bytes);
        let wire = abi::sentinel_file_symlink { link: user(0, 1), unreadable: 1, ..Default::default() };
        let symlink = FileSymlink { link: want("a"), target: "".into(), target_unreadable: true };
        assert_eq!(body(&record(27, &wire, b"tmp\0a")), Body::FileSymlink(symlink));
    }

    #[test]
    fn directories_and_nodes_tell_what_was_asked_for() {
        let target = user(0, 1);
        let cases = [
            (
                record(
                    28,
                    &abi::sentinel_file_mkdir { target, mode: 0o700, ..Default::default() },
                    b"tmp\0a",
                ),
                Body::FileMkdir(FileMkdir { target: want("a"), mode: 0o700 }),
            ),
            (
                record(29, &abi::sentinel_file_rmdir { target, ..Default::default() }, b"tmp\0a"),
                Body::FileRmdir(FileRmdir { target: want("a") }),
            ),
            (
                record(
                    33,
                    &abi::sentinel_file_mknod { target, mode: 0o20600, rdev: 259, ..Default::default() },
                    b"tmp\0a",
                ),
                Body::FileMknod(FileMknod { target: want("a"), mode: 0o20600, rdev: 259 }),
            ),
        ];
        for (bytes, want) in cases {
            assert_eq!(body(&bytes), want);
            every_cut_fails(&bytes);
        }
    }
}
