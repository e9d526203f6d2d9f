//! Another who may become root.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "change-sudo",
    rule: "Rules of sudo changed",
    about: "writes a file of comments, under a name that sudo leaves alone, to /etc/sudoers.d",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(&Path::new("/etc/sudoers.d").join(format!("{}.off", stage.name())), "# Nothing.\n", 0o644)
    },
    benign: |stage| stage.file(&stage.path("file"), "# Nothing.\n", 0o644),
};
