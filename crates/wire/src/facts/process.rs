//! Facts of exec, fork, exit and ptrace.

use sentinel_event::{Body, Kind};

use super::{ARGUMENT, Fact, KERNEL, USER, rows, some_bytes, some_number, when};
use crate::{Value, flags};

const EXEC: &[Fact] = rows! { Data, &[Kind::Exec], Body::Exec(exec) =>
    "filename", "", USER, "What was asked for, as the caller wrote it: relative, a symlink, `/dev/fd/N`.",
        Some(Value::Bytes(&exec.filename));
    "interpreter", "", KERNEL, "Interpreter of a script; equal to `filename` for a binary. Absent on failure.",
        some_bytes(&exec.interpreter);
    "exe", "", KERNEL, "The program that runs; for a script its interpreter. Absent on failure.", some_bytes(&exec.exe.bytes);
    "exe_flags", "", KERNEL, "What is special about `exe`. Absent for nothing.", path_flags(exec.exe.flags);
    "exe_ino", "", KERNEL, "Inode number of the program. Absent on failure.", some_number(exec.executable.ino);
    "argv", "", "new program's memory, before it runs", "Arguments, the first included, a blank between them.",
        Some(Value::Words(None, &exec.argv));
    "argc", "", "new program's memory, before it runs", "Number of arguments in `argv`.",
        Some(Value::U64(u64::try_from(exec.argv.len()).unwrap_or(u64::MAX)));
    "argv_truncated", "", KERNEL, "`argv` holds only the first 4096 bytes. Absent when it holds all.", when(exec.argv_truncated);
    "exe_memfd", "", KERNEL, "The program is a file without a name. Absent when not.", when(exec.executable.memfd);
    "exe_upper_layer", "", KERNEL, "The program is not part of the container's image. Absent when it is.", when(exec.executable.upper_layer);
    "exe_lower_layer", "", KERNEL, "The program is part of the container's image. Absent when not, and outside overlays.", when(exec.executable.lower_layer);
    "exe_writable", "", KERNEL, "Who runs the program may write it, by its mode. Absent when not.", when(exec.executable.writable);
    "exe_ctime", "ns since 1970", "file system", "Last change of the program's inode. Absent on failure.", some_number(exec.executable.changed_ns);
    "exe_mtime", "ns since 1970", "file system", "Last change of the program's content. Absent on failure.", some_number(exec.executable.modified_ns);
    "pidns_start_ns", "ns since boot", KERNEL, "Start of the first process of the pid namespace. Absent on failure.",
        some_number(exec.executable.pid_namespace_ns);
    "cwd", "", KERNEL, "Working directory. Absent when not known.", some_bytes(&exec.cwd.bytes);
    "cap_inheritable", "", KERNEL, "Capabilities that the program inherits, bits. Absent on failure.", exec.capabilities.map(|all| Value::Hex(all.inheritable));
    "cap_permitted", "", KERNEL, "Capabilities that it may take on.", exec.capabilities.map(|all| Value::Hex(all.permitted));
    "cap_effective", "", KERNEL, "Capabilities that it has.", exec.capabilities.map(|all| Value::Hex(all.effective));
};

const FORK: &[Fact] = rows! { Data, &[Kind::Fork], Body::Fork(fork) =>
    "child_pid", "", KERNEL, "The new process, in the host's pid namespace.", Some(Value::U64(fork.child.tgid.into()));
    "child_vpid", "", KERNEL, "The new process, in its own pid namespace.", Some(Value::U64(fork.child_vpid.into()));
    "child_start_ns", "ns since boot", KERNEL, "Start of the new process.", Some(Value::U64(fork.child.start_ns));
};

const EXIT: &[Fact] = rows! { Data, &[Kind::Exit], Body::Exit(exit) =>
    "status", "", KERNEL, "Exit status; 0 when a signal ended the process.", Some(Value::U64(exit.status.into()));
    "signal", "", KERNEL, "Signal that ended it. Absent for none.", some_number(exit.signal.into());
    "core_dumped", "", KERNEL, "A core was dumped. Absent when not.", when(exit.core_dumped);
};

const PTRACE: &[Fact] = rows! { Data, &[Kind::Ptrace], Body::Ptrace(ptrace) =>
    "request", "", ARGUMENT, "Name of the request, or its number.",
        Some(flags::ptrace_request(ptrace.request).map_or(Value::U64(ptrace.request), Value::Name));
    "target_pid", "", ARGUMENT, "The traced process, as the caller named it in its own pid namespace. Absent for PTRACE_TRACEME.",
        some_number(ptrace.target_pid.into());
};

pub(super) const FACTS: &[&[Fact]] = &[EXEC, FORK, EXIT, PTRACE];

/// What is special about a path, when something is.
pub(super) fn path_flags(flags: sentinel_event::PathFlags) -> Option<Value<'static>> {
    (flags != sentinel_event::PathFlags::default()).then_some(Value::PathFlags(flags))
}
