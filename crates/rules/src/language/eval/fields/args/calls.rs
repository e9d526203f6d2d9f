//! Parameters that only single calls have.

use sentinel_event::{Body, Setuid};

use super::{
    super::{Row, built, evt, fs, or_missing, plain, some, user},
    flags::write_flags,
    row,
    texts::decimal,
};
use crate::language::{
    Argument,
    eval::{
        json::print,
        names,
        value::{Scratch, Value},
        view::View,
    },
};

macro_rules! numbers {
    ($($name:literal => $get:expr,)*) => {
        pub(super) const NUMBERS: &[Row] = &[$(plain($name, |view, _, _| {
            let get: fn(&View<'_>) -> Option<i64> = $get;
            or_missing(get(view), Value::Signed)
        }),)*];
    };
}

numbers! {
    "oldfd" => |view| match &view.observation.event.body {
        Body::Dup(dup) => Some(dup.old_fd.into()),
        _ => None,
    },
    "newfd" => |view| match &view.observation.event.body {
        Body::Dup(dup) if matches!(view.call.name, "dup2" | "dup3") => Some(dup.asked_fd.into()),
        _ => None,
    },
    "domain" => |view| made(view).map(|made| made.family.into()),
    "type" => |view| made(view).map(|made| made.kind.into()),
    "proto" => |view| made(view).map(|made| made.protocol.into()),
    "ruid" => |view| asked(view, &["setreuid", "setresuid"], 0),
    "euid" => |view| asked(view, &["setreuid", "setresuid"], 1),
    "suid" => |view| asked(view, &["setresuid"], 2),
    "rgid" => |view| asked(view, &["setregid", "setresgid"], 0),
    "egid" => |view| asked(view, &["setregid", "setresgid"], 1),
    "sgid" => |view| asked(view, &["setresgid"], 2),
    "nstype" => |view| match &view.observation.event.body {
        Body::Setns(setns) => Some(setns.nstype.into()),
        _ => None,
    },
    "cmd" => |view| match &view.observation.event.body {
        Body::Bpf(bpf) => Some(bpf.cmd.into()),
        _ => None,
    },
    "option" => |view| match &view.observation.event.body {
        Body::Prctl(prctl) => i64::try_from(prctl.option).ok(),
        _ => None,
    },
    "arg2_int" => |view| match &view.observation.event.body {
        Body::Prctl(prctl) if prctl.name.is_none() => {
            prctl.args.first().map(|value| value.cast_signed())
        }
        _ => None,
    },
    "entries" => |view| ring(view).map(|ring| ring.entries.into()),
    "sq_entries" => |view| ring(view).map(|ring| ring.sq_entries.into()),
    "cq_entries" => |view| ring(view).map(|ring| ring.cq_entries.into()),
    "sq_thread_cpu" => |view| ring(view).map(|ring| ring.sq_thread_cpu.into()),
    "sq_thread_idle" => |view| ring(view).map(|ring| ring.sq_thread_idle.into()),
    "features" => |view| ring(view).map(|ring| ring.features.into()),
    "cap_inheritable" => |view| capset(view).map(|after| after.inheritable.cast_signed()),
    "cap_permitted" => |view| capset(view).map(|after| after.permitted.cast_signed()),
    "cap_effective" => |view| capset(view).map(|after| after.effective.cast_signed()),
}

pub(super) const TEXTS: &[Row] = &[
    built("oldfd", |view, _, scratch| numbered(view, "oldfd", scratch)),
    built("newfd", |view, _, scratch| numbered(view, "newfd", scratch)),
    built("domain", |view, _, scratch| {
        or_missing(made(view), |made| match names::domain(made.family) {
            Some(name) => Value::Text(name.as_bytes()),
            None => decimal(Some(made.family.into()), scratch),
        })
    }),
    built("type", |view, _, scratch| match &view.observation.event.body {
        Body::Mount(mount) => some(&mount.fstype),
        _ => numbered(view, "type", scratch),
    }),
    built("proto", |view, _, scratch| numbered(view, "proto", scratch)),
    plain("dir", |view, _, _| match &view.observation.event.body {
        Body::Mount(mount) => fs::path(view, &mount.target),
        _ => Value::Missing,
    }),
    plain("target", |view, _, _| or_missing(fs::symlink(view), |(target, _)| target)),
    plain("linkpath", |view, _, _| or_missing(fs::symlink(view), |(_, link)| fs::path(view, link))),
    plain("pathname", |view, _, _| match &view.observation.event.body {
        Body::FileChown(_) if view.call.name == "fchownat" => fs::name(view),
        _ => Value::Missing,
    }),
    built("ruid", |view, _, scratch| user_name(NUMBERS, "ruid", view, scratch)),
    built("euid", |view, _, scratch| user_name(NUMBERS, "euid", view, scratch)),
    built("suid", |view, _, scratch| user_name(NUMBERS, "suid", view, scratch)),
    built("rgid", |view, _, scratch| numbered(view, "rgid", scratch)),
    built("egid", |view, _, scratch| numbered(view, "egid", scratch)),
    built("sgid", |view, _, scratch| numbered(view, "sgid", scratch)),
    built("nstype", |view, _, scratch| match &view.observation.event.body {
        Body::Setns(setns) => scratch.build(|out| write_flags(setns.nstype.into(), names::CLONE, out)),
        _ => Value::Missing,
    }),
    built("cmd", |view, _, scratch| match &view.observation.event.body {
        Body::Bpf(bpf) => match names::bpf_command(bpf.cmd) {
            Some(name) => Value::Text(name.as_bytes()),
            None => decimal(Some(bpf.cmd.into()), scratch),
        },
        _ => Value::Missing,
    }),
    plain("uargs", |view, _, _| match &view.observation.event.body {
        Body::ModuleLoad(module) => some(&module.args),
        _ => Value::Missing,
    }),
    built("option", |view, _, scratch| match &view.observation.event.body {
        Body::Prctl(prctl) => match names::prctl(prctl.option) {
            Some(name) => Value::Text(name.as_bytes()),
            None => decimal(i64::try_from(prctl.option).ok(), scratch),
        },
        _ => Value::Missing,
    }),
    plain("arg2_str", |view, _, _| match &view.observation.event.body {
        Body::Prctl(prctl) => or_missing(prctl.name.as_ref(), |name| Value::Text(name.as_bstr())),
        _ => Value::Missing,
    }),
    built("arg2_int", |view, _, scratch| numbered(view, "arg2_int", scratch)),
    built("entries", |view, _, scratch| numbered(view, "entries", scratch)),
    built("sq_entries", |view, _, scratch| numbered(view, "sq_entries", scratch)),
    built("cq_entries", |view, _, scratch| numbered(view, "cq_entries", scratch)),
    built("sq_thread_cpu", |view, _, scratch| numbered(view, "sq_thread_cpu", scratch)),
    built("sq_thread_idle", |view, _, scratch| numbered(view, "sq_thread_idle", scratch)),
    built("features", |view, _, scratch| numbered(view, "features", scratch)),
    built("cap_inheritable", |view, _, scratch| hexadecimal(view, "cap_inheritable", scratch)),
    built("cap_permitted", |view, _, scratch| hexadecimal(view, "cap_permitted", scratch)),
    built("cap_effective", |view, _, scratch| hexadecimal(view, "cap_effective", scratch)),
];

/// The user that setuid asks for, or that chown gives a file to.
pub(super) fn owner(view: &View<'_>) -> Option<i64> {
    match &view.observation.event.body {
        Body::FileChown(chown) => Some(who(chown.uid)),
        _ => asked(view, &["setuid"], 0),
    }
}

/// The same of groups.
pub(super) fn group(view: &View<'_>) -> Option<i64> {
    match &view.observation.event.body {
        Body::FileChown(chown) => Some(who(chown.gid)),
        _ => asked(view, &["setgid"], 0),
    }
}

/// A parameter that is a user: the name, or the number where nobody knows one.
pub(super) fn user_name<'a>(rows: &[Row], name: &str, view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    match row(rows, name.as_bytes()).map(|row| (row.get)(view, &Argument::None, scratch)) {
        Some(Value::Signed(number)) => {
            let name = u32::try_from(number).ok().and_then(|uid| user::name_of(view, uid));
            name.map_or_else(|| decimal(Some(number), scratch), Value::Text)
        }
        _ => Value::Missing,
    }
}

