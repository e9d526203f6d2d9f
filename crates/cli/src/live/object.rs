//! What an event was done to, in words.

mod deed;

use std::fmt::Write as _;

use bstr::{BStr, ByteSlice as _};
use nix::sys::signal::Signal;
use sentinel_event::{
    Body, Endpoint, Exec, Exit, FileOpen, Kind, MmapExec, Observation, Path, PathFlags, Socket, Source, Text,
    UserPath,
};
use sentinel_wire::Value;

use crate::live::line::Style;
use crate::live::visible::{cut, quoted};

/// Columns that a process name may take: 15 bytes, each perhaps shown as `\xff`, must not push out the rest.
const NAME_MAX: usize = 24;

/// Object and details of an event.
pub(crate) fn object(observation: &Observation) -> (String, String) {
    match &observation.event.body {
        Body::Exec(exec) => (command(exec, observation.event.head.failed()), exec_details(exec)),
        Body::Fork(fork) => (format!("→ [{}]", fork.child.tgid), String::new()),
        Body::Exit(exit) => (end(exit), String::new()),
        Body::FileOpen(open) => (opened(open), open_details(open)),
        Body::FileRead(io) | Body::FileWrite(io) => (path(&io.path), transfer(io.bytes, io.calls)),
        Body::FileClose(close) => {
            (path(&close.path), format!("wrote {}", transfer(close.bytes, close.calls)))
        }
        Body::FileUnlink(unlink) => (user_path(&unlink.target), String::new()),
        Body::FileRename(rename) => {
            (format!("{} → {}", user_path(&rename.from), user_path(&rename.to)), String::new())
        }
        Body::Connect(connect) => (socket(&connect.socket, &connect.socket.peer), String::new()),
        Body::Accept(accept) => (socket(&accept.socket, &accept.socket.peer), String::new()),
        Body::Bind(bind) => (socket(&bind.socket, &bind.socket.local), String::new()),
        Body::Listen(listen) => {
            (socket(&listen.socket, &listen.socket.local), format!("backlog {}", listen.backlog))
        }
        Body::Ptrace(ptrace) => {
            let request = fact(observation, "request").unwrap_or_else(|| ptrace.request.to_string());
            let target = Some(ptrace.target_pid).filter(|pid| *pid != 0).map(|pid| format!(" → [{pid}]"));
            (request + &target.unwrap_or_default(), String::new())
        }
        Body::MemfdCreate(memfd) => (quoted(&memfd.name), String::new()),
        Body::MmapExec(mmap) => (mapped(mmap), format!("{} {}", protection(mmap.prot), bytes(mmap.len))),
        Body::MprotectExec(mprotect) => (
            format!("{:#x}", mprotect.addr),
            format!("{} {}", protection(mprotect.prot), bytes(mprotect.len)),
        ),
        Body::Dup(_)
        | Body::Socket(_)
        | Body::Send(_)
        | Body::Recv(_)
        | Body::Dns(_)
        | Body::Setuid(_)
        | Body::Capset(_)
        | Body::Prctl(_)
        | Body::Signal(_)
        | Body::FileLink(_)
        | Body::FileSymlink(_)
        | Body::FileMkdir(_)
        | Body::FileRmdir(_)
        | Body::FileChmod(_)
        | Body::FileChown(_)
        | Body::FileTruncate(_)
        | Body::FileMknod(_)
        | Body::Mount(_)
        | Body::Umount(_)
        | Body::Chroot(_)
        | Body::Setns(_)
        | Body::Unshare(_)
        | Body::Bpf(_)
        | Body::ModuleLoad(_)
        | Body::Userfaultfd(_)
        | Body::IoUringSetup(_)
        | Body::ProcessVmWrite(_)
        | Body::Syscall(_) => deed::object(observation),
        Body::Loss(loss) => {
            let kind = loss.kind.map_or("event", Kind::name);
            (format!("{} {kind} lost at {}: {}", loss.count, loss.stage, loss.cause), String::new())
        }
    }
}

/// The colour of a kind.
pub(crate) fn style(kind: Kind) -> Style {
    match kind {
        Kind::Exec | Kind::Fork | Kind::Exit => Style::Process,
        Kind::FileOpen
        | Kind::FileRead
        | Kind::FileWrite
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
        | Kind::Dup => Style::File,
        Kind::Connect
        | Kind::Accept
        | Kind::Bind
        | Kind::Listen
        | Kind::Socket
        | Kind::Send
        | Kind::Recv
        | Kind::Dns => Style::Net,
        Kind::Ptrace
        | Kind::MemfdCreate
        | Kind::MmapExec
        | Kind::MprotectExec
        | Kind::Userfaultfd
        | Kind::IoUringSetup
        | Kind::ProcessVmWrite => Style::Memory,
        Kind::Setuid
        | Kind::Capset
        | Kind::Prctl
        | Kind::Signal
        | Kind::Mount
        | Kind::Umount
        | Kind::Chroot
        | Kind::Setns
        | Kind::Unshare
        | Kind::Bpf
        | Kind::ModuleLoad
        | Kind::Syscall => Style::Process,
        Kind::Loss => Style::Alarm,
    }
}

/// The name of the error of a failed call.
pub(crate) fn error(observation: &Observation) -> Option<String> {
    let head = &observation.event.head;
    head.failed().then(|| match fact(observation, "evt.res") {
        Some(name) if name != "UNKNOWN" => name,
        _ => format!("error {}", head.result.unsigned_abs()),
    })
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (u128::from(count) * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).unwrap_or(&"");
    if tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", tenths / 10)
    }
}

