//! What a process sees of the system, and modules.

use sentinel_event::{Body, Chroot, ModuleLoad, Mount, Path, Setns, Text, Umount, Unshare};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

impl Decode for abi::sentinel_mount {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let mut source = tail.user_path(self.source)?;
        if self.is_path == 0 {
            source.path = Text::default();
        }
        Ok(Content::Body(Body::Mount(Mount {
            source,
            target: tail.user_path(self.target)?,
            fstype: tail.text(self.fstype)?,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_umount {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Umount(Umount { target: tail.user_path(self.target)?, flags: self.flags })))
    }
}

impl Decode for abi::sentinel_chroot {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let mut asked = tail.user_path(self.asked)?;
        if self.hdr.result >= 0 {
            asked.path = Text::default();
        }
        Ok(Content::Body(Body::Chroot(Chroot { root: tail.rooted(self.root)?, asked })))
    }
}

impl Decode for abi::sentinel_setns {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Setns(Setns { fd: self.fd, nstype: self.nstype, ino: self.ino })))
    }
}

impl Decode for abi::sentinel_unshare {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Unshare(Unshare { flags: self.flags })))
    }
}

impl Decode for abi::sentinel_module_load {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::ModuleLoad(ModuleLoad {
            path: if self.ino == 0 { Path::default() } else { tail.rooted(self.path)? },
            ino: self.ino,
            dev: self.dev,
            size: self.size,
            args: tail.text(self.args)?,
            flags: self.flags,
            fd: self.fd,
        })))
    }
}

#[cfg(test)]
mod tests {
    use sentinel_event::UserPath;

    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record, span};

    fn user(off: u16, len: u16) -> abi::sentinel_user_path {
        let base = abi::sentinel_path { span: span(off, 4), flags: 0 };
        abi::sentinel_user_path { base, name: span(off + 4, len), unreadable: 0, ..Default::default() }
    }

    fn want(path: &str, name: &str) -> UserPath {
        UserPath { path: path.into(), name: name.into(), unreadable: false, ..UserPath::default() }
    }

    #[test]
    fn the_source_of_a_mount_is_a_path_or_a_word() {
        for (is_path, path) in [(1, "/tmp/a"), (0, "")] {
            let (source, target) = (user(0, 1), user(5, 2));
            let fstype = span(11, 5);
            let wire =
                abi::sentinel_mount { source, target, flags: 5, fstype, is_path, ..Default::default() };
            let bytes = record(34, &wire, b"tmp\0atmp\0bctmpfs");
            let mount = Mount {
                source: want(path, "a"),
                target: want("/tmp/bc", "bc"),
                fstype: "tmpfs".into(),
                flags: 5,
            };
            assert_eq!(body(&bytes), Body::Mount(mount));
            every_cut_fails(&bytes);
        }
        let bytes = record(
            35,
            &abi::sentinel_umount { target: user(0, 1), flags: 2, ..Default::default() },
            b"tmp\0a",
        );
        assert_eq!(body(&bytes), Body::Umount(Umount { target: want("/tmp/a", "a"), flags: 2 }));
        every_cut_fails(&bytes);
    }

    #[test]
    fn a_new_root_is_the_kernels() {
        let root = abi::sentinel_path { span: span(0, 4), flags: 0 };
        let mut wire = abi::sentinel_chroot { root, asked: user(4, 1), ..Default::default() };
        let bytes = record(36, &wire, b"tmp\0tmp\0a");
        assert_eq!(body(&bytes), Body::Chroot(Chroot { root: "/tmp".into(), asked: want("", "a") }));
        every_cut_fails(&bytes);
        wire.hdr.result = -2;
        let bytes = record(36, &wire, b"tmp\0tmp\0a");
        assert_eq!(body(&bytes), Body::Chroot(Chroot { root: "/tmp".into(), asked: want("/tmp/a", "a") }));
    }

    #[test]
    fn namespaces_are_numbers() {
        let bytes = record(
            37,
            &abi::sentinel_setns { fd: 3, nstype: 0x2000_0000, ino: 9, ..Default::default() },
            b"",
        );
        assert_eq!(body(&bytes), Body::Setns(Setns { fd: 3, nstype: 0x2000_0000, ino: 9 }));
        every_cut_fails(&bytes);
        let bytes = record(38, &abi::sentinel_unshare { flags: 0x1000_0000, ..Default::default() }, b"");
        assert_eq!(body(&bytes), Body::Unshare(Unshare { flags: 0x1000_0000 }));
        every_cut_fails(&bytes);
    }

    #[test]
    fn a_module_comes_from_a_file_or_from_memory() {
        let path = abi::sentinel_path { span: span(0, 5), flags: 0 };
        let wire = abi::sentinel_module_load {
            path,
            ino: 7,
            dev: 8,
            args: span(5, 3),
            flags: 1,
            fd: 3,
            ..Default::default()
        };
        let bytes = record(40, &wire, b"m.ko\0a=1");
        let want =
            ModuleLoad { path: "/m.ko".into(), ino: 7, dev: 8, size: 0, args: "a=1".into(), flags: 1, fd: 3 };
        assert_eq!(body(&bytes), Body::ModuleLoad(want));
        every_cut_fails(&bytes);
        let bytes = record(40, &abi::sentinel_module_load { size: 99, fd: -1, ..Default::default() }, b"");
        assert_eq!(body(&bytes), Body::ModuleLoad(ModuleLoad { size: 99, fd: -1, ..ModuleLoad::default() }));
    }
}
