//! A program for the kernel.

use std::process::Command;

use crate::{Attack, attack::Missing, stage::Stage};

const LOAD: u8 = 5; // BPF_PROG_LOAD
const NEXT: u8 = 11; // BPF_PROG_GET_NEXT_ID

pub(super) const ATTACK: Attack = Attack {
    name: "load-bpf",
    rule: "Program loaded into the kernel",
    about: "Python asks the kernel to load a BPF program of no instructions, which it refuses",
    twin: "Python asks for the number of a program",
    attack: |stage| bpf(stage, LOAD),
    benign: |stage| bpf(stage, NEXT),
};

fn bpf(stage: &Stage, command: u8) -> anyhow::Result<()> {
    let number = match std::env::consts::ARCH {
        "x86_64" => 321,
        "aarch64" | "riscv64" => 280,
        other => return Err(Missing(format!("does not know the number of bpf(2) on {other}")).into()),
    };
    let script = format!(
        "import ctypes; ctypes.CDLL(None).syscall({number}, {command}, ctypes.create_string_buffer(72), 72)"
    );
    stage.must(Command::new(stage.tool("python3")?).args(["-c", &script]))
}
