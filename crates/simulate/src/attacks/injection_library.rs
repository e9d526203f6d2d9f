//! A library in a temporary directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Attack, attack::Missing, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "injection-library",
    rule: "Executable memory not from a program file",
    about: "has the program true load a copy of its own C library from /tmp",
    twin: "has it load a copy from /var/lib",
    attack: |stage| preload(stage, &Path::new("/tmp").join(format!("{}.so", stage.name()))),
    benign: |stage| preload(stage, &stage.path("library.so")),
};

fn preload(stage: &Stage, copy: &Path) -> anyhow::Result<()> {
    stage.copy(&library()?, copy)?;
    stage.run(Command::new(stage.tool("true")?).env("LD_PRELOAD", copy))
}

/// A library that this program has loaded itself.
fn library() -> anyhow::Result<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let paths = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let mut libraries =
        paths.filter(|path| path.contains("libgcc_s") || path.contains("libc.so") || path.contains("libc-"));
    libraries
        .next()
        .map(PathBuf::from)
        .ok_or_else(|| Missing("this program has no libraries".to_owned()).into())
}
