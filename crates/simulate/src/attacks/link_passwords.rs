//! A second name for the password file, under which reading it looks harmless.

use std::{fs, path::Path};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "link-passwords",
    rule: "Link to a secret file",
    about: "makes a hard link to /etc/shadow beside it, and removes it",
    twin: "makes one to a file of its own",
    attack: |stage| {
        needs_root()?;
        link(stage, Path::new("/etc/shadow"), &Path::new("/etc").join(stage.name()))
    },
    benign: |stage| {
        let own = stage.path("notes");
        stage.file(&own, "", 0o600)?;
        link(stage, &own, &stage.path("more-notes"))
    },
};

fn link(stage: &Stage, from: &Path, to: &Path) -> anyhow::Result<()> {
    stage.announce(to)?;
    Ok(fs::hard_link(from, to)?)
}
