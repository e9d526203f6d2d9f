//! A script that every login runs.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-login",
    rule: "Login script changed",
    about: "writes a file of comments to /etc/profile.d",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(&Path::new("/etc/profile.d").join(format!("{}.sh", stage.name())), "# Nothing.\n", 0o644)
    },
    benign: |stage| stage.file(&stage.path("file"), "# Nothing.\n", 0o644),
};
