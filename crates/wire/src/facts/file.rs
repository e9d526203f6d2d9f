//! Facts of file events.

use sentinel_event::{Body, Kind};

use super::{
    ARGUMENT, Fact, KERNEL, NAMED, USER, entered, process::path_flags, rows, some_bytes, some_number, used,
    when,
};
use crate::{Value, flags};

const OPEN: &[Fact] = rows! { Data, &[Kind::FileOpen], Body::FileOpen(open) =>
    "filename", "", "kernel; caller's memory when no file was found",
        "Absolute path: of the opened file, or what the caller asked for when no file was found.", Some(Value::Bytes(open.best()));
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(open.path.flags);
    "asked", "", USER, "Absolute path the caller asked for. Absent when the kernel's is certain.", some_bytes(&open.asked.path);
    "asked_name", "", USER, "The bytes the caller passed. Absent when the kernel's path is certain.", some_bytes(&open.asked.name);
    "asked_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(open.asked.unreadable);
    "flags", "", ARGUMENT, "`O_*`, `|` between them.", Some(Value::OpenFlags(open.flags));
    "mode", "", ARGUMENT, "Permission bits for a new file, decimal.", Some(Value::U64(open.mode.into()));
    "dev", "", KERNEL, "Device number of the file system. Absent when no file was found.", some_number(open.dev.into());
    "ino", "", KERNEL, "Inode number. Absent when no file was found.", some_number(open.ino);
    "created", "", KERNEL, "This call made the file. Absent when it did not.", when(open.created);
};

const IO: &[Fact] = rows! { Data, &[Kind::FileRead, Kind::FileWrite], Body::FileRead(io) | Body::FileWrite(io) =>
    "filename", "", KERNEL, "Absolute path of the file.", Some(Value::Bytes(&io.path.bytes));
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(io.path.flags);
    "bytes", "bytes", KERNEL, "Bytes that this event accounts for.", Some(Value::U64(io.bytes));
    "calls", "calls", KERNEL, "Calls that this event accounts for.", Some(Value::U64(io.calls));
    "fd", "", ARGUMENT, "Descriptor of the first call.", Some(Value::I64(io.fd.into()));
    "dev", "", KERNEL, "Device number of the file system.", Some(Value::U64(io.dev.into()));
    "ino", "", KERNEL, "Inode number.", Some(Value::U64(io.ino));
};

const CLOSE: &[Fact] = rows! { Data, &[Kind::FileClose], Body::FileClose(close) =>
    "filename", "", KERNEL, "Absolute path of the file.", Some(Value::Bytes(&close.path.bytes));
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(close.path.flags);
    "bytes", "bytes", KERNEL, "Bytes this process wrote to the open file in all.", Some(Value::U64(close.bytes));
    "calls", "calls", KERNEL, "Write calls in all.", Some(Value::U64(close.calls));
    "dev", "", KERNEL, "Device number of the file system.", Some(Value::U64(close.dev.into()));
    "ino", "", KERNEL, "Inode number.", Some(Value::U64(close.ino));
};

const UNLINK: &[Fact] = rows! { Data, &[Kind::FileUnlink], Body::FileUnlink(unlink) =>
    "filename", "", NAMED, "Absolute path that was removed.", Some(Value::Bytes(&unlink.target.path));
    "name", "", USER, "The bytes the caller passed.", Some(Value::Bytes(&unlink.target.name));
    "name_unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(unlink.target.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&unlink.target);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&unlink.target);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(unlink.target.shared);
};

const RENAME: &[Fact] = rows! { Data, &[Kind::FileRename], Body::FileRename(rename) =>
    "filename", "", NAMED, "Absolute path before.", Some(Value::Bytes(&rename.from.path));
    "new_filename", "", NAMED, "Absolute path after.", Some(Value::Bytes(&rename.to.path));
    "name", "", USER, "The old name as the caller passed it.", Some(Value::Bytes(&rename.from.name));
    "new_name", "", USER, "The new name as the caller passed it.", Some(Value::Bytes(&rename.to.name));
    "name_unreadable", "", KERNEL, "The caller's memory with the old name could not be read. Absent when it could.",
        when(rename.from.unreadable);
    "new_name_unreadable", "", KERNEL, "The caller's memory with the new name could not be read. Absent when it could.",
        when(rename.to.unreadable);
    "used", "", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&rename.from);
    "entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&rename.from);
    "name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(rename.from.shared);
    "new_used", "", KERNEL, "Absolute path that the kernel used, when that is not `new_filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&rename.to);
    "new_entered", "", USER, "Absolute path that the caller's memory held as the call began, when that is not `new_filename`.",
        entered(&rename.to);
    "new_name_shared", "", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `new_filename` is not certain. Absent when it is.",
        when(rename.to.shared);
    "flags", "", ARGUMENT, "`RENAME_*`, `|` between them; `0` for none.", Some(Value::Flags(rename.flags.into(), flags::RENAME));
};

pub(super) const FACTS: &[&[Fact]] = &[OPEN, IO, CLOSE, UNLINK, RENAME];
