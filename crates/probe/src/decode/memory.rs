//! Memory that can be run: memfd_create, mmap, mprotect.

use sentinel_event::{Body, MemfdCreate, MmapExec, MprotectExec, Path};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

impl Decode for abi::sentinel_memfd_create {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::MemfdCreate(MemfdCreate { name: tail.text(self.name)?, flags: self.flags })))
    }
}

impl Decode for abi::sentinel_mmap_exec {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::MmapExec(MmapExec {
            path: if self.ino == 0 { Path::default() } else { tail.rooted(self.path)? },
            ino: self.ino,
            addr: self.addr,
            len: self.size,
            prot: self.prot,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_mprotect_exec {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::MprotectExec(MprotectExec {
            addr: self.addr,
            len: self.size,
            prot: self.prot,
        })))
    }
}

#[cfg(test)]
mod tests {
    use sentinel_event::PathFlags;

    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record, span};

    #[test]
    fn a_memfd_has_the_name_behind_the_prefix() {
        let memfd =
            |off, len| abi::sentinel_memfd_create { name: span(off, len), flags: 3, ..Default::default() };
        for (off, len, want) in [(6, 5, "x\nfd\u{7f}"), (0, 6, "memfd:"), (6, 0, ""), (0, 0, "")] {
            let bytes = record(15, &memfd(off, len), b"memfd:x\nfd\x7f");
            assert_eq!(body(&bytes), Body::MemfdCreate(MemfdCreate { name: want.into(), flags: 3 }));
        }
        every_cut_fails(&record(15, &memfd(6, 5), b"memfd:x\nfd\x7f"));
    }

    #[test]
    fn anonymous_memory_has_no_path() {
        let mmap = |ino, len, flags| abi::sentinel_mmap_exec {
            addr: 0x7000,
            size: 4096,
            ino,
            prot: 5,
            flags: 2,
            path: abi::sentinel_path { span: span(0, len), flags },
            ..Default::default()
        };
        let want = |ino, path: Path| {
            Body::MmapExec(MmapExec { path, ino, addr: 0x7000, len: 4096, prot: 5, flags: 2 })
        };
        let path = |bytes: &str, bits| Path { bytes: bytes.into(), flags: PathFlags::from_bits(bits) };
        for (ino, len, flags, expected) in [
            (0, 0, 0, want(0, Path::default())),
            (7, 12, 1, want(7, path("/lib/libc.so", 1))),
            (7, 0, 0, want(7, path("/", 0))),
        ] {
            let tail = if len == 0 { &b""[..] } else { b"libc.so\0lib\0" };
            assert_eq!(body(&record(16, &mmap(ino, len, flags), tail)), expected);
        }
        every_cut_fails(&record(16, &mmap(7, 12, 0), b"libc.so\0lib\0"));
    }

    #[test]
    fn mprotect_is_three_numbers() {
        let wire = abi::sentinel_mprotect_exec { addr: u64::MAX, size: 1, prot: 7, ..Default::default() };
        let bytes = record(17, &wire, b"");
        assert_eq!(body(&bytes), Body::MprotectExec(MprotectExec { addr: u64::MAX, len: 1, prot: 7 }));
        every_cut_fails(&bytes);
    }
}
