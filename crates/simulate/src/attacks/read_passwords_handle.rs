//! The file by its number: no name is looked up.

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-handle",
    rule: "Password file read by an unusual program",
    about: "asks for the handle of /etc/shadow and opens the file by that (open_by_handle_at)",
    twin: "does the same with /etc/passwd",
    attack: |stage| {
        needs_root()?;
        stage.must(stage.act("read-by-handle").arg("/etc/shadow"))
    },
    benign: |stage| {
        needs_root()?;
        stage.must(stage.act("read-by-handle").arg("/etc/passwd"))
    },
};