/// -1 leaves an id as it is.
fn who(id: u32) -> i64 {
    if id == u32::MAX { -1 } else { id.into() }
}

/// An argument of one of these calls.
fn asked(view: &View<'_>, calls: &[&str], at: usize) -> Option<i64> {
    match &view.observation.event.body {
        Body::Setuid(Setuid { asked, .. }) if calls.contains(&view.call.name) => {
            asked.get(at).map(|id| who(*id))
        }
        _ => None,
    }
}

fn made(view: &View<'_>) -> Option<sentinel_event::MakeSocket> {
    match &view.observation.event.body {
        Body::Socket(made) => Some(*made),
        _ => None,
    }
}

fn ring(view: &View<'_>) -> Option<sentinel_event::IoUringSetup> {
    match &view.observation.event.body {
        Body::IoUringSetup(ring) => Some(*ring),
        _ => None,
    }
}

fn capset(view: &View<'_>) -> Option<sentinel_event::Credentials> {
    match &view.observation.event.body {
        Body::Capset(capset) if evt::result(view) == Some(0) => Some(capset.after),
        _ => None,
    }
}

fn numbered<'a>(view: &View<'a>, name: &str, scratch: &mut Scratch) -> Value<'a> {
    match row(NUMBERS, name.as_bytes()).map(|row| (row.get)(view, &Argument::None, scratch)) {
        Some(Value::Signed(number)) => decimal(Some(number), scratch),
        _ => Value::Missing,
    }
}

fn hexadecimal<'a>(view: &View<'a>, name: &str, scratch: &mut Scratch) -> Value<'a> {
    match row(NUMBERS, name.as_bytes()).map(|row| (row.get)(view, &Argument::None, scratch)) {
        Some(Value::Signed(number)) => scratch.build(|out| print(out, format_args!("{number:#x}"))),
        _ => Value::Missing,
    }
}
