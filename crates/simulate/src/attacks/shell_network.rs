//! A shell of root on the network.

use std::process::Command;

use crate::{Attack, stage::needs_root};

pub(super) const ATTACK: Attack = Attack {
    name: "shell-network",
    rule: "Network activity of a shell",
    about: "bash opens /dev/tcp to this machine as root",
    twin: "bash of root starts a program that connects",
    attack: |stage| {
        needs_root()?;
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}", stage.listen(0)?);
        stage.must(Command::new(stage.tool("bash")?).args(["--norc", "-c", &script]))
    },
    benign: |stage| {
        let port = stage.listen(0)?.to_string();
        let act = stage.act("connect");
        let mut bash = Command::new(stage.tool("bash")?);
        bash.args(["--norc", "-c", "\"$0\" act connect \"$1\"; true"]).arg(act.get_program()).arg(port);
        stage.must(&mut bash)
    },
};
