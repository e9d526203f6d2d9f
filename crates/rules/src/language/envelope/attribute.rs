//! What files are changed to.

use sentinel_event::{Body, FileTarget, Kind};

use super::{
    Row,
    form::{entered, flags32, id, number, octal, text, truth, used},
    process::path_flags,
    table,
};
use crate::language::eval::names;

/// By descriptor the path is the file's, by name what the caller asked for: `Draft::finish` puts it there.
const FILE: &[Row] = table! { Data, &[Kind::FileChmod, Kind::FileChown, Kind::FileTruncate];
    "filename", "fs.path.name fd.name", "/srv/a", |draft, value| text(value, &mut file(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut file(&mut draft.body)?.path.flags);
    "name", "fs.path.nameraw", "a", |draft, value| text(value, &mut file(&mut draft.body)?.asked.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut file(&mut draft.body)?.asked.unreadable);
    "used", "fs.path.name", "/run/a", |draft, value| used(value, &mut file(&mut draft.body)?.asked);
    "entered", "fs.path.name", "/run/a", |draft, value| entered(value, &mut file(&mut draft.body)?.asked);
    "name_shared", "", "true", |draft, value| truth(value, &mut file(&mut draft.body)?.asked.shared);
    "fd", "fd.num evt.arg.fd", "3", |draft, value| number(value, &mut file(&mut draft.body)?.fd);
    "dev", "fd.dev", "8", |draft, value| number(value, &mut file(&mut draft.body)?.dev);
    "ino", "fd.ino", "77", |draft, value| number(value, &mut file(&mut draft.body)?.ino);
};

const CHMOD: &[Row] = table! { Data, &[Kind::FileChmod];
    "mode", "evt.arg.mode", "04755", |draft, value| match &mut draft.body {
        Body::FileChmod(chmod) => octal(value, &mut chmod.mode),
        _ => None,
    };
    "flags", "", "AT_SYMLINK_NOFOLLOW", |draft, value| match &mut draft.body {
        Body::FileChmod(chmod) => flags32(value, &[names::AT], &mut chmod.flags),
        _ => None,
    };
};

const CHOWN: &[Row] = table! { Data, &[Kind::FileChown];
    "new_uid", "evt.arg.uid", "0", |draft, value| match &mut draft.body {
        Body::FileChown(chown) => id(value, &mut chown.uid),
        _ => None,
    };
    "new_gid", "evt.arg.gid", "0", |draft, value| match &mut draft.body {
        Body::FileChown(chown) => id(value, &mut chown.gid),
        _ => None,
    };
    "flags", "", "AT_SYMLINK_NOFOLLOW", |draft, value| match &mut draft.body {
        Body::FileChown(chown) => flags32(value, &[names::AT], &mut chown.flags),
        _ => None,
    };
};

const TRUNCATE: &[Row] = table! { Data, &[Kind::FileTruncate];
    "size", "", "0", |draft, value| match &mut draft.body {
        Body::FileTruncate(truncate) => number(value, &mut truncate.size),
        _ => None,
    };
};

pub(super) const ROWS: &[&[Row]] = &[FILE, CHMOD, CHOWN, TRUNCATE];

pub(super) fn file(body: &mut Body) -> Option<&mut FileTarget> {
    match body {
        Body::FileChmod(chmod) => Some(&mut chmod.file),
        Body::FileChown(chown) => Some(&mut chown.file),
        Body::FileTruncate(truncate) => Some(&mut truncate.file),
        _ => None,
    }
}
