//! `evt.arg.*`: the parameters of an event, as text or as numbers.

use sentinel_event::Body;

use super::{Get, Row, built, evt, fd, fs, or_missing, plain, proc};
use crate::language::{
    Argument,
    eval::{
        json::print,
        names::{self, Flags},
        value::{Scratch, Value},
        view::View,
    },
    evtnames::EVENTS,
};

/// How `evt.arg` is computed with this argument; none when no event fills the parameter.
pub(super) fn text(argument: &Argument) -> Option<Row> {
    match argument {
        Argument::Key(name) => row(TEXTS, name),
        Argument::Index(_) => Some(built("evt.arg", positional)),
        Argument::None => None,
    }
}

/// The same for `evt.rawarg`.
pub(super) fn raw(argument: &Argument) -> Option<Row> {
    match argument {
        Argument::Key(name) => {
            row(NUMBERS, name).or_else(|| row(TEXTS, name).filter(|row| is_text(row.name)))
        }
        Argument::Index(_) => Some(built("evt.rawarg", positional)),
        Argument::None => None,
    }
}

fn is_text(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "path"
            | "filename"
            | "oldpath"
            | "newpath"
            | "exe"
            | "args"
            | "comm"
            | "cwd"
            | "tuple"
            | "trusted_exepath"
    )
}

fn row(rows: &[Row], name: &[u8]) -> Option<Row> {
    rows.iter().find(|row| row.name.as_bytes() == name).copied()
}

/// The names of an event's parameters, in order.
fn parameters(call: &str) -> impl Iterator<Item = &'static str> {
    let found = EVENTS.binary_search_by_key(&call, |event| event.name).ok().and_then(|at| EVENTS.get(at));
    found.map_or("", |event| event.parameters).split_ascii_whitespace()
}

fn positional<'a>(view: &View<'a>, argument: &Argument, scratch: &mut Scratch) -> Value<'a> {
    let Argument::Index(index) = argument else { return Value::Missing };
    let name = usize::try_from(*index).ok().and_then(|index| parameters(view.call.name).nth(index));
    match name.and_then(|name| row(TEXTS, name.as_bytes())) {
        Some(row) => (row.get)(view, argument, scratch),
        None => Value::Missing,
    }
}

/// `name=value` of every parameter that has a value.
pub(super) fn all<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    // First every value, then the text: what values are built of must not come in between.
    let mut values = [Value::Missing; 32];
    for (slot, name) in values.iter_mut().zip(parameters(view.call.name)) {
        if let Some(row) = row(TEXTS, name.as_bytes()) {
            *slot = (row.get)(view, &Argument::None, scratch);
        }
    }
    let start = scratch.bytes.len();
    for (value, name) in values.into_iter().zip(parameters(view.call.name)) {
        if matches!(value, Value::Missing) {
            continue;
        }
        if scratch.bytes.len() > start {
            scratch.bytes.push(b' ');
        }
        print(&mut scratch.bytes, format_args!("{name}="));
        scratch.append(value);
    }
    scratch.tail(start)
}

