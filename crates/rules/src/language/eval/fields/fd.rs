//! `fd.*`: the descriptor of an event.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bstr::ByteSlice as _;
use sentinel_event::{Body, Endpoint};

use super::{Row, built, or_missing, plain, some};
use crate::language::eval::{
    json::print,
    unknown,
    value::{Item, Scratch, Several, Value},
    view::{Family, Net, View},
};

const NA: Value<'static> = Value::Text(b"<NA>");

pub(super) const FIELDS: &[Row] = &[
    plain("fd.num", |view, _, _| or_missing(number(view), Value::Signed)),
    plain("fd.type", |view, _, _| match sort(view) {
        // A call that failed made no descriptor.
        Some(_) if makes_descriptor(view) && failed(view) => Value::Missing,
        Some((name, _)) => Value::Text(name.as_bytes()),
        None => Value::Missing,
    }),
    plain("fd.typechar", |view, _, _| or_missing(sort(view), |(_, letter)| Value::Text(letter.as_bytes()))),
    built("fd.name", |view, _, scratch| name(view, scratch)),
    plain("fd.nameraw", |view, _, _| match &view.observation.event.body {
        Body::FileOpen(open) => some(&open.asked.name),
        _ => Value::Missing,
    }),
    plain("fd.directory", |view, _, _| or_missing(view.file(), |path| Value::Text(directory(view, path)))),
    plain("fd.filename", |view, _, _| or_missing(view.file(), |path| Value::Text(filename(path)))),
    built("fd.ip", |view, _, scratch| ends(view, scratch, address)),
    plain("fd.cip", |view, _, _| client(view, ip)),
    plain("fd.sip", |view, _, _| server(view, ip)),
    plain("fd.lip", |view, _, _| or_missing(view.net(), |net| ip(net.local))),
    plain("fd.rip", |view, _, _| or_missing(view.net(), |net| ip(net.peer))),
    built("fd.cip.name", |view, _, scratch| names(view, scratch, |net| net.client)),
    built("fd.sip.name", |view, _, scratch| names(view, scratch, |net| Some(net.server))),
    built("fd.rip.name", |view, _, scratch| names(view, scratch, |net| Some(net.peer))),
    built("fd.net", |view, _, scratch| ends(view, scratch, address)),
    plain("fd.cnet", |view, _, _| client(view, ip)),
    plain("fd.snet", |view, _, _| server(view, ip)),
    plain("fd.lnet", |view, _, _| or_missing(view.net(), |net| ip(net.local))),
    plain("fd.rnet", |view, _, _| or_missing(view.net(), |net| ip(net.peer))),
    built("fd.port", |view, _, scratch| {
        ends(view, scratch, |end| end.ip.map(|_| Item::Unsigned(end.port.into())))
    }),
    plain("fd.cport", |view, _, _| client(view, port)),
    plain("fd.sport", |view, _, _| server(view, port)),
    plain("fd.lport", |view, _, _| or_missing(view.net(), |net| port(net.local))),
    plain("fd.rport", |view, _, _| or_missing(view.net(), |net| port(net.peer))),
    plain("fd.l4proto", |view, _, _| protocol(view)),
    plain("fd.sockfamily", |view, _, _| match view.net().map(|net| net.family) {
        Some(Family::V4 | Family::V6) => Value::Text(b"ip"),
        Some(Family::Unix) => Value::Text(b"unix"),
        _ => Value::Missing,
    }),
    plain("fd.is_server", |view, _, _| match (&view.observation.event.body, view.net()) {
        (Body::Accept(_) | Body::Recv(_), Some(_)) => Value::Bool(true),
        (Body::Connect(_) | Body::Send(_) | Body::Dns(_), Some(_)) => Value::Bool(false),
        _ => Value::Missing,
    }),
    plain("fd.connected", |view, _, _| match (&view.observation.event.body, view.net()) {
        (Body::Connect(_) | Body::Accept(_), Some(_)) => Value::Bool(!failed(view)),
        (Body::Send(_) | Body::Recv(_) | Body::Dns(_) | Body::Dup(_), Some(net)) => {
            Value::Bool(has_peer(&net))
        }
        (_, Some(_)) => Value::Bool(false),
        _ => Value::Missing,
    }),
    plain("fd.name_changed", |view, _, _| match &view.observation.event.body {
        Body::Connect(_) | Body::Bind(_) => Value::Bool(!failed(view) || under_way(view)),
        // Each event is the first of its peer. That of a connected socket came with the connect.
        Body::Send(_) | Body::Recv(_) => or_missing(view.net(), |net| Value::Bool(!has_peer(&net))),
        _ => or_missing(sort(view), |_| Value::Bool(false)),
    }),
    built("fd.containername", |view, _, scratch| {
        let name = name(view, scratch);
        let start = scratch.bytes.len();
        scratch.bytes.extend_from_slice(container(view));
        scratch.bytes.push(b':');
        if scratch.append(name) { scratch.tail(start) } else { Value::Missing }
    }),
    built("fd.containerdirectory", |view, _, scratch| {
        or_missing(view.file(), |path| {
            scratch.build(|out| {
                out.extend_from_slice(container(view));
                out.push(b':');
                out.extend_from_slice(directory(view, path));
            })
        })
    }),
    plain("fd.dev", |view, _, _| or_missing(inode(view), |(dev, _)| Value::Unsigned(dev.into()))),
    plain("fd.ino", |view, _, _| {
        or_missing(inode(view).and_then(|(_, ino)| i64::try_from(ino).ok()), Value::Signed)
    }),
];

