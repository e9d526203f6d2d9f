//! One process stops another and lets it go.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use anyhow::Context as _;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "injection-ptrace",
    rule: "Process takes over another",
    about: "attaches to a process of its own by ptrace and detaches",
    twin: "reads what /proc says of that process",
    attack: |stage| {
        let victim = waiting(stage)?;
        stage.must(stage.act("attach").arg(victim.id().to_string()))?;
        ended(stage, victim)
    },
    benign: |stage| {
        let victim = waiting(stage)?;
        stage.must(stage.act("read").arg(format!("/proc/{}/status", victim.id())))?;
        ended(stage, victim)
    },
};

/// A process that waits, and has said so.
fn waiting(stage: &Stage) -> anyhow::Result<Child> {
    let mut child = stage.start(stage.act("wait").stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let output = child.stdout.take().context("the victim's output")?;
    BufReader::new(output).read_line(&mut String::new())?;
    Ok(child)
}

fn ended(stage: &Stage, mut child: Child) -> anyhow::Result<()> {
    drop(child.stdin.take());
    stage.wait(child).map(drop)
}
