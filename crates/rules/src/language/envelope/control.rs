//! What processes do to themselves, to each other and to the kernel; and any other call.

use sentinel_event::{AnyCall, Body, Bpf, IoUringSetup, Kind, Prctl, ProcessVmWrite, Signal};

use super::{
    Row,
    form::{comm, hexadecimal, number, text, truth},
    table,
};
use crate::language::eval::names;

const PRCTL: &[Row] = table! { Data, &[Kind::Prctl];
    "option", "evt.arg.option", "PR_SET_NAME", |draft, value| {
        prctl(&mut draft.body)?.option = names::prctl_number(value).or_else(|| value.parse().ok())?;
        Some(())
    };
    "name", "evt.arg.arg2_str", "worker", |draft, value| {
        let name = prctl(&mut draft.body)?.name.get_or_insert_default();
        comm(value, name)
    };
    "arg2", "", "0x1", |draft, value| bits(value, prctl(&mut draft.body)?.args.get_mut(0)?);
    "arg3", "", "0x0", |draft, value| bits(value, prctl(&mut draft.body)?.args.get_mut(1)?);
    "arg4", "", "0x0", |draft, value| bits(value, prctl(&mut draft.body)?.args.get_mut(2)?);
    "arg5", "", "0x0", |draft, value| bits(value, prctl(&mut draft.body)?.args.get_mut(3)?);
};

const SIGNAL: &[Row] = table! { Data, &[Kind::Signal];
    "target_pid", "evt.arg.pid", "7", |draft, value| number(value, &mut signal(&mut draft.body)?.target_pid);
    "target_tid", "evt.arg.tid", "7", |draft, value| number(value, &mut signal(&mut draft.body)?.target_tid);
    "signal", "evt.arg.sig", "9", |draft, value| number(value, &mut signal(&mut draft.body)?.signal);
    "pidfd", "", "3", |draft, value| number(value, &mut signal(&mut draft.body)?.pidfd);
};

const BPF: &[Row] = table! { Data, &[Kind::Bpf];
    "cmd", "evt.arg.cmd", "BPF_PROG_LOAD", |draft, value| {
        bpf(&mut draft.body)?.cmd = names::bpf_number(value).or_else(|| value.parse().ok())?;
        Some(())
    };
    "object_type", "", "2", |draft, value| number(value, &mut bpf(&mut draft.body)?.object_type);
    "name", "", "watch", |draft, value| text(value, &mut bpf(&mut draft.body)?.name);
};

const USERFAULTFD: &[Row] = table! { Data, &[Kind::Userfaultfd];
    "flags", "evt.arg.flags", "O_CLOEXEC", |draft, value| match &mut draft.body {
        Body::Userfaultfd(made) => super::form::flags32(value, &[names::DUP, &[(1, "UFFD_USER_MODE_ONLY")]], &mut made.flags),
        _ => None,
    };
};

const URING: &[Row] = table! { Data, &[Kind::IoUringSetup];
    "entries", "evt.arg.entries", "8", |draft, value| number(value, &mut ring(&mut draft.body)?.entries);
    "flags", "evt.arg.flags", "0x2", |draft, value| bits32(value, &mut ring(&mut draft.body)?.flags);
    "sq_entries", "evt.arg.sq_entries", "8", |draft, value| number(value, &mut ring(&mut draft.body)?.sq_entries);
    "cq_entries", "evt.arg.cq_entries", "16", |draft, value| number(value, &mut ring(&mut draft.body)?.cq_entries);
    "sq_thread_cpu", "evt.arg.sq_thread_cpu", "0", |draft, value| number(value, &mut ring(&mut draft.body)?.sq_thread_cpu);
    "sq_thread_idle", "evt.arg.sq_thread_idle", "0", |draft, value| number(value, &mut ring(&mut draft.body)?.sq_thread_idle);
    "features", "evt.arg.features", "0x1", |draft, value| bits32(value, &mut ring(&mut draft.body)?.features);
    "unreadable", "", "true", |draft, value| truth(value, &mut ring(&mut draft.body)?.unreadable);
};

const VM_WRITE: &[Row] = table! { Data, &[Kind::ProcessVmWrite];
    "target_pid", "evt.arg.pid", "7", |draft, value| number(value, &mut write(&mut draft.body)?.target_pid);
    "addr", "", "0x7f0000000000", |draft, value| bits(value, &mut write(&mut draft.body)?.addr);
    "pieces", "", "1", |draft, value| number(value, &mut write(&mut draft.body)?.pieces);
};

const CALL: &[Row] = table! { Data, &[Kind::Syscall];
    "arg0", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(0)?);
    "arg1", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(1)?);
    "arg2", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(2)?);
    "arg3", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(3)?);
    "arg4", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(4)?);
    "arg5", "", "0x0", |draft, value| bits(value, call(&mut draft.body)?.args.get_mut(5)?);
};

pub(super) const ROWS: &[&[Row]] = &[PRCTL, SIGNAL, BPF, USERFAULTFD, URING, VM_WRITE, CALL];

fn prctl(body: &mut Body) -> Option<&mut Prctl> {
    match body {
        Body::Prctl(it) => Some(it),
        _ => None,
    }
}

fn signal(body: &mut Body) -> Option<&mut Signal> {
    match body {
        Body::Signal(it) => Some(it),
        _ => None,
    }
}

fn bpf(body: &mut Body) -> Option<&mut Bpf> {
    match body {
        Body::Bpf(it) => Some(it),
        _ => None,
    }
}

fn ring(body: &mut Body) -> Option<&mut IoUringSetup> {
    match body {
        Body::IoUringSetup(it) => Some(it),
        _ => None,
    }
}

fn write(body: &mut Body) -> Option<&mut ProcessVmWrite> {
    match body {
        Body::ProcessVmWrite(it) => Some(it),
        _ => None,
    }
}

fn call(body: &mut Body) -> Option<&mut AnyCall> {
    match body {
        Body::Syscall(it) => Some(it),
        _ => None,
    }
}

fn bits(text: &str, to: &mut u64) -> Option<()> {
    *to = hexadecimal(text)?;
    Some(())
}

fn bits32(text: &str, to: &mut u32) -> Option<()> {
    *to = u32::try_from(hexadecimal(text)?).ok()?;
    Some(())
}
