//! Exec, fork, exit and ptrace.

use sentinel_event::{Body, Capabilities, Exec, Executable, Exit, Fork, Kind, PathFlags, Ptrace};

use super::{
    Row,
    form::{hexadecimal, number, text, truth},
    table,
};
use crate::language::{envelope::draft::Draft, eval::names};

const EXEC: &[Row] = table! { Data, &[Kind::Exec];
    "filename", "evt.arg.filename", "/usr/bin/cat", |draft, value| text(value, &mut exec(&mut draft.body)?.filename);
    "interpreter", "", "/usr/bin/cat", |draft, value| text(value, &mut exec(&mut draft.body)?.interpreter);
    "exe", "proc.exepath", "/usr/bin/cat", |draft, value| text(value, &mut exec(&mut draft.body)?.exe.bytes);
    "exe_flags", "", "deleted", |draft, value| path_flags(value, &mut exec(&mut draft.body)?.exe.flags);
    "exe_ino", "proc.exe_ino evt.arg.exe_ino", "99", |draft, value| number(value, &mut executable(draft)?.ino);
    "argc", "", "2", |draft, value| {
        draft.argc = Some(value.parse().ok()?);
        Some(())
    };
    "argv", "proc.exe proc.args proc.cmdline proc.cmdnargs proc.exeline", "cat -n", |draft, value| {
        let argv = match draft.argc {
            Some(0) => Vec::new(),
            Some(1) => vec![value.into()],
            _ => value.split(' ').map(Into::into).collect(),
        };
        exec(&mut draft.body)?.argv = argv;
        Some(())
    };
    "argv_truncated", "", "true", |draft, value| truth(value, &mut exec(&mut draft.body)?.argv_truncated);
    "exe_memfd", "proc.is_exe_from_memfd", "true", |draft, value| truth(value, &mut executable(draft)?.memfd);
    "exe_upper_layer", "proc.is_exe_upper_layer", "true", |draft, value| {
        truth(value, &mut executable(draft)?.upper_layer)
    };
    "exe_lower_layer", "proc.is_exe_lower_layer", "true", |draft, value| {
        truth(value, &mut executable(draft)?.lower_layer)
    };
    "exe_writable", "proc.is_exe_writable", "true", |draft, value| truth(value, &mut executable(draft)?.writable);
    "exe_ctime", "proc.exe_ino.ctime proc.exe_ino.ctime_duration_proc_start proc.exe_ino.ctime_duration_pidns_start", "1699999998500000000", |draft, value| {
        number(value, &mut executable(draft)?.changed_ns)
    };
    "exe_mtime", "proc.exe_ino.mtime", "1700000000000000000", |draft, value| {
        number(value, &mut executable(draft)?.modified_ns)
    };
    "pidns_start_ns", "proc.pidns_init_start_ts", "5000000", |draft, value| {
        number(value, &mut executable(draft)?.pid_namespace_ns)
    };
    "cap_inheritable", "thread.cap_inheritable", "0x1ff", |draft, value| {
        capabilities(&mut draft.body)?.inheritable = hexadecimal(value)?;
        Some(())
    };
    "cap_permitted", "thread.cap_permitted", "0x1ff", |draft, value| {
        capabilities(&mut draft.body)?.permitted = hexadecimal(value)?;
        Some(())
    };
    "cap_effective", "thread.cap_effective", "0x1ff", |draft, value| {
        capabilities(&mut draft.body)?.effective = hexadecimal(value)?;
        Some(())
    };
    "env", "proc.env", "HOME=/root TERM=linux", |draft, value| {
        exec(&mut draft.body)?.env = value.split(' ').map(Into::into).collect();
        Some(())
    };
    "cwd", "proc.cwd evt.arg.cwd", "/home/u", |draft, value| text(value, &mut exec(&mut draft.body)?.cwd.bytes);
};

const FORK: &[Row] = table! { Data, &[Kind::Fork];
    "child_pid", "evt.rawres", "301", |draft, value| number(value, &mut fork(&mut draft.body)?.child.tgid);
    "child_vpid", "", "31", |draft, value| number(value, &mut fork(&mut draft.body)?.child_vpid);
    "child_start_ns", "", "9000000000", |draft, value| number(value, &mut fork(&mut draft.body)?.child.start_ns);
};

const EXIT: &[Row] = table! { Data, &[Kind::Exit];
    "status", "evt.arg.ret", "1", |draft, value| number(value, &mut exit(&mut draft.body)?.status);
    "signal", "evt.arg.sig", "9", |draft, value| number(value, &mut exit(&mut draft.body)?.signal);
    "core_dumped", "evt.arg.core", "true", |draft, value| truth(value, &mut exit(&mut draft.body)?.core_dumped);
};

const PTRACE: &[Row] = table! { Data, &[Kind::Ptrace];
    "request", "evt.arg.request", "PTRACE_ATTACH", |draft, value| {
        let number = names::ptrace_number(value).or_else(|| value.parse().ok())?;
        ptrace(&mut draft.body)?.request = number;
        Some(())
    };
    "target_pid", "evt.arg.pid", "7", |draft, value| number(value, &mut ptrace(&mut draft.body)?.target_pid);
};

pub(super) const ROWS: &[&[Row]] = &[EXEC, FORK, EXIT, PTRACE];

fn executable(draft: &mut Draft) -> Option<&mut Executable> {
    Some(&mut exec(&mut draft.body)?.executable)
}

fn exec(body: &mut Body) -> Option<&mut Exec> {
    match body {
        Body::Exec(exec) => Some(exec),
        _ => None,
    }
}

/// They are known when one of them is said.
fn capabilities(body: &mut Body) -> Option<&mut Capabilities> {
    Some(exec(body)?.capabilities.get_or_insert_default())
}

fn fork(body: &mut Body) -> Option<&mut Fork> {
    match body {
        Body::Fork(fork) => Some(fork),
        _ => None,
    }
}

fn exit(body: &mut Body) -> Option<&mut Exit> {
    match body {
        Body::Exit(exit) => Some(exit),
        _ => None,
    }
}

fn ptrace(body: &mut Body) -> Option<&mut Ptrace> {
    match body {
        Body::Ptrace(ptrace) => Some(ptrace),
        _ => None,
    }
}

/// Names of what is special about a path, `,` between.
pub(super) fn path_flags(text: &str, to: &mut PathFlags) -> Option<()> {
    let bits = text.split(',').try_fold(0, |bits, name| {
        let bit = (0..u32::BITS)
            .map(|bit| 1 << bit)
            .find(|bit| PathFlags::from_bits(*bit).names().any(|known| known == name));
        Some(bits | bit?)
    })?;
    *to = PathFlags::from_bits(bits);
    Some(())
}
