//! A program with its owner's rights.

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "setuid-bit",
    rule: "Program given its owner's rights",
    about: "makes an empty file with the set-user-id bit",
    twin: "makes one without",
    attack: |stage| stage.file(&stage.path("tool"), "", 0o4755),
    benign: |stage| stage.file(&stage.path("tool"), "", 0o755),
};
