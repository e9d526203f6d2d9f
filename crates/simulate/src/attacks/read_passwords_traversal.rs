//! The same by a path that goes up and down.

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-traversal",
    rule: "Password file read by an unusual program",
    about: "reads a little of /etc/shadow by a path with `..` and `//` in it",
    twin: "reads /etc/passwd by such a path",
    attack: |stage| {
        needs_root()?;
        stage.must(stage.act("read").arg("/dev/..//proc/../etc/./shadow"))
    },
    benign: |stage| stage.must(stage.act("read").arg("/dev/..//proc/../etc/./passwd")),
};
