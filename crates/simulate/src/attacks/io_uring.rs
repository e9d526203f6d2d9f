//! A ring for calls that nobody sees.

use std::process::Command;

use crate::{Attack, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "io-uring",
    rule: "Unusual use of io_uring",
    about: "Python makes an io_uring and closes it",
    twin: "Python makes an epoll",
    attack: |stage| {
        // io_uring_setup has the same number on every architecture.
        python(stage, "import ctypes; ctypes.CDLL(None).syscall(425, 2, ctypes.create_string_buffer(120))")
    },
    benign: |stage| python(stage, "import select; select.epoll().close()"),
};

fn python(stage: &Stage, script: &str) -> anyhow::Result<()> {
    stage.must(Command::new(stage.tool("python3")?).args(["-c", script]))
}
