//! A log that says nothing any more.

use std::{path::Path, process::Command};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "clear-log",
    rule: "Log removed or emptied",
    about: "a shell empties a log of its own below /var/log, and removes it",
    twin: "a shell adds a line to it",
    attack: |stage| shell(stage, ": > \"$0\"; rm \"$0\""),
    benign: |stage| shell(stage, "echo line >> \"$0\""),
};

fn shell(stage: &Stage, script: &str) -> anyhow::Result<()> {
    needs_root()?;
    let log = Path::new("/var/log").join(format!("{}.log", stage.name()));
    stage.file(&log, "line\n", 0o640)?;
    stage.must(Command::new(stage.tool("sh")?).args(["-c", script]).arg(log))
}
