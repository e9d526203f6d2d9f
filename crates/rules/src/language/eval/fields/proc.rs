//! `proc.*` and `thread.*`.

use sentinel_event::{Body, ExecId, Process, Text};

use super::{Row, built, or_missing, plain, some};
use crate::language::{
    Argument,
    eval::{
        json::print,
        value::{Item, Scratch, Several, Value},
        view::View,
    },
};

pub(super) const FIELDS: &[Row] = &[
    plain("proc.pid", |view, _, _| Value::Signed(head(view).process.tgid.into())),
    plain("proc.ppid", |view, _, _| match head(view).parent.tgid {
        0 => Value::Missing,
        pid => Value::Signed(pid.into()),
    }),
    plain("proc.vpid", |view, _, _| Value::Signed(head(view).vpid.into())),
    built("proc.apid", |view, argument, scratch| match argument {
        Argument::Index(0) => Value::Signed(head(view).process.tgid.into()),
        Argument::Index(index) => {
            or_missing(view.ancestor(*index), |process| Value::Signed(process.key.tgid.into()))
        }
        _ => {
            let items = view.ancestors().map(|process| Item::Signed(process.key.tgid.into()));
            any(scratch.several(Several::Any, items))
        }
    }),
    plain("proc.name", |view, _, _| some(name(view))),
    plain("proc.pname", |view, _, _| or_missing(view.ancestor(1), |process| some(&process.comm))),
    built("proc.aname", |view, argument, scratch| match argument {
        Argument::Index(0) => some(name(view)),
        Argument::Index(index) => or_missing(view.ancestor(*index), |process| some(&process.comm)),
        _ => texts(view, scratch, |process| &process.comm),
    }),
    built("proc.exec_id", |view, _, scratch| execution(view.observation.exec_id(), scratch)),
    built("proc.parent_exec_id", |view, _, scratch| execution(view.observation.parent_exec_id(), scratch)),
    built("proc.aexec_id", |view, argument, scratch| match argument {
        Argument::Index(0) => execution(view.observation.exec_id(), scratch),
        Argument::Index(index) => execution(view.ancestor(*index).and_then(Process::exec_id), scratch),
        _ => {
            let mark = scratch.mark();
            for id in view.ancestors().filter_map(Process::exec_id) {
                let span = scratch.span(|out| print(out, format_args!("{id}")));
                scratch.push(Item::Text(span));
            }
            any_since(scratch, mark)
        }
    }),
    plain("proc.exe", |view, _, _| exe(view)),
    plain("proc.pexe", |view, _, _| or_missing(view.ancestor(1), exe_of)),
    built("proc.aexe", |view, argument, scratch| match argument {
        Argument::Index(0) => exe(view),
        Argument::Index(index) => or_missing(view.ancestor(*index), exe_of),
        _ => texts(view, scratch, |process| process.argv.first().unwrap_or(&process.exe)),
    }),
    plain("proc.exepath", |view, _, _| exepath(view)),
    plain("proc.pexepath", |view, _, _| or_missing(view.ancestor(1), |process| path(&process.exe))),
    built("proc.aexepath", |view, argument, scratch| match argument {
        Argument::Index(0) => exepath(view),
        Argument::Index(index) => or_missing(view.ancestor(*index), |process| path(&process.exe)),
        _ => texts(view, scratch, |process| &process.exe),
    }),
    built("proc.args", |view, argument, scratch| {
        let Some(arguments) = arguments(view) else { return Value::Missing };
        match argument {
            Argument::Index(index) => {
                let one = usize::try_from(*index).ok().and_then(|index| arguments.get(index));
                Value::Text(one.map_or(&[], |argument| argument.as_slice()))
            }
            _ => scratch.build(|out| join(arguments, out)),
        }
    }),
    built("proc.aargs", |view, argument, scratch| match argument {
        Argument::Index(0) => or_missing(arguments(view), |all| scratch.build(|out| join(all, out))),
        Argument::Index(index) => {
            or_missing(view.ancestor(*index), |process| scratch.build(|out| join(rest(&process.argv), out)))
        }
        _ => each(view, scratch, |process, out| join(rest(&process.argv), out)),
    }),
    built("proc.env", |view, argument, scratch| {
        let Some(exec) = view.exec().filter(|exec| !exec.env.is_empty()) else { return Value::Missing };
        let Argument::Key(name) = argument else { return scratch.build(|out| join(&exec.env, out)) };
        or_missing(exec.env.iter().find_map(|one| variable(one, name)), Value::Text)
    }),
    built("proc.cmdline", |view, _, scratch| cmdline(view, scratch)),
    built("proc.pcmdline", |view, _, scratch| {
        or_missing(view.ancestor(1), |process| scratch.build(|out| line_of(process, out)))
    }),
    built("proc.acmdline", |view, argument, scratch| match argument {
        Argument::Index(0) => cmdline(view, scratch),
        Argument::Index(index) => {
            or_missing(view.ancestor(*index), |process| scratch.build(|out| line_of(process, out)))
        }
        _ => each(view, scratch, line_of),
    }),
    plain("proc.cmdnargs", |view, _, _| {
        or_missing(arguments(view), |arguments| Value::Unsigned(arguments.len() as u64))
    }),
    plain("proc.cmdlenargs", |view, _, _| {
        or_missing(arguments(view), |arguments| {
            Value::Unsigned(arguments.iter().map(|argument| argument.len() as u64).sum())
        })
    }),
    built("proc.exeline", |view, _, scratch| match (exe(view), arguments(view)) {
        (Value::Text(exe), Some(arguments)) => scratch.build(|out| line(exe, arguments, out)),
        _ => Value::Missing,
    }),
    built("proc.cwd", |view, _, scratch| {
        let cwd = match view.exec() {
            Some(exec) => Some(&exec.cwd.bytes),
            None => view.process().map(|process| &process.cwd),
        };
        or_missing(cwd.filter(|cwd| !cwd.is_empty()), |cwd| {
            scratch.build(|out| {
                out.extend_from_slice(cwd);
                if !cwd.ends_with(b"/") {
                    out.push(b'/');
                }
            })
        })
    }),
    plain("proc.loginshellid", |view, _, _| {
        let own = SHELLS.contains(&name(view)).then_some(head(view).process.tgid);
        let older = view.ancestors().filter(|process| SHELLS.contains(&process.comm.as_slice()));
        let oldest = older.last().map(|process| process.key.tgid).or(own);
        or_missing(oldest, |pid| Value::Signed(pid.into()))
    }),
    plain("proc.tty", |view, _, _| Value::Unsigned(head(view).tty.into())),
    plain("proc.duration", |view, _, _| since(view, head(view).process.start_ns)),
    plain("proc.ppid.duration", |view, _, _| since(view, head(view).parent.start_ns)),
    plain("proc.pid.ts", |view, _, _| started(view, head(view).process.start_ns)),
    plain("proc.ppid.ts", |view, _, _| started(view, head(view).parent.start_ns)),
    plain("thread.tid", |view, _, _| Value::Signed(head(view).tid.into())),
    plain("thread.ismain", |view, _, _| Value::Bool(head(view).tid == head(view).process.tgid)),
    built("thread.nametid", |view, _, scratch| {
        scratch.build(|out| {
            out.extend_from_slice(head(view).comm.as_bstr());
            print(out, format_args!(":{}", head(view).tid));
        })
    }),
];

