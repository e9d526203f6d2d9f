//! Password hashes, read by something that has no business with them.

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords",
    rule: "Password file read by an unusual program",
    about: "reads a little of /etc/shadow",
    twin: "reads a little of /etc/passwd",
    attack: |stage| {
        needs_root()?;
        stage.must(stage.act("read").arg("/etc/shadow"))
    },
    benign: |stage| stage.must(stage.act("read").arg("/etc/passwd")),
};
