//! A shell whose standard streams are a socket.

use crate::Attack;

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-socket",
    rule: "Socket as standard stream",
    about: "connects, makes the socket its standard streams and starts a shell, which ends at once",
    twin: "does the same with a local socket that leads nowhere",
    attack: |stage| stage.must(stage.act("shell-on-socket").arg(stage.listen(0)?.to_string())),
    benign: |stage| stage.must(&mut stage.act("shell-on-pair")),
};
