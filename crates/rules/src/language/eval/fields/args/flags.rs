//! Parameters that are bits with names.

use sentinel_event::Body;

use super::super::or_missing;
use crate::language::eval::{
    json::print,
    names::{self, Flags},
    value::{Scratch, Value},
    view::View,
};

pub(super) fn flag_bits(view: &View<'_>) -> Option<(i64, Flags)> {
    let (bits, names) = match &view.observation.event.body {
        Body::FileOpen(open) if view.call.name != "creat" => (open.flags, names::OPEN),
        Body::MemfdCreate(memfd) => (memfd.flags, names::MEMFD),
        Body::MmapExec(map) => (map.flags, names::MAP),
        Body::FileRename(rename) if view.call.name == "renameat2" => (rename.flags, names::RENAME),
        Body::FileUnlink(_) if view.call.name == "unlinkat" => (0, REMOVE),
        Body::FileRmdir(_) if view.call.name == "unlinkat" => (libc::AT_REMOVEDIR.cast_unsigned(), REMOVE),
        Body::FileLink(link) if view.call.name == "linkat" => (link.flags, names::AT),
        Body::FileChown(chown) if view.call.name == "fchownat" => (chown.flags, names::AT),
        Body::Dup(dup) if view.call.name == "dup3" => (dup.flags, names::DUP),
        Body::Socket(made) => (made.flags, names::SOCK),
        Body::Umount(umount) => (umount.flags, names::UMOUNT),
        Body::Unshare(unshare) => return Some((i64::try_from(unshare.flags).ok()?, names::CLONE)),
        Body::Mount(mount) => return Some((i64::try_from(mount.flags).ok()?, names::MOUNT)),
        Body::ModuleLoad(module) if module.fd >= 0 => (module.flags, names::MODULE),
        Body::Userfaultfd(made) => (made.flags, names::DUP),
        Body::IoUringSetup(ring) => (ring.flags, names::URING),
        _ => return None,
    };
    Some((bits.into(), names))
}

const REMOVE: Flags = &[(0x200, "AT_REMOVEDIR")];

pub(super) fn flags<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    match &view.observation.event.body {
        Body::Exec(_) => {
            let Some(exec) = view.exec() else { return Value::Missing };
            let file = &exec.executable;
            let set = [
                (file.writable, "EXE_WRITABLE"),
                (file.upper_layer, "EXE_UPPER_LAYER"),
                (file.memfd, "EXE_FROM_MEMFD"),
                (file.lower_layer, "EXE_LOWER_LAYER"),
            ];
            scratch.build(|out| {
                let start = out.len();
                for (_, name) in set.into_iter().filter(|(set, _)| *set) {
                    bar(start, out);
                    out.extend_from_slice(name.as_bytes());
                }
                if out.len() == start {
                    out.push(b'0');
                }
            })
        }
        Body::FileOpen(open) if view.call.name != "creat" => scratch.build(|out| {
            let start = out.len();
            let mode = libc::O_ACCMODE.cast_unsigned();
            let left = named_flags((open.flags & !mode).into(), names::OPEN, start, out);
            bar(start, out);
            out.extend_from_slice(match (open.flags & mode).cast_signed() {
                libc::O_RDONLY => b"O_RDONLY",
                libc::O_WRONLY => b"O_WRONLY",
                libc::O_RDWR => b"O_RDWR",
                _ => b"O_ACCMODE",
            });
            named_flags(left, names::OPEN_REST, start, out);
            if open.created {
                out.extend_from_slice(b"|O_F_CREATED");
            }
        }),
        _ => or_missing(flag_bits(view), |(bits, names)| {
            scratch.build(|out| write_flags(bits.cast_unsigned(), names, out))
        }),
    }
}

fn bar(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b'|');
    }
}

/// Names of set bits; the bits that have none.
fn named_flags(bits: u64, names: Flags, start: usize, out: &mut Vec<u8>) -> u64 {
    let mut left = bits;
    for (bit, name) in names {
        if *bit != 0 && left & bit == *bit {
            left &= !bit;
            bar(start, out);
            out.extend_from_slice(name.as_bytes());
        }
    }
    left
}

pub(super) fn write_flags(bits: u64, names: Flags, out: &mut Vec<u8>) {
    let start = out.len();
    let left = named_flags(bits, names, start, out);
    if left != 0 {
        bar(start, out);
        print(out, format_args!("{left:#x}"));
    } else if out.len() == start {
        out.push(b'0');
    }
}
