//! Files and names.

use sentinel_event::{Body, FileClose, FileIo, FileOpen, FileRename, FileUnlink, Kind};

use super::{
    Row,
    form::{entered, flags32, number, text, truth, used},
    process::path_flags,
    table,
};
use crate::language::eval::names;

const ACCESS: names::Flags = &[(0, "O_RDONLY"), (1, "O_WRONLY"), (2, "O_RDWR")];

const OPEN: &[Row] = table! { Data, &[Kind::FileOpen];
    "filename", "fd.name fd.directory fd.filename fs.path.name evt.arg.name", "/etc/hosts", |draft, value| {
        text(value, &mut open(&mut draft.body)?.path.bytes)
    };
    "path_flags", "", "deleted,shared", |draft, value| path_flags(value, &mut open(&mut draft.body)?.path.flags);
    "asked", "fd.name", "/etc/hosts", |draft, value| text(value, &mut open(&mut draft.body)?.asked.path);
    "asked_name", "fd.nameraw fs.path.nameraw", "hosts", |draft, value| text(value, &mut open(&mut draft.body)?.asked.name);
    "asked_unreadable", "fs.path.nameraw", "true", |draft, value| truth(value, &mut open(&mut draft.body)?.asked.unreadable);
    "flags", "evt.arg.flags evt.is_open_read evt.is_open_write", "O_WRONLY|O_CREAT|O_TRUNC", |draft, value| {
        flags32(value, &[ACCESS, names::OPEN, names::OPEN_REST], &mut open(&mut draft.body)?.flags)
    };
    "mode", "evt.arg.mode evt.is_open_exec", "420", |draft, value| number(value, &mut open(&mut draft.body)?.mode);
    "dev", "fd.dev evt.arg.dev", "8", |draft, value| number(value, &mut open(&mut draft.body)?.dev);
    "ino", "fd.ino evt.arg.ino", "77", |draft, value| number(value, &mut open(&mut draft.body)?.ino);
    "created", "evt.is_open_create", "true", |draft, value| truth(value, &mut open(&mut draft.body)?.created);
};

const IO: &[Row] = table! { Data, &[Kind::FileRead, Kind::FileWrite];
    "filename", "fd.name fd.directory fd.filename", "/etc/hosts", |draft, value| text(value, &mut io(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut io(&mut draft.body)?.path.flags);
    "bytes", "evt.buflen evt.arg.size evt.rawres", "120", |draft, value| number(value, &mut io(&mut draft.body)?.bytes);
    "calls", "", "1", |draft, value| number(value, &mut io(&mut draft.body)?.calls);
    "fd", "fd.num evt.arg.fd", "3", |draft, value| number(value, &mut io(&mut draft.body)?.fd);
    "dev", "fd.dev", "8", |draft, value| number(value, &mut io(&mut draft.body)?.dev);
    "ino", "fd.ino", "77", |draft, value| number(value, &mut io(&mut draft.body)?.ino);
};

const CLOSE: &[Row] = table! { Data, &[Kind::FileClose];
    "filename", "fd.name fd.directory fd.filename", "/etc/hosts", |draft, value| text(value, &mut close(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut close(&mut draft.body)?.path.flags);
    "bytes", "", "120", |draft, value| number(value, &mut close(&mut draft.body)?.bytes);
    "calls", "", "1", |draft, value| number(value, &mut close(&mut draft.body)?.calls);
    "dev", "fd.dev", "8", |draft, value| number(value, &mut close(&mut draft.body)?.dev);
    "ino", "fd.ino", "77", |draft, value| number(value, &mut close(&mut draft.body)?.ino);
};

const UNLINK: &[Row] = table! { Data, &[Kind::FileUnlink];
    "filename", "fs.path.name evt.arg.name", "/etc/hosts", |draft, value| text(value, &mut unlink(&mut draft.body)?.target.path);
    "name", "fs.path.nameraw", "hosts", |draft, value| text(value, &mut unlink(&mut draft.body)?.target.name);
    "name_unreadable", "fs.path.nameraw", "true", |draft, value| truth(value, &mut unlink(&mut draft.body)?.target.unreadable);
    "used", "fs.path.name evt.arg.name", "/run/a", |draft, value| used(value, &mut unlink(&mut draft.body)?.target);
    "entered", "fs.path.name evt.arg.name", "/run/a", |draft, value| entered(value, &mut unlink(&mut draft.body)?.target);
    "name_shared", "", "true", |draft, value| truth(value, &mut unlink(&mut draft.body)?.target.shared);
};

const RENAME: &[Row] = table! { Data, &[Kind::FileRename];
    "filename", "fs.path.source evt.arg.oldpath", "/tmp/a", |draft, value| text(value, &mut rename(&mut draft.body)?.from.path);
    "new_filename", "fs.path.target evt.arg.newpath", "/tmp/b", |draft, value| text(value, &mut rename(&mut draft.body)?.to.path);
    "name", "fs.path.sourceraw", "a", |draft, value| text(value, &mut rename(&mut draft.body)?.from.name);
    "new_name", "fs.path.targetraw", "b", |draft, value| text(value, &mut rename(&mut draft.body)?.to.name);
    "name_unreadable", "fs.path.sourceraw", "true", |draft, value| truth(value, &mut rename(&mut draft.body)?.from.unreadable);
    "new_name_unreadable", "fs.path.targetraw", "true", |draft, value| truth(value, &mut rename(&mut draft.body)?.to.unreadable);
    "used", "fs.path.source evt.arg.oldpath", "/run/a", |draft, value| used(value, &mut rename(&mut draft.body)?.from);
    "entered", "fs.path.source evt.arg.oldpath", "/run/a", |draft, value| entered(value, &mut rename(&mut draft.body)?.from);
    "name_shared", "", "true", |draft, value| truth(value, &mut rename(&mut draft.body)?.from.shared);
    "new_used", "fs.path.target evt.arg.newpath", "/run/a", |draft, value| used(value, &mut rename(&mut draft.body)?.to);
    "new_entered", "fs.path.target evt.arg.newpath", "/run/a", |draft, value| entered(value, &mut rename(&mut draft.body)?.to);
    "new_name_shared", "", "true", |draft, value| truth(value, &mut rename(&mut draft.body)?.to.shared);
    "flags", "evt.arg.flags", "RENAME_NOREPLACE", |draft, value| {
        flags32(value, &[names::RENAME], &mut rename(&mut draft.body)?.flags)
    };
};

pub(super) const ROWS: &[&[Row]] = &[OPEN, IO, CLOSE, UNLINK, RENAME];

fn open(body: &mut Body) -> Option<&mut FileOpen> {
    match body {
        Body::FileOpen(open) => Some(open),
        _ => None,
    }
}

fn io(body: &mut Body) -> Option<&mut FileIo> {
    match body {
        Body::FileRead(io) | Body::FileWrite(io) => Some(io),
        _ => None,
    }
}

fn close(body: &mut Body) -> Option<&mut FileClose> {
    match body {
        Body::FileClose(close) => Some(close),
        _ => None,
    }
}

fn unlink(body: &mut Body) -> Option<&mut FileUnlink> {
    match body {
        Body::FileUnlink(unlink) => Some(unlink),
        _ => None,
    }
}

fn rename(body: &mut Body) -> Option<&mut FileRename> {
    match body {
        Body::FileRename(rename) => Some(rename),
        _ => None,
    }
}
