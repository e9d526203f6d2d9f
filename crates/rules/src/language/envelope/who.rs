//! Who, when, with what result; and losses.

use sentinel_event::{Body, Kind, LossCause, Stage};

use super::{
    Row,
    form::{comm, number, word},
    table,
};
use crate::language::eval::{names, unknown};

const DATA: &[Row] = table! { Data, &[];
    "comm", "proc.name thread.nametid", "cat", |draft, text| comm(text, &mut draft.head.comm);
    "pid", "proc.pid", "300", |draft, text| number(text, &mut draft.head.process.tgid);
    "tid", "thread.tid", "300", |draft, text| number(text, &mut draft.head.tid);
    "uid", "", "1000", |draft, text| number(text, &mut draft.head.uid);
    "gid", "", "1000", |draft, text| number(text, &mut draft.head.gid);
};

const ATTRIBUTES: &[Row] = table! { Attributes, &[];
    "evt.type", "evt.type", "openat", |draft, text| {
        draft.head.syscall = names::call_number(draft.body.kind(), text);
        Some(())
    };
    "evt.res", "evt.res evt.failed", "ENOENT", |draft, text| {
        // What has no name still failed.
        draft.head.result = if text == "UNKNOWN" { -1 } else { -i64::from(names::error_number(text)?) };
        draft.result = true;
        Some(())
    };
    "evt.rawres", "evt.rawres evt.res evt.failed fd.num", "-2", |draft, text| {
        number(text, &mut draft.head.result)?;
        draft.result = true;
        Some(())
    };
    "proc.name", "proc.name", "cat", |draft, text| {
        draft.process.comm = Some(text.to_owned());
        if draft.head.comm.as_bstr().is_empty() {
            draft.head.comm = text.into();
        }
        Some(())
    };
    "proc.exepath", "proc.exepath proc.exe", "/usr/bin/cat", |draft, text| {
        draft.process.exe = Some(text.to_owned());
        Some(())
    };
    "proc.cmdline", "proc.cmdline proc.args proc.cmdnargs", "cat -n /x", |draft, text| {
        draft.process.line = Some(text.to_owned());
        Some(())
    };
    "proc.vpid", "proc.vpid", "30", |draft, text| number(text, &mut draft.head.vpid);
    "proc.pid.ts", "proc.pid.ts proc.duration", "1699999999000000000", |draft, text| {
        draft.starts[0] = Some(text.parse().ok()?);
        Some(())
    };
    "proc.exec_id", "proc.exec_id", "1f3a9c0b5d7e2468-300-9000000000-3", |draft, text| {
        draft.exec_id = Some(text.parse().ok()?);
        Some(())
    };
    "proc.parent_exec_id", "proc.parent_exec_id", "1f3a9c0b5d7e2468-200-8000000000-2", |draft, text| {
        draft.creator = Some(text.parse().ok()?);
        Some(())
    };
    "proc.ppid", "proc.ppid proc.apid", "200", |draft, text| number(text, &mut draft.head.parent.tgid);
    "proc.ppid.ts", "proc.ppid.ts proc.ppid.duration", "1699999998000000000", |draft, text| {
        draft.starts[1] = Some(text.parse().ok()?);
        Some(())
    };
    "proc.pname", "proc.pname proc.aname", "bash", |draft, text| {
        draft.parent.comm = Some(text.to_owned());
        Some(())
    };
    "proc.pexepath", "proc.pexepath proc.pexe proc.aexepath proc.aexe", "/usr/bin/bash", |draft, text| {
        draft.parent.exe = Some(text.to_owned());
        Some(())
    };
    "proc.pcmdline", "proc.pcmdline proc.acmdline proc.aargs", "bash -l", |draft, text| {
        draft.parent.line = Some(text.to_owned());
        Some(())
    };
    "proc.pgid", "proc.pgid proc.is_pgid_leader proc.is_vpgid_leader proc.pgid.name proc.vpgid.name", "200", |draft, text| number(text, &mut draft.head.group);
    "proc.sid", "proc.sid proc.sname proc.is_sid_leader", "200", |draft, text| number(text, &mut draft.head.session);
    "proc.tty", "proc.tty", "34816", |draft, text| number(text, &mut draft.head.tty);
    "user.uid", "user.uid user.name", "0", |draft, text| number(text, &mut draft.head.euid);
    "user.loginuid", "user.loginuid user.loginname", "1000", |draft, text| {
        let id: i64 = text.parse().ok()?;
        draft.head.loginuid = if id == -1 { unknown::ID } else { id.try_into().ok()? };
        Some(())
    };
    "group.gid", "group.gid group.name", "0", |draft, text| number(text, &mut draft.head.egid);
    "container.id", "container.id", "0123456789ab", |draft, text| {
        draft.container = (text != "host" && !text.is_empty()).then(|| text.into());
        Some(())
    };
    "sentinel.boot_ns", "", "10000000000", |draft, text| number(text, &mut draft.head.boot_ns);
    "sentinel.cgroup_id", "", "77", |draft, text| number(text, &mut draft.head.cgroup_id);
    "sentinel.ns.pid", "", "4026531836", |draft, text| number(text, &mut draft.head.namespaces.pid);
    "sentinel.ns.mnt", "", "4026531841", |draft, text| number(text, &mut draft.head.namespaces.mnt);
    "sentinel.ns.net", "", "4026531840", |draft, text| number(text, &mut draft.head.namespaces.net);
};

const LOSS: &[Row] = table! { Data, &[Kind::Loss];
    "stage", "", "ring", |draft, text| {
        let stage = Stage::ALL.iter().copied().find(|stage| stage.name() == text)?;
        loss(&mut draft.body)?.stage = stage;
        Some(())
    };
    "cause", "", "full", |draft, text| {
        let cause = LossCause::ALL.iter().copied().find(|cause| cause.name() == text)?;
        loss(&mut draft.body)?.cause = cause;
        Some(())
    };
    "kind", "", "exec", |draft, text| {
        loss(&mut draft.body)?.kind = Some(text.parse().ok()?);
        Some(())
    };
    "count", "", "5", |draft, text| number(text, &mut loss(&mut draft.body)?.count);
};

pub(super) const ROWS: &[&[Row]] = &[DATA, ATTRIBUTES, LOSS];

fn loss(body: &mut Body) -> Option<&mut sentinel_event::Loss> {
    match body {
        Body::Loss(loss) => Some(loss),
        _ => None,
    }
}

/// Values of words, for tables.
pub(super) fn value(text: &str, words: &[(&str, u16)], to: &mut u16) -> Option<()> {
    *to = match word(text, words) {
        Some(value) => value,
        None => text.parse().ok()?,
    };
    Some(())
}
