//! Programs in directories that everybody may write to.

use std::{path::Path, process::Command};

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "exec-temporary",
    rule: "Program from a temporary directory",
    about: "copies the program true to /tmp and /dev/shm and starts the copies",
    twin: "starts a copy in /var/lib",
    attack: |stage| {
        let name = stage.name();
        start(stage, &Path::new("/tmp").join(format!("{name}.x")))?;
        start(stage, &Path::new("/dev/shm").join(format!("{name}.x")))
    },
    benign: |stage| start(stage, &stage.path("true")),
};

fn start(stage: &Stage, path: &Path) -> anyhow::Result<()> {
    stage.copy(&stage.tool("true")?, path)?;
    stage.run(&mut Command::new(path))
}