const SHELLS: &[&[u8]] =
    &[b"ash", b"bash", b"csh", b"dash", b"fish", b"ksh", b"mksh", b"sh", b"tcsh", b"yash", b"zsh"];

pub(super) fn head<'a>(view: &View<'a>) -> &'a sentinel_event::Head {
    &view.observation.event.head
}

/// The name of the process: of its main thread, as far as that is known.
pub(super) fn name<'a>(view: &View<'a>) -> &'a [u8] {
    let head = head(view);
    match view.process() {
        Some(process) if head.tid != head.process.tgid && !process.comm.is_empty() => &process.comm,
        _ => head.comm.as_bstr(),
    }
}

/// The value, when the variable has this name.
fn variable<'a>(one: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    one.strip_prefix(name)?.strip_prefix(b"=")
}

fn argv<'a>(view: &View<'a>) -> Option<&'a [Text]> {
    match view.exec() {
        Some(exec) => Some(&exec.argv),
        None => view.process().map(|process| &*process.argv),
    }
}

fn rest(argv: &[Text]) -> &[Text] {
    argv.get(1..).unwrap_or_default()
}

/// The arguments without the first; none when the process is not known.
pub(in super::super) fn arguments<'a>(view: &View<'a>) -> Option<&'a [Text]> {
    argv(view).map(rest)
}

