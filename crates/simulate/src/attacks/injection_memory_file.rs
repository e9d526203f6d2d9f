//! A file in memory, and a program in it.

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "injection-memory-file",
    rule: "File made in memory",
    about: "copies the program true into a file in memory and starts it there",
    twin: "copies it into a file",
    attack: |stage| stage.must(stage.act("memory-program").arg(stage.tool("true")?)),
    benign: |stage| stage.copy(&stage.tool("true")?, &stage.path("true")),
};
