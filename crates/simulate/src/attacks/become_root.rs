//! A program that becomes root by a call.

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "become-root",
    rule: "Process became root",
    about: "sets its user ids to 0, which they are already, as a process of user 1000's login",
    twin: "sets them to those of nobody",
    attack: |stage| {
        needs_root()?;
        stage.must(&mut stage.act("become-root"))
    },
    benign: |stage| {
        needs_root()?;
        stage.must(&mut stage.act("become-nobody"))
    },
};