/// `4.0 KiB in 3 calls`.
pub(crate) fn transfer(count: u64, calls: u64) -> String {
    format!("{} in {calls} {}", bytes(count), if calls == 1 { "call" } else { "calls" })
}

/// A path and what is special about it.
pub(crate) fn path(path: &Path) -> String {
    let mut shown = if path.bytes.is_empty() { "(unknown)".to_owned() } else { quoted(&path.bytes) };
    // Every file of a program with threads is shared; saying so each time tells nothing.
    let special: Vec<_> = path.flags.names().filter(|name| !is_shared(name)).collect();
    if !special.is_empty() {
        let _ = write!(shown, " [{}]", special.join(","));
    }
    shown
}

fn is_shared(name: &str) -> bool {
    PathFlags::SHARED.names().any(|shared| shared == name)
}

fn fact(observation: &Observation, key: &str) -> Option<String> {
    let mut found = None;
    sentinel_wire::facts(observation, 0, &mut |fact, value| {
        if fact.key == key {
            found = match value {
                Value::Name(name) => Some(name.to_owned()),
                Value::U64(number) => Some(number.to_string()),
                _ => None,
            };
        }
    });
    found
}

fn command(exec: &Exec, failed: bool) -> String {
    if failed {
        return quoted(&exec.filename);
    }
    let mut shown = quoted(&exec.exe.bytes);
    let name = |path: &BStr| path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_owned();
    match exec.argv.first() {
        Some(first) if name(first.as_bstr()) != name(exec.exe.bytes.as_bstr()) => {
            let _ = write!(shown, " (as {})", quoted(first));
        }
        Some(_) => {}
        None => shown.push_str(" (no arguments)"),
    }
    for argument in exec.argv.iter().skip(1) {
        let _ = write!(shown, " {}", quoted(argument));
    }
    if exec.argv_truncated {
        shown.push_str(" …");
    }
    shown
}

fn exec_details(exec: &Exec) -> String {
    let marks = [(exec.executable.memfd, "no file"), (exec.executable.upper_layer, "not in image")];
    let marks: Vec<_> = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
    if marks.is_empty() { String::new() } else { format!("[{}]", marks.join(",")) }
}

fn end(exit: &Exit) -> String {
    let core = if exit.core_dumped { " (core dumped)" } else { "" };
    if exit.signal == 0 {
        return format!("status {}", exit.status);
    }
    let signal = i32::try_from(exit.signal).ok().and_then(|number| Signal::try_from(number).ok());
    signal.map_or_else(|| format!("signal {}{core}", exit.signal), |signal| format!("{signal}{core}"))
}

fn opened(open: &FileOpen) -> String {
    if open.path.bytes.is_empty() { user_path(&open.asked) } else { path(&open.path) }
}

/// How it was opened; nothing for plain reading.
fn open_details(open: &FileOpen) -> String {
    let access = match open.flags & 3 {
        1 => "write",
        2 => "read+write",
        _ => "",
    };
    match (access, open.created) {
        ("", true) => "created".to_owned(),
        (access, true) => format!("{access}, created"),
        (access, false) => access.to_owned(),
    }
}

fn user_path(path: &UserPath) -> String {
    let best = if path.best().is_empty() { path.name.as_bstr() } else { path.best() };
    if path.unreadable && best.is_empty() { "(unreadable)".to_owned() } else { quoted(best) }
}

fn mapped(mmap: &MmapExec) -> String {
    if mmap.path.bytes.is_empty() { "(anonymous)".to_owned() } else { path(&mmap.path) }
}

fn protection(prot: u32) -> String {
    [(1, 'r'), (2, 'w'), (4, 'x')]
        .map(|(bit, letter)| if prot & bit == 0 { '-' } else { letter })
        .iter()
        .collect()
}

/// `tcp 192.0.2.1:443`, `unix /run/x`. The caller's own words where the kernel has no address.
fn socket(socket: &Socket, end: &Endpoint) -> String {
    let unset = |end: &Endpoint| end.ip.is_none() && end.path.is_empty();
    let end = if unset(end) && socket.asked.source != Source::None { &socket.asked } else { end };
    let name = match (socket.family, socket.protocol, socket.kind) {
        (1, ..) => "unix",
        (2 | 10, 6, _) => "tcp",
        (2 | 10, 17, _) => "udp",
        (2 | 10, _, 1) => "stream",
        (2 | 10, _, 2) => "datagram",
        (2 | 10, ..) => "ip",
        (0, ..) => "(no socket)",
        _ => "other",
    };
    let address = match (end.ip, &end.path) {
        (Some(std::net::IpAddr::V6(ip)), _) => format!("[{ip}]:{}", end.port),
        (Some(ip), _) => format!("{ip}:{}", end.port),
        (None, path) if !path.is_empty() => quoted(path),
        (None, _) if socket.family == 1 => "(unnamed)".to_owned(),
        (None, _) => String::new(),
    };
    if address.is_empty() { name.to_owned() } else { format!("{name} {address}") }
}

/// `name[pid]`.
pub(crate) fn process(comm: &BStr, pid: u32) -> String {
    format!("{}[{pid}]", if comm.is_empty() { String::new() } else { cut(&quoted(comm), NAME_MAX) })
}

/// The name of a process of the table: of its main thread, else of its program.
pub(crate) fn name(process: &sentinel_event::Process) -> Text {
    if process.comm.is_empty() {
        process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default().into()
    } else {
        process.comm.clone()
    }
}

#[cfg(test)]
mod tests;
