//! A history of commands that is gone.

use std::process::Command;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "clear-history",
    rule: "Shell history removed or emptied",
    about: "removes a .bash_history of its own",
    twin: "removes another file",
    attack: |stage| remove(stage, ".bash_history"),
    benign: |stage| remove(stage, ".notes"),
};

fn remove(stage: &Stage, name: &str) -> anyhow::Result<()> {
    let file = stage.path(name);
    stage.file(&file, "ls\n", 0o600)?;
    stage.must(Command::new(stage.tool("rm")?).arg(file))
}
