//! Names that are made, and directories that are removed.

use sentinel_event::{Body, FileLink, FileMknod, FileSymlink, Kind, UserPath};

use super::{
    Row,
    form::{entered, flags32, number, octal, text, truth, used},
    table,
};
use crate::language::eval::names;

const TARGET: &[Row] = table! { Data, &[Kind::FileMkdir, Kind::FileRmdir, Kind::FileMknod];
    "filename", "fs.path.name evt.arg.path", "/srv/a", |draft, value| text(value, &mut target(&mut draft.body)?.path);
    "name", "fs.path.nameraw", "a", |draft, value| text(value, &mut target(&mut draft.body)?.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut target(&mut draft.body)?.unreadable);
    "used", "fs.path.name evt.arg.path", "/run/a", |draft, value| used(value, target(&mut draft.body)?);
    "entered", "fs.path.name evt.arg.path", "/run/a", |draft, value| entered(value, target(&mut draft.body)?);
    "name_shared", "", "true", |draft, value| truth(value, &mut target(&mut draft.body)?.shared);
};

const MODE: &[Row] = table! { Data, &[Kind::FileMkdir, Kind::FileMknod];
    "mode", "evt.arg.mode", "0755", |draft, value| octal(value, match &mut draft.body {
        Body::FileMkdir(mkdir) => &mut mkdir.mode,
        Body::FileMknod(mknod) => &mut mknod.mode,
        _ => return None,
    });
};

const RDEV: &[Row] = table! { Data, &[Kind::FileMknod];
    "rdev", "evt.arg.dev", "259", |draft, value| number(value, &mut mknod(&mut draft.body)?.rdev);
};

const LINK: &[Row] = table! { Data, &[Kind::FileLink];
    "filename", "fs.path.source evt.arg.oldpath", "/srv/a", |draft, value| text(value, &mut link(&mut draft.body)?.from.path);
    "name", "fs.path.sourceraw", "a", |draft, value| text(value, &mut link(&mut draft.body)?.from.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut link(&mut draft.body)?.from.unreadable);
    "used", "fs.path.source evt.arg.oldpath", "/run/a", |draft, value| used(value, &mut link(&mut draft.body)?.from);
    "entered", "fs.path.source evt.arg.oldpath", "/run/a", |draft, value| entered(value, &mut link(&mut draft.body)?.from);
    "name_shared", "", "true", |draft, value| truth(value, &mut link(&mut draft.body)?.from.shared);
    "new_filename", "fs.path.target evt.arg.newpath", "/srv/b", |draft, value| text(value, &mut link(&mut draft.body)?.to.path);
    "new_name", "fs.path.targetraw", "b", |draft, value| text(value, &mut link(&mut draft.body)?.to.name);
    "new_name_unreadable", "", "true", |draft, value| truth(value, &mut link(&mut draft.body)?.to.unreadable);
    "new_used", "fs.path.target evt.arg.newpath", "/run/a", |draft, value| used(value, &mut link(&mut draft.body)?.to);
    "new_entered", "fs.path.target evt.arg.newpath", "/run/a", |draft, value| entered(value, &mut link(&mut draft.body)?.to);
    "new_name_shared", "", "true", |draft, value| truth(value, &mut link(&mut draft.body)?.to.shared);
    "flags", "evt.arg.flags", "AT_SYMLINK_FOLLOW", |draft, value| flags32(value, &[names::AT], &mut link(&mut draft.body)?.flags);
};

const SYMLINK: &[Row] = table! { Data, &[Kind::FileSymlink];
    "filename", "fs.path.target evt.arg.linkpath", "/srv/b", |draft, value| text(value, &mut symlink(&mut draft.body)?.link.path);
    "name", "fs.path.targetraw", "b", |draft, value| text(value, &mut symlink(&mut draft.body)?.link.name);
    "name_unreadable", "", "true", |draft, value| truth(value, &mut symlink(&mut draft.body)?.link.unreadable);
    "used", "fs.path.target evt.arg.linkpath", "/run/a", |draft, value| used(value, &mut symlink(&mut draft.body)?.link);
    "entered", "fs.path.target evt.arg.linkpath", "/run/a", |draft, value| entered(value, &mut symlink(&mut draft.body)?.link);
    "name_shared", "", "true", |draft, value| truth(value, &mut symlink(&mut draft.body)?.link.shared);
    "target", "fs.path.source evt.arg.target", "/etc/hosts", |draft, value| text(value, &mut symlink(&mut draft.body)?.target);
    "target_unreadable", "", "false", |draft, value| truth(value, &mut symlink(&mut draft.body)?.target_unreadable);
};

pub(super) const ROWS: &[&[Row]] = &[TARGET, MODE, RDEV, LINK, SYMLINK];

fn target(body: &mut Body) -> Option<&mut UserPath> {
    match body {
        Body::FileMkdir(mkdir) => Some(&mut mkdir.target),
        Body::FileRmdir(rmdir) => Some(&mut rmdir.target),
        Body::FileMknod(mknod) => Some(&mut mknod.target),
        _ => None,
    }
}

fn mknod(body: &mut Body) -> Option<&mut FileMknod> {
    match body {
        Body::FileMknod(it) => Some(it),
        _ => None,
    }
}

fn link(body: &mut Body) -> Option<&mut FileLink> {
    match body {
        Body::FileLink(it) => Some(it),
        _ => None,
    }
}

fn symlink(body: &mut Body) -> Option<&mut FileSymlink> {
    match body {
        Body::FileSymlink(it) => Some(it),
        _ => None,
    }
}
