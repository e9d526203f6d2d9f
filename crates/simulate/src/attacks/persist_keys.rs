//! A key that lets somebody in.

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-keys",
    rule: "Keys for logging in changed",
    about: "writes an empty authorized_keys to a home directory of its own",
    twin: "writes known_hosts there",
    attack: |stage| write(stage, "authorized_keys"),
    benign: |stage| write(stage, "known_hosts"),
};

fn write(stage: &Stage, name: &str) -> anyhow::Result<()> {
    let directory = stage.path(".ssh");
    stage.directory(&directory)?;
    stage.file(&directory.join(name), "", 0o600)
}
