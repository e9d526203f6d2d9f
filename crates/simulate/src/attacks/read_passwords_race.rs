//! A race: the name leads elsewhere between one look at it and the next.

use std::{os::unix::fs::symlink, path::Path};

use crate::{
    Attack,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "read-passwords-race",
    rule: "Password file read by an unusual program",
    about: "opens a link again and again while a thread exchanges it for one to /etc/shadow, until that is open",
    twin: "the same with links to /etc/passwd and /etc/group",
    attack: |stage| {
        needs_root()?;
        race(stage, "/etc/shadow")
    },
    benign: |stage| race(stage, "/etc/group"),
};

fn race(stage: &Stage, file: &str) -> anyhow::Result<()> {
    let links = [(stage.path("notes"), "/etc/passwd"), (stage.path("plans"), file)];
    for (link, target) in &links {
        // As for read-passwords-symlink.
        symlink(Path::new("/proc/self/root").join(target.trim_start_matches('/')), link)?;
    }
    let [(notes, _), (plans, _)] = &links;
    stage.must(stage.act("read-race").args([notes, plans]).arg(file))
}
