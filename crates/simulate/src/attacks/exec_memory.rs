//! A program that is in memory only. To make its file trips the rule for that; to start it trips this one.

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "exec-memory",
    rule: "Program without a file",
    about: "copies the program true into memory and starts it there",
    twin: "starts true from its file",
    attack: |stage| stage.must(stage.act("memory-program").arg(stage.tool("true")?)),
    benign: |stage| stage.must(&mut std::process::Command::new(stage.tool("true")?)),
};
