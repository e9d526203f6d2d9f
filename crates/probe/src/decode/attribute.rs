//! What files are changed to.

use sentinel_event::{Body, FileChmod, FileChown, FileTarget, FileTruncate, Path};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

impl Decode for abi::sentinel_file_chmod {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileChmod(FileChmod {
            file: target(&self.target, tail)?,
            mode: self.mode,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_file_chown {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileChown(FileChown {
            file: target(&self.target, tail)?,
            uid: self.uid,
            gid: self.gid,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_file_truncate {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileTruncate(FileTruncate {
            file: target(&self.target, tail)?,
            size: self.size,
        })))
    }
}

fn target(target: &abi::sentinel_file_target, tail: Tail<'_>) -> Result<FileTarget, DecodeError> {
    let found = target.ino != 0 || target.dev != 0;
    Ok(FileTarget {
        path: if found { tail.rooted(target.path)? } else { Path::default() },
        asked: tail.user_path(target.asked)?,
        ino: target.ino,
        dev: target.dev,
        fd: target.fd,
    })
}

#[cfg(test)]
mod tests {
    use sentinel_event::UserPath;

    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record, span};

    #[test]
    fn a_file_is_named_by_its_descriptor_or_by_its_name() {
        let base = abi::sentinel_path { span: span(0, 4), flags: 0 };
        let by_fd = abi::sentinel_file_target { path: base, ino: 7, dev: 8, fd: 3, ..Default::default() };
        let asked = abi::sentinel_user_path { base, name: span(4, 1), unreadable: 0, ..Default::default() };
        let by_name = abi::sentinel_file_target { asked, fd: -1, ..Default::default() };
        let wanted_fd = FileTarget { path: "/tmp".into(), asked: nothing(), ino: 7, dev: 8, fd: 3 };
        let asked =
            UserPath { path: "/tmp/x".into(), name: "x".into(), unreadable: false, ..UserPath::default() };
        let wanted_name = FileTarget { path: Path::default(), asked, ino: 0, dev: 0, fd: -1 };
        for (target, file) in [(by_fd, wanted_fd), (by_name, wanted_name)] {
            let chmod = abi::sentinel_file_chmod { target, mode: 0o4755, flags: 1, ..Default::default() };
            let chown =
                abi::sentinel_file_chown { target, uid: 1, gid: u32::MAX, flags: 2, ..Default::default() };
            let truncate = abi::sentinel_file_truncate { target, size: u64::MAX, ..Default::default() };
            let cases = [
                (
                    record(30, &chmod, b"tmp\0x"),
                    Body::FileChmod(FileChmod { file: file.clone(), mode: 0o4755, flags: 1 }),
                ),
                (
                    record(31, &chown, b"tmp\0x"),
                    Body::FileChown(FileChown { file: file.clone(), uid: 1, gid: u32::MAX, flags: 2 }),
                ),
                (record(32, &truncate, b"tmp\0x"), Body::FileTruncate(FileTruncate { file, size: u64::MAX })),
            ];
            for (bytes, want) in cases {
                assert_eq!(body(&bytes), want);
                every_cut_fails(&bytes);
            }
        }
    }

    /// An absent name decodes to the root of nothing.
    fn nothing() -> UserPath {
        UserPath::default()
    }
}
