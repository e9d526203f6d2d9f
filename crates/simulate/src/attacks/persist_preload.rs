//! A library in every program.

use std::{fs::OpenOptions, path::Path};

use crate::{
    Attack,
    stage::{needs_root, read_some},
};

const FILE: &str = "/etc/ld.so.preload";

pub(super) const ATTACK: Attack = Attack {
    name: "persist-preload",
    rule: "Preloaded library for every program",
    about: "opens /etc/ld.so.preload for writing and writes nothing; makes and removes it when it is not there",
    twin: "reads it, or /etc/passwd",
    attack: |stage| {
        needs_root()?;
        match Path::new(FILE).exists() {
            true => Ok(OpenOptions::new().append(true).open(FILE).map(drop)?),
            false => stage.file(Path::new(FILE), "", 0o644),
        }
    },
    benign: |_| read_some(Path::new(if Path::new(FILE).exists() { FILE } else { "/etc/passwd" })),
};
