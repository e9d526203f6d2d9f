//! A service that comes back.

use std::path::Path;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "persist-service",
    rule: "Service definition changed",
    about: "writes a unit that nothing starts to /etc/systemd/system",
    twin: "writes such a file to a directory of its own",
    attack: |stage| {
        needs_root()?;
        stage.file(
            &Path::new("/etc/systemd/system").join(format!("{}.service", stage.name())),
            "[Unit]\nDescription=Nothing\n",
            0o644,
        )
    },
    benign: |stage| stage.file(&stage.path("file"), "[Unit]\nDescription=Nothing\n", 0o644),
};
