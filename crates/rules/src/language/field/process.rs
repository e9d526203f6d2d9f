//! `proc.*` and `thread.*`: who acted, and the ancestors.

use super::{ArgumentRule, CarriedBy::*, Field, field, text};
use crate::language::types::Type;

const ANCESTOR: ArgumentRule = ArgumentRule::OptionalIndex;

pub(super) const FIELDS: &[Field] = &[
    field("proc.pid", Type::I64, Every, "Id of the process in the host's namespace."),
    field("proc.ppid", Type::I64, Every, "Id of the parent."),
    field("proc.apid", Type::I64, Every, "Id of an ancestor: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    field("proc.vpid", Type::I64, Every, "Id of the process in its own namespace."),
    field("proc.pvpid", Type::I64, Every, "Id of the parent in its own namespace."),
    text("proc.exec_id", Every, "Name of the execution, the same on every node and wherever it is told: node and boot, process, start, execution."),
    text("proc.parent_exec_id", Every, "Name of the execution that created the process."),
    text("proc.aexec_id", Every, "Name of an ancestor's execution: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    text("proc.exe", Every, "First argument, which the process's creator chose."),
    text("proc.pexe", Every, "First argument of the parent."),
    text("proc.aexe", Every, "First argument of an ancestor: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    text("proc.exepath", Every, "Path of the program, from the kernel."),
    text("proc.pexepath", Every, "Path of the parent's program."),
    text(
        "proc.aexepath",
        Every,
        "Path of an ancestor's program: `[1]` is the parent; without number, of any.",
    )
    .with(ANCESTOR)
    .plain(),
    text("proc.name", Every, "Name of the process, at most 15 bytes; the process can change it."),
    text("proc.pname", Every, "Name of the parent; missing when the parent is not known."),
    text("proc.aname", Every, "Name of an ancestor: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    text("proc.args", Every, "Arguments without the first, with a blank between them; `[n]` is one, from 0.")
        .with(ArgumentRule::OptionalIndex),
    text("proc.aargs", Every, "Arguments of an ancestor: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    text("proc.cmdline", Every, "Name, a blank, and the arguments without the first."),
    text("proc.pcmdline", Every, "Command line of the parent."),
    text("proc.acmdline", Every, "Command line of an ancestor: `[1]` is the parent; without number, of any.")
        .with(ANCESTOR)
        .plain(),
    field("proc.cmdnargs", Type::U64, Every, "Number of arguments without the first."),
    field("proc.cmdlenargs", Type::U64, Every, "Bytes of all arguments without the first."),
    text("proc.exeline", Every, "First argument, a blank, and the other arguments."),
    text("proc.env", Every, "Environment at the start of a program, `A=1 B=2`; `[NAME]` is one variable's value. Environments hold secrets: the agent reads them, up to 4096 bytes, while a rule asks for this field.")
        .with(ArgumentRule::OptionalKey),
    text("proc.aenv", Every, "Environment of an ancestor, or one variable of the parent.")
        .with(ArgumentRule::OptionalKey)
        .plain(),
    text("proc.cwd", Every, "Working directory with a slash at the end; of other events than starts that of the last start, since `chdir` is not followed."),
    field("proc.loginshellid", Type::I64, Every, "Id of the oldest shell among the ancestors."),
    field("proc.tty", Type::U32, Every, "Device number of the controlling terminal, 0 when there is none."),
    field("proc.sid", Type::I64, Every, "Id of the session."),
    text("proc.sname", Every, "Name of the session's leader."),
    text("proc.sid.exe", Every, "First argument of the session's leader."),
    text("proc.sid.exepath", Every, "Path of the program of the session's leader."),
    field("proc.pgid", Type::I64, Every, "Id of the process group."),
    text("proc.pgid.name", Every, "Name of the leader of the process group."),
    text("proc.pgid.exe", Every, "First argument of the leader of the process group."),
    text("proc.pgid.exepath", Every, "Path of the program of the leader of the process group."),
    field("proc.vpgid", Type::I64, Every, "Id of the process group in its own namespace."),
    text("proc.vpgid.name", Every, "Name of the leader of the process group in its own namespace."),
    text("proc.vpgid.exe", Every, "First argument of the leader of the process group in its own namespace."),
    text(
        "proc.vpgid.exepath",
        Every,
        "Path of the program of the leader of the process group in its own namespace.",
    ),
    field("proc.is_sid_leader", Type::Bool, Every, "The process leads its session."),
    field("proc.is_pgid_leader", Type::Bool, Every, "The process leads its process group."),
    field(
        "proc.is_vpgid_leader",
        Type::Bool,
        Every,
        "The process leads its process group in its own namespace.",
    ),
    field("proc.duration", Type::Duration, Every, "Nanoseconds since the process was started."),
    field("proc.ppid.duration", Type::Duration, Every, "Nanoseconds since the parent was started."),
    field("proc.pid.ts", Type::Time, Every, "When the process was started."),
    field("proc.ppid.ts", Type::Time, Every, "When the parent was started."),
    field("proc.is_exe_writable", Type::Bool, Every, "The user of the process may write its program."),
    field("proc.is_exe_upper_layer", Type::Bool, Every, "The program is in the upper layer of an overlay."),
    field("proc.is_exe_lower_layer", Type::Bool, Every, "The program is in a lower layer of an overlay."),
    field("proc.is_exe_from_memfd", Type::Bool, Every, "The program is a file in memory without a name."),
    field("proc.exe_ino", Type::I64, Every, "Inode of the program."),
    field("proc.exe_ino.ctime", Type::Time, Every, "When the program's inode was changed."),
    field("proc.exe_ino.mtime", Type::Time, Every, "When the program's content was changed."),
    field(
        "proc.exe_ino.ctime_duration_proc_start",
        Type::Duration,
        Every,
        "From the change of the program's inode to the start of the process.",
    ),
    field(
        "proc.exe_ino.ctime_duration_pidns_start",
        Type::Duration,
        Every,
        "From the start of the pid namespace to the change of the program's inode.",
    ),
    field(
        "proc.pidns_init_start_ts",
        Type::Time,
        Every,
        "When the first process of the pid namespace started.",
    ),
    field(
        "proc.is_container_healthcheck",
        Type::Bool,
        Container,
        "The process, or what started it, has the command line of its container's health check. Whoever starts a process chooses its arguments.",
    ),
    field(
        "proc.is_container_liveness_probe",
        Type::Bool,
        Container,
        "The process is a container's liveness probe.",
    ),
    field(
        "proc.is_container_readiness_probe",
        Type::Bool,
        Container,
        "The process is a container's readiness probe.",
    ),
    field("proc.fdopencount", Type::U64, Every, "Open descriptors of the process."),
    field("proc.fdlimit", Type::I64, Every, "How many descriptors the process may open."),
    field("proc.fdusage", Type::Double, Every, "Open descriptors in per cent of the limit."),
    field("proc.vmsize", Type::U64, Every, "Virtual memory of the process in KiB."),
    field("proc.vmrss", Type::U64, Every, "Resident memory of the process in KiB."),
    field("proc.vmswap", Type::U64, Every, "Swapped memory of the process in KiB."),
    field("proc.nthreads", Type::U64, Every, "Threads of the process."),
    field("proc.nchilds", Type::U64, Every, "Threads that the process has beside the main one."),
    text("proc.stdin.type", Every, "Type of descriptor 0, as `fd.type` has it."),
    text("proc.stdout.type", Every, "Type of descriptor 1, as `fd.type` has it."),
    text("proc.stderr.type", Every, "Type of descriptor 2, as `fd.type` has it."),
    text("proc.stdin.name", Every, "Name of descriptor 0, as `fd.name` has it."),
    text("proc.stdout.name", Every, "Name of descriptor 1, as `fd.name` has it."),
    text("proc.stderr.name", Every, "Name of descriptor 2, as `fd.name` has it."),
    field("thread.tid", Type::I64, Every, "Id of the thread in the host's namespace."),
    field("thread.vtid", Type::I64, Every, "Id of the thread in its own namespace; missing for threads beside the main one in a container."),
    field("thread.ismain", Type::Bool, Every, "The thread is the main one."),
    text("thread.nametid", Every, "Name and id of the thread, joined by a colon."),
    field("thread.exectime", Type::Duration, Every, "CPU time in this time slice."),
    field("thread.totexectime", Type::Duration, Every, "CPU time of the thread."),
    field("thread.cpu", Type::Double, Every, "CPU of the last second in per cent."),
    field("thread.cpu.user", Type::Double, Every, "User CPU of the last second in per cent."),
    field("thread.cpu.system", Type::Double, Every, "System CPU of the last second in per cent."),
    field("thread.vmsize", Type::U64, Every, "Virtual memory in KiB for a main thread, else 0."),
    field("thread.vmrss", Type::U64, Every, "Resident memory in KiB for a main thread, else 0."),
    field("thread.pfmajor", Type::U64, Every, "Page faults that read from disk."),
    field("thread.pfminor", Type::U64, Every, "Page faults that did not read from disk."),
    text("thread.cgroups", Every, "The cgroup of version 2 for each usual controller, `cpuset=PATH cpu=PATH …`."),
    text("thread.cgroup", Every, "The cgroup of version 2, the same whatever controller stands in brackets.").with(ArgumentRule::Key),
    text("thread.cap_permitted", Every, "Permitted capabilities, with a blank between them. Of the process's main thread; of `execve` and `capset` those after the call."),
    text("thread.cap_inheritable", Every, "Inheritable capabilities, likewise."),
    text("thread.cap_effective", Every, "Effective capabilities, likewise."),
];
