//! A connection without connect(2).

use crate::{
    Attack,
    attack::Missing,
    stage::{Stage, needs_root},
};

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-ring",
    rule: "Connection to a port of reverse shells",
    about: "a program called nginx connects to 4444, 8081 or 9001 of this machine through an io_uring",
    twin: "it connects to another port in the same way",
    attack: |stage| {
        for port in [4444, 8081, 9001] {
            match stage.listen(port) {
                Ok(port) => return connect(stage, port),
                Err(error) if error.is::<Missing>() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Missing("all its ports are in use".to_owned()).into())
    },
    benign: |stage| connect(stage, stage.listen(0)?),
};

fn connect(stage: &Stage, port: u16) -> anyhow::Result<()> {
    needs_root()?;
    stage.must(stage.act_of_ring_user("connect-by-ring")?.arg(port.to_string()))
}
