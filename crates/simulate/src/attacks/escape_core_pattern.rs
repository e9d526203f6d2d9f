//! The program that the kernel starts for every crash.

use std::{fs::OpenOptions, path::Path};

use crate::{
    Attack,
    stage::{needs_root, read_some},
};

const FILE: &str = "/proc/sys/kernel/core_pattern";

pub(super) const ATTACK: Attack = Attack {
    name: "escape-core-pattern",
    rule: "Program set that the kernel starts",
    about: "opens /proc/sys/kernel/core_pattern for writing and writes nothing",
    twin: "reads it",
    attack: |_| {
        needs_root()?;
        Ok(OpenOptions::new().write(true).open(FILE).map(drop)?)
    },
    benign: |_| read_some(Path::new(FILE)),
};
