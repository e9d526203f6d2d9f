//! Facts about what a process sees of the system, and modules.

use sentinel_event::{Body, Kind};

use super::{
    ARGUMENT, Fact, KERNEL, NAMED, USER, entered, process::path_flags, rows, some_bytes, some_number, when,
};
use crate::{Value, flags};

const MOUNT: &[Fact] = rows! { Data, &[Kind::Mount], Body::Mount(mount) =>
    "filename", "", NAMED, "Where; of pivot_root where the old root goes.", Some(Value::Bytes(&mount.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&mount.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(mount.target.unreadable);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory: `filename` is not certain. Absent when it is.", when(mount.target.shared);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.", entered(&mount.target);
    "source_entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `source`.", entered(&mount.source);
    "source", "", NAMED, "Absolute path of what is bound or moved, or the new root. Absent when the source is a word.", some_bytes(&mount.source.path);
    "source_name", "", USER, "The source as the caller passed it: a device or any word. Absent for none.", some_bytes(&mount.source.name);
    "source_unreadable", "", KERNEL, "The caller's memory with the source could not be read. Absent when it could.", when(mount.source.unreadable);
    "fstype", "", USER, "Type of the file system. Absent when none was named.", some_bytes(&mount.fstype);
    "flags", "hexadecimal", ARGUMENT, "`MS_*`; of move_mount `MOVE_MOUNT_*`.", Some(Value::Hex(mount.flags));
};

const UMOUNT: &[Fact] = rows! { Data, &[Kind::Umount], Body::Umount(umount) =>
    "filename", "", NAMED, "Absolute path that was unmounted.", Some(Value::Bytes(&umount.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&umount.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(umount.target.unreadable);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory: `filename` is not certain. Absent when it is.", when(umount.target.shared);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.", entered(&umount.target);
    "flags", "", ARGUMENT, "`MNT_*`, `|` between them; `0` for none.", Some(Value::Flags(umount.flags.into(), flags::UMOUNT));
};

const CHROOT: &[Fact] = rows! { Data, &[Kind::Chroot], Body::Chroot(chroot) =>
    "filename", "", KERNEL, "Absolute path of the root after the call.", Some(Value::Bytes(&chroot.root.bytes));
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(chroot.root.flags);
    "asked", "", NAMED, "Absolute path the caller asked for. Absent on success.", some_bytes(&chroot.asked.path);
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&chroot.asked.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(chroot.asked.unreadable);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory: `asked` is not certain. Absent when it is.", when(chroot.asked.shared);
};

const SETNS: &[Fact] = rows! { Data, &[Kind::Setns], Body::Setns(setns) =>
    "fd", "", ARGUMENT, "Descriptor of the namespace, or a pidfd.", Some(Value::I64(setns.fd.into()));
    "nstype", "", ARGUMENT, "`CLONE_NEW*`, `|` between them; `0` for whatever it is.", Some(Value::Flags(setns.nstype.into(), flags::CLONE));
    "ino", "", KERNEL, "Inode number of the namespace, or of the pidfd. Absent when nothing is at the descriptor.", some_number(setns.ino);
};

const UNSHARE: &[Fact] = rows! { Data, &[Kind::Unshare], Body::Unshare(unshare) =>
    "flags", "", ARGUMENT, "`CLONE_*`, `|` between them; `0` for none.", Some(Value::Flags(unshare.flags, flags::CLONE));
};

const MODULE: &[Fact] = rows! { Data, &[Kind::ModuleLoad], Body::ModuleLoad(module) =>
    "filename", "", KERNEL, "File of the module. Absent for one from memory.", some_bytes(&module.path.bytes);
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(module.path.flags);
    "fd", "", ARGUMENT, "The descriptor. Absent for a module from memory.", (module.fd >= 0).then(|| Value::I64(module.fd.into()));
    "dev", "", KERNEL, "Device number of the file system. Absent for a module from memory.", some_number(module.dev.into());
    "ino", "", KERNEL, "Inode number of the file. Absent for a module from memory.", some_number(module.ino);
    "size", "bytes", ARGUMENT, "Size of the image in memory. Absent for one from a file.", some_number(module.size);
    "args", "", USER, "Parameters of the module.", Some(Value::Bytes(&module.args));
    "flags", "", ARGUMENT, "`MODULE_INIT_*`, a number.", Some(Value::U64(module.flags.into()));
};

pub(super) const FACTS: &[&[Fact]] = &[MOUNT, UMOUNT, CHROOT, SETNS, UNSHARE, MODULE];
