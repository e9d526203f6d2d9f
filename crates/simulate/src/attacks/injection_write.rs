//! One process writes into another.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use anyhow::Context as _;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "injection-write",
    rule: "Process writes memory of another",
    about: "writes eight bytes into a buffer of a process of its own by process_vm_writev",
    twin: "reads them",
    attack: |stage| victim(stage, "write-memory"),
    benign: |stage| victim(stage, "read-memory"),
};

fn victim(stage: &Stage, act: &str) -> anyhow::Result<()> {
    let mut victim = stage.start(stage.act("victim").stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let output = victim.stdout.take().context("the victim's output")?;
    let mut address = String::new();
    let mut output = BufReader::new(output);
    output.read_line(&mut address)?;
    let done = stage.must(stage.act(act).arg(victim.id().to_string()).arg(address.trim()));
    drop(victim.stdin.take());
    stage.wait(victim)?;
    done
}
