//! A connection to each port that ready-made reverse shells use.

use crate::{Attack, attack::Missing, stage::Stage};

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-port",
    rule: "Connection to a port of reverse shells",
    about: "connects to 4444, 8081 and 9001 of this machine, where it listens itself",
    twin: "connects to another port",
    attack: |stage| {
        let mut free = 0;
        for port in [4444, 8081, 9001] {
            match stage.listen(port) {
                Ok(port) => connect(stage, port)?,
                Err(error) if error.is::<Missing>() => continue,
                Err(error) => return Err(error),
            }
            free += 1;
        }
        if free == 0 { Err(Missing("all its ports are in use".to_owned()).into()) } else { Ok(()) }
    },
    benign: |stage| connect(stage, stage.listen(0)?),
};

fn connect(stage: &Stage, port: u16) -> anyhow::Result<()> {
    stage.must(stage.act("connect").arg(port.to_string()))
}