/// Defines the parameters that are numbers, as numbers and as text.
macro_rules! numbers {
    ($($name:literal => $get:expr,)*) => {
        const NUMBERS: &[Row] = &[$(plain($name, |view, _, _| {
            let get: fn(&View<'_>) -> Option<i64> = $get;
            or_missing(get(view), Value::Signed)
        }),)*];
    };
}

numbers! {
    "res" => evt::result,
    "fd" => descriptor,
    "flags" => |view| flag_bits(view).map(|(bits, _)| bits),
    "mode" => |view| mode(view).map(i64::from),
    "dev" => |view| match &view.observation.event.body {
        Body::FileOpen(open) if !view.observation.event.head.failed() => Some(open.dev.into()),
        _ => None,
    },
    "ino" => |view| match &view.observation.event.body {
        Body::FileOpen(open) if !view.observation.event.head.failed() => i64::try_from(open.ino).ok(),
        _ => None,
    },
    "tid" => |view| started(view).then(|| view.observation.event.head.tid.into()),
    "pid" => |view| match &view.observation.event.body {
        Body::Ptrace(ptrace) => Some(ptrace.target_pid.into()),
        Body::Exec(_) | Body::Fork(_) => Some(view.observation.event.head.process.tgid.into()),
        _ => None,
    },
    "ptid" => |view| started(view).then(|| view.observation.event.head.parent.tgid.into()),
    "tty" => |view| executed(view).then(|| view.observation.event.head.tty.into()),
    "loginuid" => |view| executed(view).then(|| match view.observation.event.head.loginuid {
        u32::MAX => -1,
        uid => uid.into(),
    }),
    "uid" => |view| started(view).then(|| view.observation.event.head.euid.into()),
    "gid" => |view| started(view).then(|| view.observation.event.head.egid.into()),
    "vpid" => |view| forked(view).then(|| view.observation.event.head.vpid.into()),
    "exe_ino" => |view| view.exec().and_then(|exec| i64::try_from(exec.exe_ino).ok()),
    "request" => |view| match &view.observation.event.body {
        Body::Ptrace(ptrace) => i64::try_from(ptrace.request).ok(),
        _ => None,
    },
    "size" => |view| match &view.observation.event.body {
        Body::FileRead(io) | Body::FileWrite(io) => i64::try_from(io.bytes).ok(),
        _ => None,
    },
    "length" => |view| match &view.observation.event.body {
        Body::MmapExec(map) => i64::try_from(map.len).ok(),
        Body::MprotectExec(protect) => i64::try_from(protect.len).ok(),
        _ => None,
    },
    "prot" => |view| prot(view).map(i64::from),
    "backlog" => |view| match &view.observation.event.body {
        Body::Listen(listen) => Some(listen.backlog.into()),
        _ => None,
    },
    "ret" => |view| exit(view).map(|exit| exit.status.into()),
    "sig" => |view| exit(view).map(|exit| exit.signal.into()),
    "core" => |view| exit(view).map(|exit| exit.core_dumped.into()),
}

const TEXTS: &[Row] = &[
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
        Body::FileUnlink(_) if view.call.name == "unlinkat" => fs::name(view),
        Body::MemfdCreate(memfd) => Value::Text(&memfd.name),
        _ => Value::Missing,
    }),
    plain("path", |view, _, _| match &view.observation.event.body {
        Body::FileUnlink(_) if view.call.name != "unlinkat" => fs::name(view),
        _ => Value::Missing,
    }),
    plain("oldpath", |view, _, _| fs::sides(view).map_or(Value::Missing, |(from, _)| fs::path(from))),
    plain("newpath", |view, _, _| fs::sides(view).map_or(Value::Missing, |(_, to)| fs::path(to))),
    plain("filename", |view, _, _| match &view.observation.event.body {
        Body::Exec(exec) if view.call.name == "execve" => super::some(&exec.filename),
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
    plain("comm", |view, _, _| if started(view) { super::some(proc::name(view)) } else { Value::Missing }),
    plain("cwd", |view, _, _| or_missing(view.exec(), |exec| super::some(&exec.cwd.bytes))),
    plain("trusted_exepath", |view, _, _| if executed(view) { proc::exepath(view) } else { Value::Missing }),
    built("uid", |view, _, scratch| match view.observation.event.head.euid {
        _ if !started(view) => Value::Missing,
        0 => Value::Text(b"root"),
        uid => decimal(Some(uid.into()), scratch),
    }),
    built("tuple", |view, _, scratch| match &view.observation.event.body {
        Body::Connect(_) | Body::Accept(_) => fd::name(view, scratch),
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
    built("dev", |view, _, scratch| numbered(view, "dev", scratch)),
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

/// The parameter `fd`; of a call that made none the negative error number.
fn descriptor(view: &View<'_>) -> Option<i64> {
    let number = fd::number(view).filter(|_| has(view, "fd"))?;
    Some(if number < 0 && view.observation.event.head.failed() {
        view.observation.event.head.result
    } else {
        number
    })
}

fn has(view: &View<'_>, name: &str) -> bool {
    parameters(view.call.name).any(|parameter| parameter == name)
}

fn executed(view: &View<'_>) -> bool {
    matches!(view.observation.event.body, Body::Exec(_))
}

fn forked(view: &View<'_>) -> bool {
    proc::child(view).is_some()
}

fn started(view: &View<'_>) -> bool {
    executed(view) || forked(view)
}

fn exit<'a>(view: &View<'a>) -> Option<&'a sentinel_event::Exit> {
    match &view.observation.event.body {
        Body::Exit(exit) => Some(exit),
        _ => None,
    }
}

fn mode(view: &View<'_>) -> Option<u32> {
    match &view.observation.event.body {
        Body::FileOpen(open) => Some(open.mode),
        _ => None,
    }
}

fn prot(view: &View<'_>) -> Option<u32> {
    match &view.observation.event.body {
        Body::MmapExec(map) => Some(map.prot),
        Body::MprotectExec(protect) => Some(protect.prot),
        _ => None,
    }
}

fn decimal<'a>(number: Option<i64>, scratch: &mut Scratch) -> Value<'a> {
    or_missing(number, |number| scratch.build(|out| print(out, format_args!("{number}"))))
}

fn numbered<'a>(view: &View<'a>, name: &str, scratch: &mut Scratch) -> Value<'a> {
    let get: Option<Get> = row(NUMBERS, name.as_bytes()).map(|row| row.get);
    match get.map(|get| get(view, &Argument::None, scratch)) {
        Some(Value::Signed(number)) => decimal(Some(number), scratch),
        _ => Value::Missing,
    }
}

