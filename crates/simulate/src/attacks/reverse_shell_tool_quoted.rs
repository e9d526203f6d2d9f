//! Arguments that are more than one line.

use std::{os::unix::fs::symlink, process::Command};

use crate::{Attack, stage::Stage};

/// Fools who reads arguments up to the end of a line, or up to the next quote.
const ODD: &str = "it's \"odd\"\n";

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-tool-quoted",
    rule: "Network tool hands out a shell",
    about: "starts something that is called nc, and does nothing, with a newline and quotes before its -e /bin/sh",
    twin: "starts the same with these and no -e",
    attack: |stage| nc(stage, &[ODD, "-e", "/bin/sh"]),
    benign: |stage| nc(stage, &["-z", ODD, "1"]),
};

fn nc(stage: &Stage, arguments: &[&str]) -> anyhow::Result<()> {
    let link = stage.path("nc");
    symlink(stage.tool("true")?, &link)?;
    stage.run(Command::new(link).args(arguments))
}
