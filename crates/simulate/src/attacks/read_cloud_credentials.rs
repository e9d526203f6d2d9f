//! Credentials of a cloud.

use std::process::Command;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "read-cloud-credentials",
    rule: "Cloud credentials read by a file tool",
    about: "makes a file .aws/credentials and shows it with cat",
    twin: "shows the configuration beside it",
    attack: |stage| cat(stage, "credentials"),
    benign: |stage| cat(stage, "config"),
};

fn cat(stage: &Stage, name: &str) -> anyhow::Result<()> {
    let directory = stage.path(".aws");
    stage.directory(&directory)?;
    let file = directory.join(name);
    stage.file(&file, "[nobody]\n", 0o600)?;
    stage.must(Command::new(stage.tool("cat")?).arg(file))
}
