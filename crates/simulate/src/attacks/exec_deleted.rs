//! A program whose file is gone before it starts.

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "exec-deleted",
    rule: "Program without a file",
    about: "opens a copy of true, removes it and starts it",
    twin: "starts a copy of true that is still there",
    attack: |stage| {
        let copy = copied(stage)?;
        stage.must(stage.act("nameless-program").arg(copy))
    },
    benign: |stage| stage.must(&mut std::process::Command::new(copied(stage)?)),
};

fn copied(stage: &Stage) -> anyhow::Result<std::path::PathBuf> {
    let copy = stage.path("true");
    stage.copy(&stage.tool("true")?, &copy)?;
    Ok(copy)
}
