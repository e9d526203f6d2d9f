//! Memory that may be written and run.

use std::process::Command;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "injection-anonymous",
    rule: "Executable memory not from a program file",
    about: "Python maps a page of memory that may be read, written and run",
    twin: "Python maps a page that may not be run",
    attack: |stage| map(stage, 7),
    benign: |stage| map(stage, 3),
};

fn map(stage: &Stage, protection: u8) -> anyhow::Result<()> {
    let script = format!("import mmap; mmap.mmap(-1, 4096, prot={protection})");
    stage.must(Command::new(stage.tool("python3")?).args(["-c", &script]))
}
