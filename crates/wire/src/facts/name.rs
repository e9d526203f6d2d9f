//! Facts about names that are made, and directories that are removed.

use sentinel_event::{Body, Kind};

use super::{ARGUMENT, Fact, KERNEL, NAMED, USER, entered, rows, used, when};
use crate::{Value, flags};

const LINK: &[Fact] = rows! { Data, &[Kind::FileLink], Body::FileLink(link) =>
    "filename", "", NAMED, "Absolute path there was.", Some(Value::Bytes(&link.from.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&link.from.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(link.from.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&link.from);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&link.from);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(link.from.shared);
    "new_filename", "", NAMED, "Absolute path of the new name.", Some(Value::Bytes(&link.to.path));
    "new_name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&link.to.name));
    "new_name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(link.to.unreadable);
    "new_used", "", KERNEL, "Absolute path that the kernel used, when that is not `new_filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&link.to);
    "new_entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `new_filename`.",
        entered(&link.to);
    "new_name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `new_filename` is not certain. Absent when it is.",
        when(link.to.shared);
    "flags", "", ARGUMENT, "`AT_*`, `|` between them; `0` for none.", Some(Value::Flags(link.flags.into(), flags::AT));
};

const SYMLINK: &[Fact] = rows! { Data, &[Kind::FileSymlink], Body::FileSymlink(symlink) =>
    "filename", "", NAMED, "Absolute path of the new name.", Some(Value::Bytes(&symlink.link.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&symlink.link.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(symlink.link.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&symlink.link);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&symlink.link);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(symlink.link.shared);
    "target", "", USER, "What it leads to, as the caller wrote it.", Some(Value::Bytes(&symlink.target));
    "target_unreadable", "", KERNEL, "The caller's memory with the target could not be read. Absent when it could.", when(symlink.target_unreadable);
};

const MKDIR: &[Fact] = rows! { Data, &[Kind::FileMkdir], Body::FileMkdir(mkdir) =>
    "filename", "", NAMED, "Absolute path of the directory.", Some(Value::Bytes(&mkdir.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&mkdir.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(mkdir.target.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&mkdir.target);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&mkdir.target);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(mkdir.target.shared);
    "mode", "octal", ARGUMENT, "Permission bits asked for.", Some(Value::Octal(mkdir.mode));
};

const RMDIR: &[Fact] = rows! { Data, &[Kind::FileRmdir], Body::FileRmdir(rmdir) =>
    "filename", "", NAMED, "Absolute path that was removed.", Some(Value::Bytes(&rmdir.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&rmdir.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(rmdir.target.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&rmdir.target);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&rmdir.target);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(rmdir.target.shared);
};

const MKNOD: &[Fact] = rows! { Data, &[Kind::FileMknod], Body::FileMknod(mknod) =>
    "filename", "", NAMED, "Absolute path of the new file.", Some(Value::Bytes(&mknod.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&mknod.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(mknod.target.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&mknod.target);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&mknod.target);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(mknod.target.shared);
    "mode", "octal", ARGUMENT, "`S_IF*` and permission bits.", Some(Value::Octal(mknod.mode));
    "rdev", "", ARGUMENT, "Device number as the caller encodes it, makedev(3).", Some(Value::U64(mknod.rdev.into()));
};

pub(super) const FACTS: &[&[Fact]] = &[LINK, SYMLINK, MKDIR, RMDIR, MKNOD];
