//! Memory that was written becomes code.

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "injection-protect",
    rule: "Memory made executable",
    about: "fills a page of memory and makes it executable by mprotect",
    twin: "makes it read-only",
    attack: |stage| stage.must(&mut stage.act("make-executable")),
    benign: |stage| stage.must(&mut stage.act("make-read-only")),
};
