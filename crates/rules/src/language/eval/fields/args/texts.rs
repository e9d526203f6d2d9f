//! Parameters as text.

use sentinel_event::Body;

use super::{
    super::{Get, Row, built, evt, fd, fs, or_missing, plain, proc, some},
    calls,
    flags::{flags, write_flags},
    has,
    numbers::{NUMBERS, descriptor, executed, mode, prot, started},
    row,
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

pub(super) const TEXTS: &[Row] = &[
    built("res", |view, _, scratch| match evt::result(view) {
        Some(result @ ..0) => match names::result_name(result) {
            Some(name) => Value::Text(name.as_bytes()),
            None => decimal(Some(result), scratch),
        },
        result => decimal(result.filter(|_| has(view, "res")), scratch),
    }),
    built("fd", |view, _, scratch| {
        let Some(number) = descriptor(view) else { return Value::Missing };
        if number < 0 {
            return match names::result_name(number) {
                Some(name) => Value::Text(name.as_bytes()),
                None => decimal(Some(number), scratch),
            };
        }
        let Some((_, letter)) = fd::sort(view) else { return decimal(Some(number), scratch) };
        let name = fd::name(view, scratch);
        let start = scratch.bytes.len();
        print(&mut scratch.bytes, format_args!("<{letter}>"));
        scratch.append(name);
        scratch.tail(start)
    }),
    plain("name", |view, _, _| match &view.observation.event.body {
        Body::FileOpen(_) => fs::name(view),
        Body::FileUnlink(_) | Body::FileRmdir(_) if view.call.name == "unlinkat" => fs::name(view),
        Body::Umount(_) => fs::name(view),
        Body::MemfdCreate(memfd) => Value::Text(&memfd.name),
        _ => Value::Missing,
    }),
    plain("path", |view, _, _| match &view.observation.event.body {
        Body::FileUnlink(_) | Body::FileRmdir(_) if view.call.name != "unlinkat" => fs::name(view),
        Body::FileMkdir(_) | Body::FileMknod(_) | Body::Chroot(_) => fs::name(view),
        Body::FileTruncate(truncate) if truncate.file.fd < 0 => fs::name(view),
        Body::FileChown(_) if matches!(view.call.name, "chown" | "lchown") => fs::name(view),
        _ => Value::Missing,
    }),
    plain("oldpath", |view, _, _| fs::sides(view).map_or(Value::Missing, |(from, _)| fs::path(view, from))),
    plain("newpath", |view, _, _| fs::sides(view).map_or(Value::Missing, |(_, to)| fs::path(view, to))),
    plain("filename", |view, _, _| match &view.observation.event.body {
        Body::Exec(exec) if view.call.name == "execve" => some(&exec.filename),
        Body::FileChmod(chmod) if chmod.file.fd < 0 => fs::name(view),
        _ => Value::Missing,
    }),
    built("flags", |view, _, scratch| flags(view, scratch)),
    built("mode", |view, _, scratch| {
        or_missing(mode(view), |mode| scratch.build(|out| write_flags(mode.into(), names::MODE, out)))
    }),
    built("prot", |view, _, scratch| {
        or_missing(prot(view), |prot| scratch.build(|out| write_flags(prot.into(), names::PROT, out)))
    }),
    built("request", |view, _, scratch| match &view.observation.event.body {
        Body::Ptrace(ptrace) => match names::ptrace_request(ptrace.request) {
            Some(name) => Value::Text(name.as_bytes()),
            None => scratch.build(|out| print(out, format_args!("{}", ptrace.request))),
        },
        _ => Value::Missing,
    }),
    plain("exe", |view, _, _| if started(view) { proc::exe(view) } else { Value::Missing }),
    built("args", |view, _, scratch| {
        or_missing(proc::arguments(view).filter(|_| started(view)), |arguments| {
            scratch.build(|out| proc::join(arguments, out))
        })
    }),
    plain("comm", |view, _, _| if started(view) { some(proc::name(view)) } else { Value::Missing }),
    plain("cwd", |view, _, _| or_missing(view.exec(), |exec| some(&exec.cwd.bytes))),
    plain("trusted_exepath", |view, _, _| if executed(view) { proc::exepath(view) } else { Value::Missing }),
    built("uid", |view, _, scratch| calls::user_name(NUMBERS, "uid", view, scratch)),
    built("tuple", |view, _, scratch| match &view.observation.event.body {
        Body::Connect(_) | Body::Accept(_) | Body::Send(_) | Body::Recv(_) => fd::name(view, scratch),
        _ => Value::Missing,
    }),
    built("addr", |view, _, scratch| match (&view.observation.event.body, view.net()) {
        (Body::Connect(_) | Body::Bind(_), Some(net)) if !net.server.path.is_empty() => {
            Value::Text(&net.server.path)
        }
        (Body::Connect(_) | Body::Bind(_), Some(net)) => {
            scratch.build(|out| fd::write_end(&net, net.server, out))
        }
        (Body::MmapExec(map), _) => scratch.build(|out| print(out, format_args!("{:X}", map.addr))),
        (Body::MprotectExec(protect), _) => {
            scratch.build(|out| print(out, format_args!("{:X}", protect.addr)))
        }
        _ => Value::Missing,
    }),
    built("dev", |view, _, scratch| match &view.observation.event.body {
        Body::Mount(mount) => fs::path(view, &mount.source),
        _ => numbered(view, "dev", scratch),
    }),
    built("ino", |view, _, scratch| numbered(view, "ino", scratch)),
    built("tid", |view, _, scratch| numbered(view, "tid", scratch)),
    built("pid", |view, _, scratch| numbered(view, "pid", scratch)),
    built("ptid", |view, _, scratch| numbered(view, "ptid", scratch)),
    built("tty", |view, _, scratch| numbered(view, "tty", scratch)),
    built("loginuid", |view, _, scratch| numbered(view, "loginuid", scratch)),
    built("gid", |view, _, scratch| numbered(view, "gid", scratch)),
    built("vpid", |view, _, scratch| numbered(view, "vpid", scratch)),
    built("exe_ino", |view, _, scratch| numbered(view, "exe_ino", scratch)),
    built("size", |view, _, scratch| numbered(view, "size", scratch)),
    built("length", |view, _, scratch| numbered(view, "length", scratch)),
    built("backlog", |view, _, scratch| numbered(view, "backlog", scratch)),
    built("ret", |view, _, scratch| numbered(view, "ret", scratch)),
    built("sig", |view, _, scratch| numbered(view, "sig", scratch)),
    built("core", |view, _, scratch| numbered(view, "core", scratch)),
];

pub(super) fn decimal<'a>(number: Option<i64>, scratch: &mut Scratch) -> Value<'a> {
    or_missing(number, |number| scratch.build(|out| print(out, format_args!("{number}"))))
}

fn numbered<'a>(view: &View<'a>, name: &str, scratch: &mut Scratch) -> Value<'a> {
    let get: Option<Get> = row(NUMBERS, name.as_bytes()).map(|row| row.get);
    match get.map(|get| get(view, &Argument::None, scratch)) {
        Some(Value::Signed(number)) => decimal(Some(number), scratch),
        _ => Value::Missing,
    }
}
