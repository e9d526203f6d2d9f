//! The same under another name.

use std::{os::unix::fs::symlink, path::Path};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-symlink",
    rule: "Password file read by an unusual program",
    about: "reads a little of /etc/shadow through a symbolic link of another name",
    twin: "reads /etc/passwd through such a link",
    attack: |stage| {
        needs_root()?;
        read(stage, "/etc/shadow")
    },
    benign: |stage| read(stage, "/etc/passwd"),
};

fn read(stage: &Stage, file: &str) -> anyhow::Result<()> {
    // By way of /proc/self/root, so that the link's target is no name that a rule for links knows.
    let link = stage.path("notes");
    symlink(Path::new("/proc/self/root").join(file.trim_start_matches('/')), &link)?;
    stage.must(stage.act("read").arg(link))
}
