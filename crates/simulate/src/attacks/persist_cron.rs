//! A job that comes back.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-cron",
    rule: "Scheduled job changed",
    about: "writes a file of comments to /etc/cron.d",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(&Path::new("/etc/cron.d").join(stage.name()), "# No job.\n", 0o644)
    },
    benign: |stage| stage.file(&stage.path("file"), "# No job.\n", 0o644),
};
