//! `proc.*` of the session and of the process group.
//!
//! The leader is the process itself or an ancestor, or it is not known. A process group has one leader whatever the
//! namespace it is looked at from, so `vpgid` differs from `pgid` in the number alone.

use sentinel_event::Process;

use super::{
    Row, plain,
    proc::{exe, exe_of, exepath, head, name, path},
    some,
};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("proc.sid", |view, _, _| Value::Signed(head(view).session.into())),
    plain("proc.sname", |view, _, _| name_of(session(view), view)),
    plain("proc.sid.exe", |view, _, _| exe_at(session(view), view)),
    plain("proc.sid.exepath", |view, _, _| path_at(session(view), view)),
    plain("proc.is_sid_leader", |view, _, _| Value::Bool(head(view).session == head(view).process.tgid)),
    plain("proc.pgid", |view, _, _| match head(view).group {
        0 => Value::Missing,
        group => Value::Signed(group.into()),
    }),
    plain("proc.pgid.name", |view, _, _| name_of(group(view), view)),
    plain("proc.pgid.exe", |view, _, _| exe_at(group(view), view)),
    plain("proc.pgid.exepath", |view, _, _| path_at(group(view), view)),
    plain("proc.is_pgid_leader", |view, _, _| leads(view)),
    plain("proc.vpgid", |view, _, _| match group(view) {
        Leader::Own => Value::Signed(head(view).vpid.into()),
        Leader::Other(process) if process.vpid != 0 => Value::Signed(process.vpid.into()),
        _ => Value::Missing,
    }),
    plain("proc.vpgid.name", |view, _, _| name_of(group(view), view)),
    plain("proc.vpgid.exe", |view, _, _| exe_at(group(view), view)),
    plain("proc.vpgid.exepath", |view, _, _| path_at(group(view), view)),
    plain("proc.is_vpgid_leader", |view, _, _| leads(view)),
];

enum Leader<'a> {
    Own,
    Other(&'a Process),
    Unknown,
}

fn session<'a>(view: &View<'a>) -> Leader<'a> {
    leader(view, head(view).session)
}

fn group<'a>(view: &View<'a>) -> Leader<'a> {
    leader(view, head(view).group)
}

fn leader<'a>(view: &View<'a>, pid: u32) -> Leader<'a> {
    match pid {
        0 => Leader::Unknown,
        pid if pid == head(view).process.tgid => Leader::Own,
        pid => {
            view.ancestors().find(|process| process.key.tgid == pid).map_or(Leader::Unknown, Leader::Other)
        }
    }
}

fn leads<'a>(view: &View<'a>) -> Value<'a> {
    match head(view).group {
        0 => Value::Missing,
        group => Value::Bool(group == head(view).process.tgid),
    }
}

fn name_of<'a>(leader: Leader<'a>, view: &View<'a>) -> Value<'a> {
    match leader {
        Leader::Own => some(name(view)),
        Leader::Other(process) => some(&process.comm),
        Leader::Unknown => Value::Missing,
    }
}

fn exe_at<'a>(leader: Leader<'a>, view: &View<'a>) -> Value<'a> {
    match leader {
        Leader::Own => exe(view),
        Leader::Other(process) => exe_of(process),
        Leader::Unknown => Value::Missing,
    }
}

fn path_at<'a>(leader: Leader<'a>, view: &View<'a>) -> Value<'a> {
    match leader {
        Leader::Own => exepath(view),
        Leader::Other(process) => path(&process.exe),
        Leader::Unknown => Value::Missing,
    }
}
