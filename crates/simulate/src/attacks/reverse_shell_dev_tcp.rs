//! The reverse shell that needs nothing but bash.

use std::process::Command;

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-dev-tcp",
    rule: "Shell connects to the network",
    about: "bash opens /dev/tcp to this machine as nobody",
    twin: "bash starts a program that connects",
    attack: |stage| {
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{}", stage.listen(0)?);
        let mut bash = Command::new(stage.tool("bash")?);
        bash.args(["--norc", "-c", &script]);
        stage.as_nobody(&mut bash)?;
        stage.must(&mut bash)
    },
    benign: |stage| {
        let port = stage.listen(0)?.to_string();
        let act = stage.act_of_nobody("connect")?;
        let mut bash = Command::new(stage.tool("bash")?);
        bash.args(["--norc", "-c", "\"$0\" act connect \"$1\"; true"]).arg(act.get_program()).arg(port);
        stage.as_nobody(&mut bash)?;
        stage.must(&mut bash)
    },
};
