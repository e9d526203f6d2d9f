//! Facts about what files are changed to.

use sentinel_event::{Body, FileTarget, Kind};

use super::{
    ARGUMENT, Fact, KERNEL, USER, entered, process::path_flags, rows, some_bytes, some_number, used, when,
};
use crate::{Value, flags};

macro_rules! target {
    ($file:ident; $($key:literal, $source:expr, $meaning:literal, $get:expr;)*) => {
        &[$(Fact {
            section: crate::Section::Data, key: $key, json: concat!(",\"", $key, "\":\""), meaning: $meaning, unit: "", source: $source, actor: false,
            kinds: &[Kind::FileChmod, Kind::FileChown, Kind::FileTruncate],
            get: |told| file_of(&told.observation.event.body).and_then(|$file| $get),
        },)*]
    };
}

const FILE: &[Fact] = target! { file;
    "filename", "by descriptor: kernel; by name: directory kernel, name caller's memory", "Absolute path of the file. Absent when there is none.",
        some_bytes(named(file));
    "path_flags", KERNEL, "What is special about the path. Absent for nothing, and by name.", path_flags(file.path.flags);
    "name", USER, "The bytes the caller passed. Absent by descriptor.", some_bytes(&file.asked.name);
    "name_unreadable", KERNEL, "The caller's memory could not be read. Absent when it could.", when(file.asked.unreadable);
    "used", KERNEL, "Absolute path that the kernel used, when that is not `filename`: the name was rewritten meanwhile, or led through symbolic links.",
        used(&file.asked);
    "entered", USER, "Absolute path that the caller's memory held as the call began, when that is not `filename`.",
        entered(&file.asked);
    "name_shared", KERNEL, "Others could rewrite the caller's memory, and the kernel does not tell what it used: `filename` is not certain. Absent when it is.",
        when(file.asked.shared);
    "fd", ARGUMENT, "The descriptor. Absent by name.", (file.fd >= 0).then(|| Value::I64(file.fd.into()));
    "dev", KERNEL, "Device number of the file system. Absent by name.", some_number(file.dev.into());
    "ino", KERNEL, "Inode number. Absent by name.", some_number(file.ino);
};

const CHMOD: &[Fact] = rows! { Data, &[Kind::FileChmod], Body::FileChmod(chmod) =>
    "mode", "octal", ARGUMENT, "Permission bits.", Some(Value::Octal(chmod.mode));
    "flags", "", ARGUMENT, "`AT_*`, `|` between them; `0` for none.", Some(Value::Flags(chmod.flags.into(), flags::AT));
};

const CHOWN: &[Fact] = rows! { Data, &[Kind::FileChown], Body::FileChown(chown) =>
    "new_uid", "", ARGUMENT, "New owner, in the caller's user namespace; -1 leaves it.", Some(id(chown.uid));
    "new_gid", "", ARGUMENT, "New group, likewise.", Some(id(chown.gid));
    "flags", "", ARGUMENT, "`AT_*`, `|` between them; `0` for none.", Some(Value::Flags(chown.flags.into(), flags::AT));
};

const TRUNCATE: &[Fact] = rows! { Data, &[Kind::FileTruncate], Body::FileTruncate(truncate) =>
    "size", "bytes", ARGUMENT, "New size.", Some(Value::U64(truncate.size));
};

pub(super) const FACTS: &[&[Fact]] = &[FILE, CHMOD, CHOWN, TRUNCATE];

/// The path behind the descriptor, else the one that was asked for.
fn named(file: &FileTarget) -> &[u8] {
    if file.path.bytes.is_empty() { &file.asked.path } else { &file.path.bytes }
}

fn file_of(body: &Body) -> Option<&FileTarget> {
    match body {
        Body::FileChmod(chmod) => Some(&chmod.file),
        Body::FileChown(chown) => Some(&chown.file),
        Body::FileTruncate(truncate) => Some(&truncate.file),
        _ => None,
    }
}

/// A user or group; what callers write as -1 is -1.
pub(super) fn id(id: u32) -> Value<'static> {
    if id == u32::MAX { Value::I64(-1) } else { Value::U64(id.into()) }
}
