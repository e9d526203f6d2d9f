//! Parameters that are numbers.

use sentinel_event::Body;

use super::{
    super::{Row, evt, fd, or_missing, plain, proc},
    calls,
    flags::flag_bits,
    has,
};
use crate::language::eval::{unknown, value::Value, view::View};

/// Defines the parameters that are numbers, as numbers and as text.
macro_rules! numbers {
    ($($name:literal => $get:expr,)*) => {
        pub(super) const NUMBERS: &[Row] = &[$(plain($name, |view, _, _| {
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
        Body::FileMknod(mknod) => Some(mknod.rdev.into()),
        _ => None,
    },
    "ino" => |view| match &view.observation.event.body {
        Body::FileOpen(open) if !view.observation.event.head.failed() => i64::try_from(open.ino).ok(),
        _ => None,
    },
    "tid" => |view| match &view.observation.event.body {
        Body::Signal(signal) => (signal.target_tid != 0).then(|| signal.target_tid.into()),
        _ => started(view).then(|| view.observation.event.head.tid.into()),
    },
    "pid" => |view| match &view.observation.event.body {
        Body::Ptrace(ptrace) => Some(ptrace.target_pid.into()),
        Body::Signal(signal) if signal.target_pid != 0 || signal.target_tid == 0 => {
            Some(signal.target_pid.into())
        }
        Body::ProcessVmWrite(write) => Some(write.target_pid.into()),
        Body::Exec(_) | Body::Fork(_) => Some(view.observation.event.head.process.tgid.into()),
        _ => None,
    },
    "ptid" => |view| started(view).then(|| view.observation.event.head.parent.tgid.into()),
    "tty" => |view| executed(view).then(|| view.observation.event.head.tty.into()),
    "loginuid" => |view| executed(view).then(|| match view.observation.event.head.loginuid {
        u32::MAX => -1,
        uid => uid.into(),
    }),
    "uid" => |view| calls::owner(view).or_else(|| id(view, view.observation.event.head.euid)),
    "gid" => |view| calls::group(view).or_else(|| id(view, view.observation.event.head.egid)),
    "vpid" => |view| forked(view).then(|| view.observation.event.head.vpid.into()),
    "exe_ino" => |view| view.exec().and_then(|exec| i64::try_from(exec.executable.ino).ok()),
    "request" => |view| match &view.observation.event.body {
        Body::Ptrace(ptrace) => i64::try_from(ptrace.request).ok(),
        _ => None,
    },
    "size" => |view| match &view.observation.event.body {
        Body::FileRead(io) | Body::FileWrite(io) => i64::try_from(io.bytes).ok(),
        Body::Send(message) | Body::Recv(message) => i64::try_from(message.bytes).ok(),
        _ => None,
    },
    "length" => |view| match &view.observation.event.body {
        Body::MmapExec(map) => i64::try_from(map.len).ok(),
        Body::MprotectExec(protect) => i64::try_from(protect.len).ok(),
        Body::FileTruncate(truncate) => i64::try_from(truncate.size).ok(),
        Body::ModuleLoad(module) => i64::try_from(module.size).ok().filter(|_| module.fd < 0),
        _ => None,
    },
    "prot" => |view| prot(view).map(i64::from),
    "backlog" => |view| match &view.observation.event.body {
        Body::Listen(listen) => Some(listen.backlog.into()),
        _ => None,
    },
    "ret" => |view| exit(view).map(|exit| exit.status.into()),
    "sig" => |view| match &view.observation.event.body {
        Body::Signal(signal) => Some(signal.signal.into()),
        _ => exit(view).map(|exit| exit.signal.into()),
    },
    "core" => |view| exit(view).map(|exit| exit.core_dumped.into()),
}

/// The parameter `fd`; of a call that made none the negative error number.
pub(super) fn descriptor(view: &View<'_>) -> Option<i64> {
    let number = fd::number(view).filter(|_| has(view, "fd"))?;
    Some(if number < 0 && view.observation.event.head.failed() {
        view.observation.event.head.result
    } else {
        number
    })
}

pub(super) fn executed(view: &View<'_>) -> bool {
    matches!(view.observation.event.body, Body::Exec(_))
}

pub(super) fn forked(view: &View<'_>) -> bool {
    proc::child(view).is_some()
}

pub(super) fn started(view: &View<'_>) -> bool {
    executed(view) || forked(view)
}

/// The user or group of what was started.
pub(super) fn id(view: &View<'_>, id: u32) -> Option<i64> {
    (started(view) && id != unknown::ID).then(|| id.into())
}

pub(super) fn exit<'a>(view: &View<'a>) -> Option<&'a sentinel_event::Exit> {
    match &view.observation.event.body {
        Body::Exit(exit) => Some(exit),
        _ => None,
    }
}

pub(super) fn mode(view: &View<'_>) -> Option<u32> {
    match &view.observation.event.body {
        Body::FileOpen(open) => Some(open.mode),
        Body::FileChmod(chmod) => Some(chmod.mode),
        Body::FileMkdir(mkdir) => Some(mkdir.mode),
        Body::FileMknod(mknod) => Some(mknod.mode),
        _ => None,
    }
}

pub(super) fn prot(view: &View<'_>) -> Option<u32> {
    match &view.observation.event.body {
        Body::MmapExec(map) => Some(map.prot),
        Body::MprotectExec(protect) => Some(protect.prot),
        _ => None,
    }
}
