//! `evt.*`: the event itself.

use sentinel_event::{Body, Kind};

use super::{Row, args, built, fs, or_missing, plain};
use crate::language::{
    Argument,
    eval::{
        json::print,
        names,
        time::{self, Form},
        value::{Scratch, Value},
        view::View,
    },
};

const SECOND: u64 = 1_000_000_000; // nanoseconds
const MILLISECOND: u64 = 1_000_000;

pub(super) const FIELDS: &[Row] = &[
    plain("evt.num", |view, _, _| Value::Unsigned(view.number)),
    built("evt.time", |view, _, scratch| local(view, scratch, Form::Clock, true)),
    built("evt.time.s", |view, _, scratch| local(view, scratch, Form::Clock, false)),
    built("evt.time.iso8601", |view, _, scratch| {
        scratch.build(|out| {
            time::write(real(view), 0, Form::Iso, true, out);
            out.extend_from_slice(b"+0000");
        })
    }),
    built("evt.datetime", |view, _, scratch| local(view, scratch, Form::Plain, true)),
    built("evt.datetime.s", |view, _, scratch| local(view, scratch, Form::Plain, false)),
    plain("evt.rawtime", |view, _, _| Value::Unsigned(real(view))),
    plain("evt.rawtime.s", |view, _, _| Value::Unsigned(real(view) / SECOND)),
    plain("evt.rawtime.ns", |view, _, _| Value::Unsigned(real(view) % SECOND)),
    plain("evt.reltime", |view, _, _| Value::Unsigned(view.relative_ns)),
    plain("evt.reltime.s", |view, _, _| Value::Unsigned(view.relative_ns / SECOND)),
    plain("evt.reltime.ns", |view, _, _| Value::Unsigned(view.relative_ns % SECOND)),
    plain("evt.deltatime", |view, _, _| Value::Unsigned(view.delta_ns)),
    plain("evt.deltatime.s", |view, _, _| Value::Unsigned(view.delta_ns / SECOND)),
    plain("evt.deltatime.ns", |view, _, _| Value::Unsigned(view.delta_ns % SECOND)),
    plain("evt.latency", |_, _, _| Value::Unsigned(0)),
    plain("evt.latency.s", |_, _, _| Value::Unsigned(0)),
    plain("evt.latency.ns", |_, _, _| Value::Unsigned(0)),
    plain("evt.latency.quantized", |_, _, _| Value::Unsigned(0)),
    plain("evt.latency.human", |_, _, _| Value::Text(b"0")),
    plain("evt.wait_latency", |_, _, _| Value::Unsigned(0)),
    plain("evt.dir", |_, _, _| Value::Text(b"<")),
    plain("evt.source", |_, _, _| Value::Text(b"syscall")),
    plain("evt.hostname", |view, _, _| super::some(view.node.hostname.as_bytes())),
    plain("evt.is_async", |_, _, _| Value::Bool(false)),
    plain("evt.type", |view, _, _| Value::Text(view.call.name.as_bytes())),
    plain("evt.type.is", |view, argument, _| match argument {
        Argument::Key(name) => Value::Unsigned((name == view.call.name).into()),
        _ => Value::Missing,
    }),
    plain("syscall.type", |view, _, _| match view.observation.event.kind() {
        Kind::Exit | Kind::Loss => Value::Missing,
        _ => Value::Text(view.call.name.as_bytes()),
    }),
    plain("evt.category", |view, _, _| Value::Text(category(view.observation.event.kind()).as_bytes())),
    built("evt.args", |view, _, scratch| args::all(view, scratch)),
    built("evt.info", |view, _, scratch| args::all(view, scratch)),
    // Which parameter is meant decides: see `args`.
    plain("evt.arg", |_, _, _| Value::Missing),
    plain("evt.rawarg", |_, _, _| Value::Missing),
    plain("evt.buffer", |view, _, _| match &view.observation.event.body {
        Body::FileRead(io) | Body::FileWrite(io) => super::some(&io.data),
        Body::Send(message) | Body::Recv(message) => super::some(&message.data),
        _ => Value::Missing,
    }),
    plain("evt.buflen", |view, _, _| match &view.observation.event.body {
        Body::FileRead(io) | Body::FileWrite(io) => Value::Unsigned(io.bytes),
        Body::Send(message) | Body::Recv(message) => Value::Unsigned(message.bytes),
        _ => Value::Missing,
    }),
    built("evt.res", |view, _, scratch| match result(view) {
        None => Value::Missing,
        Some(result) => match names::result_name(result) {
            Some(name) => Value::Text(name.as_bytes()),
            None => scratch.build(|out| print(out, format_args!("{}", result.unsigned_abs()))),
        },
    }),
    plain("evt.rawres", |view, _, _| or_missing(result(view), Value::Signed)),
    plain("evt.failed", |view, _, _| or_missing(result(view), |result| Value::Bool(result < 0))),
    plain("evt.is_io", |view, _, _| Value::Bool(reads(view) || writes(view))),
    plain("evt.is_io_read", |view, _, _| Value::Bool(reads(view))),
    plain("evt.is_io_write", |view, _, _| Value::Bool(writes(view))),
    plain("evt.io_dir", |view, _, _| match () {
        () if reads(view) => Value::Text(b"read"),
        () if writes(view) => Value::Text(b"write"),
        () => Value::Missing,
    }),
    plain("evt.is_wait", |_, _, _| Value::Bool(false)),
    plain("evt.is_syslog", |view, _, _| {
        let log = view.file() == Some(b"/dev/log");
        Value::Bool(log && matches!(view.observation.event.body, Body::FileWrite(_)))
    }),
    plain("evt.is_open_read", |view, _, _| Value::Bool(opened(view, &[libc::O_RDONLY, libc::O_RDWR]))),
    plain("evt.is_open_write", |view, _, _| Value::Bool(opened(view, &[libc::O_WRONLY, libc::O_RDWR]))),
    plain("evt.is_open_exec", |view, _, _| match &view.observation.event.body {
        Body::FileOpen(open) => {
            // O_TMPFILE is several bits, one of them O_DIRECTORY.
            let tmpfile = libc::O_TMPFILE.cast_unsigned();
            let creates = open.flags & libc::O_CREAT.cast_unsigned() != 0
                || open.flags & tmpfile == tmpfile
                || view.call.name == "creat";
            Value::Bool(creates && open.mode & 0o111 != 0)
        }
        _ => Value::Bool(false),
    }),
    plain("evt.is_open_create", |view, _, _| {
        Value::Bool(matches!(&view.observation.event.body, Body::FileOpen(open) if open.created))
    }),
    plain("evt.count", |_, _, _| Value::Unsigned(1)),
    plain("evt.count.error", |view, _, _| Value::Unsigned(failed(view).into())),
    plain("evt.count.error.file", |view, _, _| error(view, "file")),
    plain("evt.count.error.net", |view, _, _| error(view, "net")),
    plain("evt.count.error.memory", |view, _, _| error(view, "memory")),
    plain("evt.count.error.other", |view, _, _| {
        let kind = category(view.observation.event.kind());
        Value::Unsigned((failed(view) && !matches!(kind, "file" | "net" | "memory")).into())
    }),
    plain("evt.count.exit", |_, _, _| Value::Unsigned(1)),
    plain("evt.around", |view, argument, _| match argument {
        // In whole milliseconds, rounded up: no more than so many are as many as that, or fewer.
        Argument::Index(at) => Value::Unsigned(real(view).abs_diff(*at).div_ceil(MILLISECOND)),
        _ => Value::Missing,
    }),
    plain("evt.abspath", |view, argument, _| match (argument, fs::sides(view)) {
        (Argument::Key(key), Some((from, _))) if *key == "src" => fs::path(view, from),
        (Argument::Key(key), Some((_, to))) if *key == "dst" => fs::path(view, to),
        (Argument::None, _) => fs::name(view),
        _ => Value::Missing,
    }),
];

