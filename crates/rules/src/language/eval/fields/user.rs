//! `user.*` and `group.*`. Names are those of the user database in the process's own root directory, which whoever
//! is root in a container can write: user 0 is `root` whatever it says, group 0 where it says nothing.

use sentinel_event::{User, Users};

use super::{Row, or_missing, plain};
use crate::language::eval::{unknown, value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("user.uid", |view, _, _| id(view.observation.event.head.euid)),
    plain("user.name", |view, _, _| name(view, view.observation.event.head.euid)),
    plain("user.homedir", |view, _, _| {
        or_missing(user(view, view.observation.event.head.euid), |user| super::some(user.home.as_bytes()))
    }),
    plain("user.shell", |view, _, _| {
        or_missing(user(view, view.observation.event.head.euid), |user| super::some(user.shell.as_bytes()))
    }),
    plain("user.loginuid", |view, _, _| match view.observation.event.head.loginuid {
        unknown::ID => Value::Signed(-1),
        uid => Value::Signed(uid.into()),
    }),
    plain("user.loginname", |view, _, _| name(view, view.observation.event.head.loginuid)),
    plain("group.gid", |view, _, _| id(view.observation.event.head.egid)),
    plain("group.name", |view, _, _| {
        let gid = view.observation.event.head.egid;
        let group = users(view).and_then(|users| users.group(gid));
        Value::Text(match group {
            Some(group) => group.name.as_bytes(),
            None if gid == 0 => b"root",
            None => b"<NA>",
        })
    }),
];

fn id(id: u32) -> Value<'static> {
    if id == unknown::ID { Value::Missing } else { Value::Unsigned(id.into()) }
}

fn users<'a>(view: &View<'a>) -> Option<&'a Users> {
    view.observation.workload.as_ref()?.users.get()
}

fn user<'a>(view: &View<'a>, uid: u32) -> Option<&'a User> {
    // Nobody, not a user of that number.
    users(view).filter(|_| uid != unknown::ID)?.user(uid)
}

/// The name of a user whom an event is about; none when nobody knows it.
pub(super) fn name_of<'a>(view: &View<'a>, uid: u32) -> Option<&'a [u8]> {
    if uid == 0 {
        return Some(b"root");
    }
    user(view, uid).map(|user| user.name.as_bytes())
}

fn name<'a>(view: &View<'a>, uid: u32) -> Value<'a> {
    Value::Text(name_of(view, uid).unwrap_or(b"<NA>"))
}
