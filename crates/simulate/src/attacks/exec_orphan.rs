//! A process that is rid of its parent before it starts a program.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "exec-orphan",
    rule: "Program of an orphan",
    about: "a shell of nobody leaves a child behind, which starts true once process 1 has taken it in",
    twin: "the child starts true while its parent is still there",
    attack: |stage| {
        shell(stage, "{ while kill -0 $$ 2>/dev/null; do sleep 0.02; done; exec \"$0\"; } & exit 0")
    },
    benign: |stage| shell(stage, "\"$0\" & wait"),
};

fn shell(stage: &Stage, script: &str) -> anyhow::Result<()> {
    let mut shell = Command::new(stage.tool("sh")?);
    shell.args(["-c", script]).arg(stage.tool("true")?).stdin(Stdio::null()).stdout(Stdio::piped());
    stage.as_nobody(&mut shell)?;
    let mut shell = stage.start(&mut shell)?;
    let mut output = shell.stdout.take().context("the shell's output")?;
    stage.wait(shell)?;
    // The orphan has the other end of the pipe until it is done.
    output.read_to_end(&mut Vec::new())?;
    Ok(())
}
