//! What a process sees of the system, and modules.

use sentinel_event::{Body, Chroot, Kind, ModuleLoad, Mount, Setns, Umount};

use super::{
    Row,
    form::{entered, flags, flags32, hexadecimal, number, text, truth},
    process::path_flags,
    table,
};
use crate::language::eval::names;

/// `MNT_*`, as agents write it.
const UMOUNT_FLAGS: names::Flags =
    &[(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")];
/// The time namespace has no name in Falco.
const TIME: names::Flags = &[(0x80, "CLONE_NEWTIME")];

const MOUNT: &[Row] = table! { Data, &[Kind::Mount];
    "filename", "evt.arg.dir", "/mnt", |draft, value| text(value, &mut mount(&mut draft.body)?.target.path);
    "name", "", "mnt", |draft, value| text(value, &mut mount(&mut draft.body)?.target.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut mount(&mut draft.body)?.target.unreadable);
    "name_shared", "", "true", |draft, value| {
        let mount = mount(&mut draft.body)?;
        truth(value, &mut mount.target.shared)?;
        mount.source.shared = mount.target.shared;
        Some(())
    };
    "entered", "evt.arg.dir", "/mnt", |draft, value| entered(value, &mut mount(&mut draft.body)?.target);
    "source_entered", "", "/mnt", |draft, value| entered(value, &mut mount(&mut draft.body)?.source);
    "source", "evt.arg.dev", "/srv", |draft, value| text(value, &mut mount(&mut draft.body)?.source.path);
    "source_name", "evt.arg.dev", "/dev/sda1", |draft, value| text(value, &mut mount(&mut draft.body)?.source.name);
    "source_unreadable", "", "true", |draft, value| truth(value, &mut mount(&mut draft.body)?.source.unreadable);
    "fstype", "evt.arg.type", "ext4", |draft, value| text(value, &mut mount(&mut draft.body)?.fstype);
    "flags", "evt.arg.flags", "0x1000", |draft, value| {
        mount(&mut draft.body)?.flags = hexadecimal(value)?;
        Some(())
    };
};

const UMOUNT: &[Row] = table! { Data, &[Kind::Umount];
    "filename", "fs.path.name evt.arg.name", "/mnt", |draft, value| text(value, &mut umount(&mut draft.body)?.target.path);
    "name", "fs.path.nameraw", "mnt", |draft, value| text(value, &mut umount(&mut draft.body)?.target.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut umount(&mut draft.body)?.target.unreadable);
    "name_shared", "", "true", |draft, value| truth(value, &mut umount(&mut draft.body)?.target.shared);
    "entered", "fs.path.name evt.arg.name", "/mnt", |draft, value| entered(value, &mut umount(&mut draft.body)?.target);
    "flags", "evt.arg.flags", "MNT_DETACH", |draft, value| flags32(value, &[UMOUNT_FLAGS], &mut umount(&mut draft.body)?.flags);
};

const CHROOT: &[Row] = table! { Data, &[Kind::Chroot];
    "filename", "", "/srv/root", |draft, value| text(value, &mut chroot(&mut draft.body)?.root.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut chroot(&mut draft.body)?.root.flags);
    "asked", "fs.path.name evt.arg.path", "/srv/root", |draft, value| text(value, &mut chroot(&mut draft.body)?.asked.path);
    "name", "fs.path.nameraw", "root", |draft, value| text(value, &mut chroot(&mut draft.body)?.asked.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut chroot(&mut draft.body)?.asked.unreadable);
    "name_shared", "", "true", |draft, value| truth(value, &mut chroot(&mut draft.body)?.asked.shared);
};

const SETNS: &[Row] = table! { Data, &[Kind::Setns];
    "fd", "fd.num evt.arg.fd", "3", |draft, value| number(value, &mut setns(&mut draft.body)?.fd);
    "nstype", "evt.arg.nstype", "CLONE_NEWNET", |draft, value| {
        flags32(value, &[names::CLONE, TIME], &mut setns(&mut draft.body)?.nstype)
    };
    "ino", "", "4026531840", |draft, value| number(value, &mut setns(&mut draft.body)?.ino);
};

const UNSHARE: &[Row] = table! { Data, &[Kind::Unshare];
    "flags", "evt.arg.flags", "CLONE_NEWUSER", |draft, value| match &mut draft.body {
        Body::Unshare(unshare) => {
            unshare.flags = flags(value, &[names::CLONE, TIME])?;
            Some(())
        }
        _ => None,
    };
};

const MODULE: &[Row] = table! { Data, &[Kind::ModuleLoad];
    "filename", "fd.name", "/lib/modules/x.ko", |draft, value| text(value, &mut module(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut module(&mut draft.body)?.path.flags);
    "fd", "fd.num evt.arg.fd", "3", |draft, value| number(value, &mut module(&mut draft.body)?.fd);
    "dev", "fd.dev", "8", |draft, value| number(value, &mut module(&mut draft.body)?.dev);
    "ino", "fd.ino", "77", |draft, value| number(value, &mut module(&mut draft.body)?.ino);
    "size", "", "8192", |draft, value| number(value, &mut module(&mut draft.body)?.size);
    "args", "evt.arg.uargs", "debug=1", |draft, value| text(value, &mut module(&mut draft.body)?.args);
    "flags", "evt.arg.flags", "0", |draft, value| number(value, &mut module(&mut draft.body)?.flags);
};

pub(super) const ROWS: &[&[Row]] = &[MOUNT, UMOUNT, CHROOT, SETNS, UNSHARE, MODULE];

fn mount(body: &mut Body) -> Option<&mut Mount> {
    match body {
        Body::Mount(it) => Some(it),
        _ => None,
    }
}

fn umount(body: &mut Body) -> Option<&mut Umount> {
    match body {
        Body::Umount(it) => Some(it),
        _ => None,
    }
}

fn chroot(body: &mut Body) -> Option<&mut Chroot> {
    match body {
        Body::Chroot(it) => Some(it),
        _ => None,
    }
}

fn setns(body: &mut Body) -> Option<&mut Setns> {
    match body {
        Body::Setns(it) => Some(it),
        _ => None,
    }
}

fn module(body: &mut Body) -> Option<&mut ModuleLoad> {
    match body {
        Body::ModuleLoad(it) => Some(it),
        _ => None,
    }
}
