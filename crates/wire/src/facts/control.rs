//! Facts about what processes do to themselves, to each other and to the kernel; and of any other call.

use sentinel_event::{Body, Kind};

use super::{ARGUMENT, Fact, KERNEL, USER, rows, some_bytes, some_number, when};
use crate::{Value, flags};

const PRCTL: &[Fact] = rows! { Data, &[Kind::Prctl], Body::Prctl(prctl) =>
    "option", "", ARGUMENT, "Name of the option, or its number.", Some(flags::prctl(prctl.option).map_or(Value::U64(prctl.option), Value::Name));
    "name", "", KERNEL, "Name that the thread has now. Absent for other options, and on failure.", prctl.name.as_ref().map(|name| Value::Bytes(name.as_bstr()));
    "arg2", "hexadecimal", ARGUMENT, "Argument 2.", prctl.args.first().map(|arg| Value::Hex(*arg));
    "arg3", "hexadecimal", ARGUMENT, "Argument 3.", prctl.args.get(1).map(|arg| Value::Hex(*arg));
    "arg4", "hexadecimal", ARGUMENT, "Argument 4.", prctl.args.get(2).map(|arg| Value::Hex(*arg));
    "arg5", "hexadecimal", ARGUMENT, "Argument 5.", prctl.args.get(3).map(|arg| Value::Hex(*arg));
};

const SIGNAL: &[Fact] = rows! { Data, &[Kind::Signal], Body::Signal(signal) =>
    "target_pid", "", "argument; of a pidfd: kernel", "The process as the caller named it, in its own pid namespace; negative for groups. Of a pidfd the process behind it, in the host's. Absent when only a thread is named.", (signal.target_pid != 0 || signal.target_tid == 0).then(|| Value::I64(signal.target_pid.into()));
    "target_tid", "", ARGUMENT, "The thread, in the caller's pid namespace. Absent for whole processes.", (signal.target_tid != 0).then(|| Value::I64(signal.target_tid.into()));
    "signal", "", ARGUMENT, "Number of the signal; 0 only asks.", Some(Value::U64(signal.signal.into()));
    "pidfd", "", ARGUMENT, "The pidfd. Absent when there is none.", (signal.pidfd >= 0).then(|| Value::I64(signal.pidfd.into()));
};

const BPF: &[Fact] = rows! { Data, &[Kind::Bpf], Body::Bpf(bpf) =>
    "cmd", "", ARGUMENT, "Name of the command, or its number.", Some(flags::bpf_command(bpf.cmd).map_or(Value::U64(bpf.cmd.into()), Value::Name));
    "object_type", "", USER, "`BPF_PROG_TYPE_*` or `BPF_MAP_TYPE_*` of what is made, a number. Absent for 0.", some_number(bpf.object_type.into());
    "name", "", USER, "Name of the program or map. Absent when it has none.", some_bytes(&bpf.name);
};

const USERFAULTFD: &[Fact] = rows! { Data, &[Kind::Userfaultfd], Body::Userfaultfd(fd) =>
    "flags", "", ARGUMENT, "`O_CLOEXEC`, `O_NONBLOCK`, `UFFD_USER_MODE_ONLY`, `|` between them; `0` for none.", Some(Value::Flags(fd.flags.into(), flags::USERFAULTFD));
};

const URING: &[Fact] = rows! { Data, &[Kind::IoUringSetup], Body::IoUringSetup(ring) =>
    "entries", "", ARGUMENT, "Entries asked for.", Some(Value::U64(ring.entries.into()));
    "flags", "hexadecimal", USER, "`IORING_SETUP_*`.", Some(Value::Hex(ring.flags.into()));
    "sq_entries", "", USER, "Entries of the submission queue.", Some(Value::U64(ring.sq_entries.into()));
    "cq_entries", "", USER, "Entries of the completion queue.", Some(Value::U64(ring.cq_entries.into()));
    "sq_thread_cpu", "", USER, "Processor of the submitting kernel thread.", Some(Value::U64(ring.sq_thread_cpu.into()));
    "sq_thread_idle", "ms", USER, "Idle time after which that thread sleeps.", Some(Value::U64(ring.sq_thread_idle.into()));
    "features", "hexadecimal", USER, "`IORING_FEAT_*`.", Some(Value::Hex(ring.features.into()));
    "unreadable", "", KERNEL, "The caller's memory could not be read. Absent when it could.", when(ring.unreadable);
};

const VM_WRITE: &[Fact] = rows! { Data, &[Kind::ProcessVmWrite], Body::ProcessVmWrite(write) =>
    "target_pid", "", ARGUMENT, "The other process, as the caller named it in its own pid namespace.", Some(Value::U64(write.target_pid.into()));
    "addr", "hexadecimal", USER, "First address there.", Some(Value::Hex(write.addr));
    "pieces", "", ARGUMENT, "Pieces of memory there.", Some(Value::U64(write.pieces.into()));
};

const CALL: &[Fact] = rows! { Data, &[Kind::Syscall], Body::Syscall(call) =>
    "arg0", "hexadecimal", ARGUMENT, "Argument 1, as the register held it; meaningful as far as the call has arguments.", call.args.first().map(|arg| Value::Hex(*arg));
    "arg1", "hexadecimal", ARGUMENT, "Argument 2, as the register held it; meaningful as far as the call has arguments.", call.args.get(1).map(|arg| Value::Hex(*arg));
    "arg2", "hexadecimal", ARGUMENT, "Argument 3, as the register held it; meaningful as far as the call has arguments.", call.args.get(2).map(|arg| Value::Hex(*arg));
    "arg3", "hexadecimal", ARGUMENT, "Argument 4, as the register held it; meaningful as far as the call has arguments.", call.args.get(3).map(|arg| Value::Hex(*arg));
    "arg4", "hexadecimal", ARGUMENT, "Argument 5, as the register held it; meaningful as far as the call has arguments.", call.args.get(4).map(|arg| Value::Hex(*arg));
    "arg5", "hexadecimal", ARGUMENT, "Argument 6, as the register held it; meaningful as far as the call has arguments.", call.args.get(5).map(|arg| Value::Hex(*arg));
};

pub(super) const FACTS: &[&[Fact]] = &[PRCTL, SIGNAL, BPF, USERFAULTFD, URING, VM_WRITE, CALL];
