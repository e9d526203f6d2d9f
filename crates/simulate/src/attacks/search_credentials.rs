//! A search for keys.

use std::process::Command;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "search-credentials",
    rule: "Search for credentials",
    about: "looks for files called id_rsa in an empty directory",
    twin: "looks for files called README there",
    attack: |stage| find(stage, "id_rsa"),
    benign: |stage| find(stage, "README"),
};

fn find(stage: &Stage, name: &str) -> anyhow::Result<()> {
    stage.must(Command::new(stage.tool("find")?).arg(stage.path("")).args(["-name", name]))
}
