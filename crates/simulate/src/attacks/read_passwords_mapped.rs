//! No call reads: the file is looked at through memory.

use std::process::Command;

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-mapped",
    rule: "Password file read by an unusual program",
    about: "Python maps /etc/shadow into its memory and looks at a byte of it",
    twin: "Python does the same with /etc/passwd",
    attack: |stage| {
        needs_root()?;
        map(stage, "/etc/shadow")
    },
    benign: |stage| map(stage, "/etc/passwd"),
};

fn map(stage: &Stage, file: &str) -> anyhow::Result<()> {
    let script = "import mmap, os, sys; f = os.open(sys.argv[1], os.O_RDONLY); \
                  mmap.mmap(f, 0, prot=mmap.PROT_READ)[0]";
    stage.must(Command::new(stage.tool("python3")?).args(["-c", script, file]))
}
