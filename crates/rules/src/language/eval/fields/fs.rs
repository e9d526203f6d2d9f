//! `fs.path.*`: the paths an event names.

use sentinel_event::{Body, UserPath};

use super::{Row, plain, some};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("fs.path.name", |view, _, _| name(view)),
    plain("fs.path.nameraw", |view, _, _| match &view.observation.event.body {
        Body::FileOpen(open) => raw(&open.asked),
        _ => single(view).map_or(Value::Missing, raw),
    }),
    plain("fs.path.source", |view, _, _| {
        symlink(view).map_or_else(|| side(view, |(from, _)| path(view, from)), |(target, _)| target)
    }),
    plain("fs.path.sourceraw", |view, _, _| {
        symlink(view).map_or_else(|| side(view, |(from, _)| raw(from)), |(target, _)| target)
    }),
    plain("fs.path.target", |view, _, _| {
        symlink(view).map_or_else(|| side(view, |(_, to)| path(view, to)), |(_, link)| path(view, link))
    }),
    plain("fs.path.targetraw", |view, _, _| {
        symlink(view).map_or_else(|| side(view, |(_, to)| raw(to)), |(_, link)| raw(link))
    }),
];

pub(super) fn name<'a>(view: &View<'a>) -> Value<'a> {
    match &view.observation.event.body {
        Body::FileOpen(_) => view.file().map_or(Value::Missing, Value::Text),
        _ => single(view).map_or(Value::Missing, |name| path(view, name)),
    }
}

/// The one name that the caller passed.
fn single<'a>(view: &View<'a>) -> Option<&'a UserPath> {
    match &view.observation.event.body {
        Body::FileUnlink(unlink) => Some(&unlink.target),
        Body::FileMkdir(mkdir) => Some(&mkdir.target),
        Body::FileRmdir(rmdir) => Some(&rmdir.target),
        Body::FileMknod(mknod) => Some(&mknod.target),
        Body::FileChmod(chmod) if chmod.file.fd < 0 => Some(&chmod.file.asked),
        Body::FileChown(chown) if chown.file.fd < 0 => Some(&chown.file.asked),
        Body::FileTruncate(truncate) if truncate.file.fd < 0 => Some(&truncate.file.asked),
        Body::Umount(umount) => Some(&umount.target),
        Body::Chroot(chroot) => Some(&chroot.asked),
        _ => None,
    }
}

/// Old and new name of a rename, or of a link.
pub(super) fn sides<'a>(view: &View<'a>) -> Option<(&'a UserPath, &'a UserPath)> {
    match &view.observation.event.body {
        Body::FileRename(rename) => Some((&rename.from, &rename.to)),
        Body::FileLink(link) => Some((&link.from, &link.to)),
        _ => None,
    }
}

fn side<'a>(view: &View<'a>, of: impl Fn((&'a UserPath, &'a UserPath)) -> Value<'a>) -> Value<'a> {
    sides(view).map_or(Value::Missing, of)
}

/// Where a new symbolic link leads, as written, and its name.
pub(super) fn symlink<'a>(view: &View<'a>) -> Option<(Value<'a>, &'a UserPath)> {
    match &view.observation.event.body {
        Body::FileSymlink(made) if made.target_unreadable => Some((Value::Text(b"<NA>"), &made.link)),
        Body::FileSymlink(made) => Some((some(&made.target), &made.link)),
        _ => None,
    }
}

/// A path made absolute, as this view's witness tells it. What could not be read from the caller's memory is `<NA>`.
pub(super) fn path<'a>(view: &View<'_>, name: &'a UserPath) -> Value<'a> {
    let path = view.name(name);
    if path.is_empty() { raw(name) } else { Value::Text(path) }
}

pub(super) fn raw(path: &UserPath) -> Value<'_> {
    if path.unreadable { Value::Text(b"<NA>") } else { some(&path.name) }
}
