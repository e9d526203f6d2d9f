//! `user.*` and `group.*`. No user database is read yet: 0 is root everywhere, other ids have no name.

use super::{Row, plain};
use crate::language::eval::{unknown, value::Value};

pub(super) const FIELDS: &[Row] = &[
    plain("user.uid", |view, _, _| id(view.observation.event.head.euid)),
    plain("user.name", |view, _, _| name(view.observation.event.head.euid)),
    plain("user.loginuid", |view, _, _| match view.observation.event.head.loginuid {
        unknown::ID => Value::Signed(-1),
        uid => Value::Signed(uid.into()),
    }),
    plain("user.loginname", |view, _, _| name(view.observation.event.head.loginuid)),
    plain("group.gid", |view, _, _| id(view.observation.event.head.egid)),
    plain("group.name", |view, _, _| name(view.observation.event.head.egid)),
];

fn id(id: u32) -> Value<'static> {
    if id == unknown::ID { Value::Missing } else { Value::Unsigned(id.into()) }
}

fn name(id: u32) -> Value<'static> {
    Value::Text(if id == 0 { b"root" } else { b"<NA>" })
}
