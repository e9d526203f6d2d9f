//! `user.*` and `group.*`. Names are those of the user database in the process's own root directory; 0 is root
//! where that says nothing.

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
        known(group.map(|group| group.name.as_str()), gid)
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

fn name<'a>(view: &View<'a>, uid: u32) -> Value<'a> {
    known(user(view, uid).map(|user| user.name.as_str()), uid)
}

fn known(name: Option<&str>, id: u32) -> Value<'_> {
    Value::Text(match name {
        Some(name) => name.as_bytes(),
        None if id == 0 => b"root",
        None => b"<NA>",
    })
}