fn reads(view: &View<'_>) -> bool {
    matches!(view.observation.event.body, Body::FileRead(_) | Body::Recv(_))
}

fn writes(view: &View<'_>) -> bool {
    matches!(view.observation.event.body, Body::FileWrite(_) | Body::Send(_))
}

fn real(view: &View<'_>) -> u64 {
    view.observation.event.head.real_ns
}

fn local<'a>(view: &View<'a>, scratch: &mut Scratch, form: Form, fraction: bool) -> Value<'a> {
    scratch.build(|out| time::write(real(view), view.node.utc_offset_s, form, fraction, out))
}

/// What the call returned; none where there is no call.
pub(super) fn result(view: &View<'_>) -> Option<i64> {
    let head = &view.observation.event.head;
    match &view.observation.event.body {
        Body::Exit(_) | Body::Loss(_) => None,
        Body::Fork(fork) if head.result == 0 => Some(fork.child.tgid.into()),
        _ => Some(head.result),
    }
}

fn failed(view: &View<'_>) -> bool {
    result(view).is_some_and(|result| result < 0)
}

fn error<'a>(view: &View<'a>, of: &str) -> Value<'a> {
    Value::Unsigned((failed(view) && category(view.observation.event.kind()) == of).into())
}

/// Opened by a call that takes flags, in one of these modes.
fn opened(view: &View<'_>, modes: &[i32]) -> bool {
    match &view.observation.event.body {
        Body::FileOpen(open) if view.call.name != "creat" => {
            let mode = open.flags & libc::O_ACCMODE.cast_unsigned();
            modes.iter().any(|known| known.cast_unsigned() == mode)
        }
        _ => false,
    }
}

const fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Exec
        | Kind::Fork
        | Kind::Exit
        | Kind::Ptrace
        | Kind::Prctl
        | Kind::Setns
        | Kind::Unshare
        | Kind::ProcessVmWrite => "process",
        Kind::FileOpen
        | Kind::FileClose
        | Kind::FileUnlink
        | Kind::FileRename
        | Kind::FileLink
        | Kind::FileSymlink
        | Kind::FileMkdir
        | Kind::FileRmdir
        | Kind::FileChmod
        | Kind::FileChown
        | Kind::FileTruncate
        | Kind::FileMknod
        | Kind::Mount
        | Kind::Umount
        | Kind::Chroot => "file",
        Kind::FileRead => "io-read",
        Kind::FileWrite => "io-write",
        Kind::Recv => "io-read",
        Kind::Send => "io-write",
        Kind::Connect | Kind::Accept | Kind::Bind | Kind::Listen | Kind::Socket | Kind::Dns => "net",
        Kind::MemfdCreate | Kind::MmapExec | Kind::MprotectExec => "memory",
        Kind::Setuid | Kind::Capset => "user",
        Kind::Signal => "signal",
        Kind::Dup | Kind::IoUringSetup | Kind::Userfaultfd => "IPC",
        Kind::Bpf | Kind::ModuleLoad => "system",
        Kind::Syscall => "other",
        Kind::Loss => "internal",
    }
}