pub(super) fn exe<'a>(view: &View<'a>) -> Value<'a> {
    match argv(view).and_then(<[Text]>::first) {
        Some(first) if !first.is_empty() => Value::Text(first),
        _ => exepath(view),
    }
}

pub(super) fn exe_of(process: &Process) -> Value<'_> {
    match process.argv.first() {
        Some(first) if !first.is_empty() => Value::Text(first),
        _ => path(&process.exe),
    }
}

pub(super) fn exepath<'a>(view: &View<'a>) -> Value<'a> {
    match view.exec() {
        Some(exec) if !exec.exe.bytes.is_empty() => path(&exec.exe.bytes),
        _ => or_missing(view.process(), |process| path(&process.exe)),
    }
}

/// A program's path. Falco has no slash before the name of a memfd.
pub(super) fn path(path: &[u8]) -> Value<'_> {
    match path.strip_prefix(b"/") {
        Some(name) if name.starts_with(b"memfd:") => Value::Text(name),
        _ => some(path),
    }
}

pub(super) fn join(words: &[Text], out: &mut Vec<u8>) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

fn line(first: &[u8], words: &[Text], out: &mut Vec<u8>) {
    out.extend_from_slice(first);
    if !words.is_empty() {
        out.push(b' ');
        join(words, out);
    }
}

/// The command line of a process: its name and the arguments but the first.
pub(in crate::language::eval) fn line_of(process: &Process, out: &mut Vec<u8>) {
    line(&process.comm, rest(&process.argv), out);
}

fn cmdline<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    or_missing(arguments(view), |arguments| scratch.build(|out| line(name(view), arguments, out)))
}

/// No ancestor is no value.
fn any(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Several(_, span) if span.range().is_empty() => Value::Missing,
        other => other,
    }
}

fn texts<'a>(view: &View<'a>, scratch: &mut Scratch, of: fn(&Process) -> &Text) -> Value<'a> {
    any(scratch.texts(Several::Any, view.ancestors().map(|process| of(process).as_slice())))
}

fn each<'a>(view: &View<'a>, scratch: &mut Scratch, write: fn(&Process, &mut Vec<u8>)) -> Value<'a> {
    let mark = scratch.mark();
    for process in view.ancestors() {
        let span = scratch.span(|out| write(process, out));
        scratch.push(Item::Text(span));
    }
    any_since(scratch, mark)
}

fn any_since<'a>(scratch: &Scratch, mark: usize) -> Value<'a> {
    match scratch.since(mark) {
        Value::Several(_, span) => any(Value::Several(Several::Any, span)),
        other => other,
    }
}

fn execution<'a>(id: Option<ExecId>, scratch: &mut Scratch) -> Value<'a> {
    or_missing(id, |id| scratch.build(|out| print(out, format_args!("{id}"))))
}

fn since<'a>(view: &View<'a>, start_ns: u64) -> Value<'a> {
    match start_ns {
        0 => Value::Missing,
        start => Value::Unsigned(head(view).boot_ns.saturating_sub(start)),
    }
}

pub(super) fn started<'a>(view: &View<'a>, start_ns: u64) -> Value<'a> {
    match since(view, start_ns) {
        Value::Unsigned(ago) => Value::Unsigned(head(view).real_ns.saturating_sub(ago)),
        _ => Value::Missing,
    }
}

/// The process that a fork made: not the one that acts.
pub(super) fn child(view: &View<'_>) -> Option<u32> {
    match &view.observation.event.body {
        Body::Fork(fork) => Some(fork.child.tgid),
        _ => None,
    }
}