fn failed(view: &View<'_>) -> bool {
    view.observation.event.head.failed()
}

/// The socket itself has a peer: it is connected.
fn has_peer(net: &Net<'_>) -> bool {
    net.socket.peer.ip.is_some() || !net.socket.peer.path.is_empty()
}

/// A connect that goes on without the caller.
fn under_way(view: &View<'_>) -> bool {
    view.observation.event.head.result == -i64::from(libc::EINPROGRESS)
}

fn makes_descriptor(view: &View<'_>) -> bool {
    matches!(
        view.observation.event.body,
        Body::FileOpen(_) | Body::Accept(_) | Body::MemfdCreate(_) | Body::Socket(_) | Body::Bpf(_)
    )
}

pub(super) fn number(view: &View<'_>) -> Option<i64> {
    match &view.observation.event.body {
        Body::FileOpen(_) | Body::Accept(_) | Body::MemfdCreate(_) | Body::Socket(_) | Body::Bpf(_) => {
            // Stock rules find failed opens by -1; the error is in `evt.rawres`.
            Some(view.observation.event.head.result.max(-1))
        }
        Body::FileRead(io) | Body::FileWrite(io) if io.fd != unknown::DESCRIPTOR => Some(io.fd.into()),
        Body::Connect(connect) => Some(connect.socket.fd.into()),
        Body::Bind(bind) => Some(bind.socket.fd.into()),
        Body::Listen(listen) => Some(listen.socket.fd.into()),
        Body::Send(message) | Body::Recv(message) => Some(message.socket.fd.into()),
        Body::Dns(dns) => Some(dns.socket.fd.into()),
        Body::Dup(dup) => Some(dup.socket.fd.into()),
        Body::Setns(setns) => Some(setns.fd.into()),
        Body::FileChmod(chmod) => descriptor(chmod.file.fd),
        Body::FileChown(chown) => descriptor(chown.file.fd),
        Body::FileTruncate(truncate) => descriptor(truncate.file.fd),
        Body::ModuleLoad(module) => descriptor(module.fd),
        _ => None,
    }
}

/// A descriptor; -1 stands for none.
fn descriptor(fd: i32) -> Option<i64> {
    (fd >= 0).then(|| fd.into())
}

/// Name and letter of the type.
pub(super) fn sort(view: &View<'_>) -> Option<(&'static str, &'static str)> {
    match &view.observation.event.body {
        Body::FileOpen(open) if open.flags & libc::O_DIRECTORY.cast_unsigned() != 0 => {
            Some(("directory", "d"))
        }
        Body::FileOpen(_) | Body::FileRead(_) | Body::FileWrite(_) | Body::FileClose(_) => {
            Some(("file", "f"))
        }
        Body::MmapExec(map) if !map.path.bytes.is_empty() => Some(("file", "f")),
        Body::MemfdCreate(_) if !failed(view) => Some(("memfd", "m")),
        Body::Bpf(_) if !failed(view) => Some(("bpf", "b")),
        Body::Socket(made) if !failed(view) => Some(match made.family.cast_signed() {
            libc::AF_UNIX => ("unix", "u"),
            libc::AF_INET => ("ipv4", "4"),
            libc::AF_INET6 => ("ipv6", "6"),
            libc::AF_NETLINK => ("netlink", "n"),
            _ => ("<NA>", "o"),
        }),
        _ if view.file().is_some() => Some(("file", "f")),
        _ => view.net().map(|net| match net.family {
            Family::V4 => ("ipv4", "4"),
            Family::V6 => ("ipv6", "6"),
            Family::Unix => ("unix", "u"),
            Family::Netlink => ("netlink", "n"),
            Family::Other => ("<NA>", "o"),
        }),
    }
}

