//! `user.*` and `group.*`.

use super::{CarriedBy::*, Field, field, text};
use crate::language::types::Type;

pub(super) const FIELDS: &[Field] = &[
    field("user.uid", Type::U32, Every, "Effective user id."),
    text("user.name", Every, "Name of the user in the process's own user database; `<NA>` when unknown."),
    text("user.homedir", Every, "Home directory of the user."),
    text("user.shell", Every, "Login shell of the user."),
    field("user.loginuid", Type::I64, Every, "User who logged in; -1 when nobody did."),
    text("user.loginname", Every, "Name of the user who logged in; `<NA>` when unknown."),
    field("group.gid", Type::U32, Every, "Group id."),
    text("group.name", Every, "Name of the group; `<NA>` when unknown."),
];