fn flag_bits(view: &View<'_>) -> Option<(i64, Flags)> {
    let (bits, names) = match &view.observation.event.body {
        Body::FileOpen(open) if view.call.name != "creat" => (open.flags, names::OPEN),
        Body::MemfdCreate(memfd) => (memfd.flags, names::MEMFD),
        Body::MmapExec(map) => (map.flags, names::MAP),
        Body::FileRename(rename) if view.call.name == "renameat2" => (rename.flags, names::RENAME),
        Body::FileUnlink(unlink) if view.call.name == "unlinkat" => {
            return Some((if unlink.directory { libc::AT_REMOVEDIR.into() } else { 0 }, REMOVE));
        }
        _ => return None,
    };
    Some((bits.into(), names))
}

const REMOVE: Flags = &[(0x200, "AT_REMOVEDIR")];

fn flags<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    match &view.observation.event.body {
        Body::Exec(_) => {
            let Some(exec) = view.exec() else { return Value::Missing };
            Value::Text(match (exec.exe_upper_layer, exec.exe_memfd) {
                (true, true) => b"EXE_UPPER_LAYER|EXE_FROM_MEMFD",
                (true, false) => b"EXE_UPPER_LAYER",
                (false, true) => b"EXE_FROM_MEMFD",
                (false, false) => b"0",
            })
        }
        Body::FileOpen(open) if view.call.name != "creat" => scratch.build(|out| {
            let start = out.len();
            let mode = libc::O_ACCMODE.cast_unsigned();
            let left = named_flags((open.flags & !mode).into(), names::OPEN, start, out);
            bar(start, out);
            out.extend_from_slice(match (open.flags & mode).cast_signed() {
                libc::O_RDONLY => b"O_RDONLY",
                libc::O_WRONLY => b"O_WRONLY",
                libc::O_RDWR => b"O_RDWR",
                _ => b"O_ACCMODE",
            });
            named_flags(left, names::OPEN_REST, start, out);
            if open.created {
                out.extend_from_slice(b"|O_F_CREATED");
            }
        }),
        _ => or_missing(flag_bits(view), |(bits, names)| {
            scratch.build(|out| write_flags(bits.cast_unsigned(), names, out))
        }),
    }
}

fn bar(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b'|');
    }
}

/// Names of set bits; the bits that have none.
fn named_flags(bits: u64, names: Flags, start: usize, out: &mut Vec<u8>) -> u64 {
    let mut left = bits;
    for (bit, name) in names {
        if *bit != 0 && left & bit == *bit {
            left &= !bit;
            bar(start, out);
            out.extend_from_slice(name.as_bytes());
        }
    }
    left
}

fn write_flags(bits: u64, names: Flags, out: &mut Vec<u8>) {
    let start = out.len();
    let left = named_flags(bits, names, start, out);
    if left != 0 {
        bar(start, out);
        print(out, format_args!("{left:#x}"));
    } else if out.len() == start {
        out.push(b'0');
    }
}