pub(super) fn name<'a>(view: &View<'a>, scratch: &mut Scratch) -> Value<'a> {
    if let Some(path) = view.file() {
        return Value::Text(path);
    }
    if let Body::MemfdCreate(memfd) = &view.observation.event.body {
        return if failed(view) { Value::Missing } else { some(&memfd.name) };
    }
    let Some(net) = view.net() else { return Value::Missing };
    match net.family {
        Family::Unix => {
            let ends = [Some(net.server), net.client];
            let path =
                ends.into_iter().flatten().map(|end| end.path.as_slice()).find(|path| !path.is_empty());
            or_missing(path, Value::Text)
        }
        Family::V4 | Family::V6 => scratch.build(|out| {
            if let Some(client) = net.client {
                write_end(&net, client, out);
                out.extend_from_slice(b"->");
            }
            write_end(&net, net.server, out);
        }),
        Family::Netlink | Family::Other => Value::Missing,
    }
}

/// `address:port`; the unspecified address where there is none.
pub(super) fn write_end(net: &Net<'_>, end: &Endpoint, out: &mut Vec<u8>) {
    let none = match net.family {
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    print(out, format_args!("{}:{}", end.ip.unwrap_or(none), end.port));
}

fn directory<'a>(view: &View<'a>, path: &'a [u8]) -> &'a [u8] {
    if matches!(sort(view), Some((_, "d"))) {
        return path;
    }
    match path.rfind_byte(b'/') {
        Some(0) => b"/",
        Some(slash) => path.get(..slash).unwrap_or_default(),
        None => b"",
    }
}

fn filename(path: &[u8]) -> &[u8] {
    let from = path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    path.get(from..).unwrap_or_default()
}

fn ip(end: &Endpoint) -> Value<'_> {
    or_missing(end.ip, Value::Address)
}

fn port(end: &Endpoint) -> Value<'_> {
    or_missing(end.ip, |_| Value::Unsigned(end.port.into()))
}

fn address(end: &Endpoint) -> Option<Item> {
    end.ip.map(Item::Address)
}

fn client<'a>(view: &View<'a>, of: fn(&'a Endpoint) -> Value<'a>) -> Value<'a> {
    or_missing(view.net().and_then(|net| net.client), of)
}

fn server<'a>(view: &View<'a>, of: fn(&'a Endpoint) -> Value<'a>) -> Value<'a> {
    or_missing(view.net(), |net| of(net.server))
}

/// The names of an end: only the other end's are known.
fn names<'a>(view: &View<'a>, scratch: &mut Scratch, end: fn(&Net<'a>) -> Option<&'a Endpoint>) -> Value<'a> {
    let Some(net) = view.net() else { return Value::Missing };
    let known = net.socket.peer_names.as_slice();
    let is_peer = end(&net).is_some_and(|end| std::ptr::eq(end, net.peer));
    match known.first() {
        Some(name) if is_peer && known.len() == 1 => some(name),
        Some(_) if is_peer => scratch.texts(Several::Any, known.iter().map(|name| name.as_slice())),
        _ => Value::Missing,
    }
}

/// Client and server, as far as they are known; missing when neither is.
fn ends<'a>(view: &View<'a>, scratch: &mut Scratch, of: fn(&Endpoint) -> Option<Item>) -> Value<'a> {
    let Some(net) = view.net() else { return Value::Missing };
    let both = [net.client, Some(net.server)];
    match scratch.several(Several::Ends, both.into_iter().flatten().filter_map(of)) {
        Value::Several(_, span) if span.range().is_empty() => Value::Missing,
        value => value,
    }
}

fn protocol<'a>(view: &View<'a>) -> Value<'a> {
    const RAW: u16 = 3; // SOCK_RAW
    let Some(net) = view.net() else {
        let known = sort(view).is_some() && !(makes_descriptor(view) && failed(view));
        return if known { NA } else { Value::Missing };
    };
    if !matches!(net.family, Family::V4 | Family::V6) {
        return NA;
    }
    match (net.socket.protocol, net.socket.kind) {
        (_, RAW) => Value::Text(b"raw"),
        (6, _) => Value::Text(b"tcp"),
        (17, _) => Value::Text(b"udp"),
        (1 | 58, _) => Value::Text(b"icmp"),
        _ => NA,
    }
}

pub(super) fn inode(view: &View<'_>) -> Option<(u32, u64)> {
    let (dev, ino) = match &view.observation.event.body {
        Body::FileOpen(open) if !failed(view) => (open.dev, open.ino),
        Body::FileRead(io) | Body::FileWrite(io) => (io.dev, io.ino),
        Body::FileClose(close) => (close.dev, close.ino),
        Body::Dup(dup) => (dup.dev, dup.ino),
        Body::FileChmod(chmod) => (chmod.file.dev, chmod.file.ino),
        Body::FileChown(chown) => (chown.file.dev, chown.file.ino),
        Body::FileTruncate(truncate) => (truncate.file.dev, truncate.file.ino),
        Body::ModuleLoad(module) => (module.dev, module.ino),
        _ => return None,
    };
    (ino != 0).then_some((dev, ino))
}

fn container<'a>(view: &View<'a>) -> &'a [u8] {
    view.observation.container_id.as_deref().map_or(b"host", super::container::short)
}
