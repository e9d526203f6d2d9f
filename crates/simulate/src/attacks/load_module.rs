//! A module for the kernel.

use std::path::Path;

use crate::{
    Attack,
    attack::Missing,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "load-module",
    rule: "Kernel module loaded by an unusual program",
    about: "gives the kernel a text to load as a module, which it refuses",
    twin: "reads that text",
    attack: |stage| {
        needs_root()?;
        if !Path::new("/proc/modules").exists() {
            return Err(Missing("needs a kernel that takes modules".to_owned()).into());
        }
        given(stage, "load-module")
    },
    benign: |stage| given(stage, "read"),
};

fn given(stage: &Stage, act: &str) -> anyhow::Result<()> {
    let file = stage.path("module.ko");
    stage.file(&file, "no module\n", 0o600)?;
    stage.must(stage.act(act).arg(file))
}
