//! More rights, in a world of one's own.

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "user-namespace",
    rule: "User namespace made by an unusual program",
    about: "makes a user namespace as nobody",
    twin: "makes a namespace for the host's name as root",
    attack: |stage| stage.must(&mut stage.act_of_nobody("user-namespace")?),
    benign: |stage| {
        needs_root()?;
        stage.must(&mut stage.act("host-name-namespace"))
    },
};
