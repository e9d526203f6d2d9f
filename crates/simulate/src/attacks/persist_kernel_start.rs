//! A module that comes back.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-kernel-start",
    rule: "Device rule or module list changed",
    about: "writes a file of comments to /etc/modprobe.d",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(
            &Path::new("/etc/modprobe.d").join(format!("{}.conf", stage.name())),
            "# Nothing.\n",
            0o644,
        )
    },
    benign: |stage| stage.file(&stage.path("file"), "# Nothing.\n", 0o644),
};
