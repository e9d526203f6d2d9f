//! No call opens and none reads: requests of an io_uring do, of a program that may have one.

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-ring",
    rule: "Password file read by an unusual program",
    about: "a program called nginx opens and reads /etc/shadow through an io_uring",
    twin: "it does the same with /etc/passwd",
    attack: |stage| {
        needs_root()?;
        read(stage, "/etc/shadow")
    },
    benign: |stage| {
        needs_root()?;
        read(stage, "/etc/passwd")
    },
};

fn read(stage: &Stage, file: &str) -> anyhow::Result<()> {
    stage.must(stage.act_of_ring_user("read-by-ring")?.arg(file))
}
