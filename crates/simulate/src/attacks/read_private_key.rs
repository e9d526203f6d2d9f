//! Somebody's key.

use std::path::{Path, PathBuf};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-private-key",
    rule: "Private key read by an unusual program",
    about: "makes a file that is called like a key of SSH in a home directory of its own, and reads it",
    twin: "reads the public key beside it",
    attack: |stage| {
        let key = made(stage, "id_ed25519")?;
        stage.must(stage.act("read").arg(key))
    },
    benign: |stage| {
        let key = made(stage, "id_ed25519.pub")?;
        stage.must(stage.act("read").arg(key))
    },
};

fn made(stage: &Stage, name: &str) -> anyhow::Result<PathBuf> {
    needs_root()?;
    let directory = Path::new("/home").join(stage.name()).join(".ssh");
    stage.directory(&directory)?;
    let key = directory.join(name);
    stage.file(&key, "no key\n", 0o600)?;
    Ok(key)
}
