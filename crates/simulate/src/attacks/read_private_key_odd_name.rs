//! A path that is neither one line nor text.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-private-key-odd-name",
    rule: "Private key read by an unusual program",
    about: "reads a file called like a key of SSH in a home directory whose name has a newline, a quote and no UTF-8",
    twin: "reads the public key beside it",
    attack: |stage| read(stage, "id_ed25519"),
    benign: |stage| read(stage, "id_ed25519.pub"),
};

fn read(stage: &Stage, name: &str) -> anyhow::Result<()> {
    needs_root()?;
    let above = Path::new("/home").join(stage.name());
    stage.directory(&above)?;
    // Goes with the one above it: the guard takes orders of one line.
    let home = above.join(OsStr::from_bytes(b"night\n\"shift\xff"));
    fs::create_dir_all(home.join(".ssh"))?;
    let key = Path::new(".ssh").join(name);
    fs::write(home.join(&key), "no key\n")?;
    stage.must(stage.act("read").arg(key).current_dir(home))
}
