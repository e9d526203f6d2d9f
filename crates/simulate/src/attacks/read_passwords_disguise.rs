//! A program that says it is another.

use std::os::unix::process::CommandExt as _;

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-disguise",
    rule: "Password file read by an unusual program",
    about: "reads a little of /etc/shadow as a program called passwd whose first argument is /usr/bin/passwd",
    twin: "reads /etc/passwd in the same disguise",
    attack: |stage| {
        needs_root()?;
        read(stage, "/etc/shadow")
    },
    benign: |stage| read(stage, "/etc/passwd"),
};

fn read(stage: &Stage, file: &str) -> anyhow::Result<()> {
    stage.must(stage.act_from(&stage.path("passwd"), "read")?.arg0("/usr/bin/passwd").arg(file))
}
