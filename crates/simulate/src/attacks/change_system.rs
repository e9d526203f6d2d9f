//! A file among the system's.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "change-system",
    rule: "Change to the system's files",
    about: "writes a file to /usr/local/share",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(&Path::new("/usr/local/share").join(stage.name()), "Nothing.\n", 0o644)
    },
    benign: |stage| stage.file(&stage.path("file"), "Nothing.\n", 0o644),
};
