//! Another way to log in.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-authentication",
    rule: "Authentication changed",
    about: "writes the configuration of a service that nobody asks for to /etc/pam.d",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(&Path::new("/etc/pam.d").join(stage.name()), "# Nothing.\n", 0o644)
    },
    benign: |stage| stage.file(&stage.path("file"), "# Nothing.\n", 0o644),
};
