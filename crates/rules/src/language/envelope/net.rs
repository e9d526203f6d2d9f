//! Sockets.

use sentinel_event::{Body, Dns, Dup, Endpoint, Kind, MakeSocket, Message, NamedAddress, Socket, Source};

use super::{
    Row,
    form::{flags32, hexadecimal, number, text, truth},
    process::path_flags,
    table,
    who::value,
};
use crate::language::eval::names;

const SOCKET: &[Row] = table! { Data,
    &[Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen, Kind::Send, Kind::Recv, Kind::Dns, Kind::Dup];
    "family", "fd.type fd.typechar fd.sockfamily", "inet", |draft, text| value(text, FAMILIES, &mut socket(&mut draft.body)?.family);
    "socket_type", "fd.l4proto", "stream", |draft, text| value(text, KINDS, &mut socket(&mut draft.body)?.kind);
    "protocol", "fd.l4proto", "tcp", |draft, text| value(text, PROTOCOLS, &mut socket(&mut draft.body)?.protocol);
    "fd", "fd.num evt.arg.fd", "5", |draft, text| number(text, &mut socket(&mut draft.body)?.fd);
    "local_ip", "fd.lip fd.lnet fd.ip fd.net fd.name fd.cip fd.sip", "10.0.0.5", |draft, text| ip(text, &mut socket(&mut draft.body)?.local);
    "local_port", "fd.lport fd.port fd.name fd.cport fd.sport", "40000", |draft, text| number(text, &mut socket(&mut draft.body)?.local.port);
    "local_path", "fd.name", "/run/a.sock", |draft, value| text(value, &mut socket(&mut draft.body)?.local.path);
    "local_source", "", "kernel", |draft, text| source(text, &mut socket(&mut draft.body)?.local);
    "peer_ip", "fd.rip fd.rnet fd.ip fd.net fd.name fd.cip fd.sip", "10.0.0.6", |draft, text| ip(text, &mut socket(&mut draft.body)?.peer);
    "peer_port", "fd.rport fd.port fd.name fd.cport fd.sport", "443", |draft, text| number(text, &mut socket(&mut draft.body)?.peer.port);
    "peer_path", "fd.name", "/run/b.sock", |draft, value| text(value, &mut socket(&mut draft.body)?.peer.path);
    "peer_source", "", "kernel", |draft, text| source(text, &mut socket(&mut draft.body)?.peer);
    "asked_ip", "fd.rip fd.ip fd.name fd.sip", "10.0.0.6", |draft, text| asked(&mut draft.body, |end| ip(text, end));
    "asked_port", "fd.rport fd.port fd.name fd.sport", "443", |draft, text| asked(&mut draft.body, |end| number(text, &mut end.port));
    "asked_path", "fd.name", "/run/b.sock", |draft, value| asked(&mut draft.body, |end| text(value, &mut end.path));
    "peer_names", "fd.rip.name fd.sip.name fd.cip.name", "db.example", |draft, text| {
        socket(&mut draft.body)?.peer_names = text.split(' ').map(Into::into).collect();
        Some(())
    };
    "shared", "", "true", |draft, text| truth(text, &mut socket(&mut draft.body)?.shared);
};

const LISTEN: &[Row] = table! { Data, &[Kind::Listen];
    "backlog", "evt.arg.backlog", "128", |draft, text| match &mut draft.body {
        Body::Listen(listen) => number(text, &mut listen.backlog),
        _ => None,
    };
};

const MAKE: &[Row] = table! { Data, &[Kind::Socket];
    "family", "fd.type evt.arg.domain", "inet", |draft, text| wide(text, FAMILIES, &mut made(&mut draft.body)?.family);
    "socket_type", "evt.arg.type", "stream", |draft, text| wide(text, KINDS, &mut made(&mut draft.body)?.kind);
    "protocol", "evt.arg.proto", "6", |draft, text| number(text, &mut made(&mut draft.body)?.protocol);
    "flags", "evt.arg.flags", "SOCK_CLOEXEC", |draft, text| flags32(text, &[names::SOCK], &mut made(&mut draft.body)?.flags);
};

const MESSAGE: &[Row] = table! { Data, &[Kind::Send, Kind::Recv];
    "bytes", "evt.arg.size", "120", |draft, text| number(text, &mut message(&mut draft.body)?.bytes);
    "flags", "", "0x40", |draft, text| {
        message(&mut draft.body)?.flags = u32::try_from(hexadecimal(text)?).ok()?;
        Some(())
    };
    "message", "", "0", |draft, text| number(text, &mut message(&mut draft.body)?.message);
};

const DNS: &[Row] = table! { Data, &[Kind::Dns];
    "question", "dns.question", "www.example", |draft, value| text(value, &mut dns(&mut draft.body)?.question);
    "type", "dns.type", "A", |draft, text| value(text, Dns::TYPES, &mut dns(&mut draft.body)?.record_type);
    "code", "dns.code", "NXDOMAIN", |draft, text| {
        let mut code = 0;
        value(text, Dns::CODES, &mut code)?;
        dns(&mut draft.body)?.code = code.try_into().ok()?;
        Some(())
    };
    "addresses", "dns.address", "192.0.2.1 60 www.example, 192.0.2.2 60 www.example", |draft, text| {
        let one = |text: &str| {
            let mut parts = text.splitn(3, ' ');
            let (ip, ttl_s) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some(NamedAddress { name: parts.next()?.into(), ip, ttl_s })
        };
        dns(&mut draft.body)?.addresses = text.split(", ").map(one).collect::<Option<_>>()?;
        Some(())
    };
    "bytes", "", "120", |draft, text| number(text, &mut dns(&mut draft.body)?.bytes);
    "truncated", "", "true", |draft, text| truth(text, &mut dns(&mut draft.body)?.truncated);
    "malformed", "", "true", |draft, text| truth(text, &mut dns(&mut draft.body)?.malformed);
};

const DUP: &[Row] = table! { Data, &[Kind::Dup];
    "old_fd", "evt.arg.oldfd", "5", |draft, text| number(text, &mut dup(&mut draft.body)?.old_fd);
    "asked_fd", "", "0", |draft, text| number(text, &mut dup(&mut draft.body)?.asked_fd);
    "flags", "", "O_CLOEXEC", |draft, text| {
        flags32(text, &[names::OPEN, names::OPEN_REST], &mut dup(&mut draft.body)?.flags)
    };
    "filename", "fd.name", "/etc/hosts", |draft, value| text(value, &mut dup(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, text| path_flags(text, &mut dup(&mut draft.body)?.path.flags);
    "dev", "fd.dev", "8", |draft, text| number(text, &mut dup(&mut draft.body)?.dev);
    "ino", "fd.ino", "77", |draft, text| number(text, &mut dup(&mut draft.body)?.ino);
};

pub(super) const ROWS: &[&[Row]] = &[SOCKET, LISTEN, MAKE, MESSAGE, DNS, DUP];

/// What is only called `other` has a number that no family, type or protocol has.
const OTHER: u16 = u16::MAX;

/// `AF_*`.
const FAMILIES: &[(&str, u16)] = &[
    ("unix", 1),
    ("inet", 2),
    ("inet6", 10),
    ("netlink", 16),
    ("packet", 17),
    ("bluetooth", 31),
    ("alg", 38),
    ("vsock", 40),
    ("xdp", 44),
    ("other", OTHER),
];
/// `SOCK_*`.
const KINDS: &[(&str, u16)] =
    &[("stream", 1), ("dgram", 2), ("datagram", 2), ("raw", 3), ("seqpacket", 5), ("other", OTHER)];
/// `IPPROTO_*`.
const PROTOCOLS: &[(&str, u16)] = &[("tcp", 6), ("udp", 17), ("icmp", 1), ("icmp6", 58)];

fn socket(body: &mut Body) -> Option<&mut Socket> {
    match body {
        Body::Connect(connect) => Some(&mut connect.socket),
        Body::Accept(accept) => Some(&mut accept.socket),
        Body::Bind(bind) => Some(&mut bind.socket),
        Body::Listen(listen) => Some(&mut listen.socket),
        Body::Send(message) | Body::Recv(message) => Some(&mut message.socket),
        Body::Dns(dns) => Some(&mut dns.socket),
        Body::Dup(dup) => Some(&mut dup.socket),
        _ => None,
    }
}

fn made(body: &mut Body) -> Option<&mut MakeSocket> {
    match body {
        Body::Socket(made) => Some(made),
        _ => None,
    }
}

fn message(body: &mut Body) -> Option<&mut Message> {
    match body {
        Body::Send(message) | Body::Recv(message) => Some(message),
        _ => None,
    }
}

fn dns(body: &mut Body) -> Option<&mut Dns> {
    match body {
        Body::Dns(dns) => Some(dns),
        _ => None,
    }
}

fn dup(body: &mut Body) -> Option<&mut Dup> {
    match body {
        Body::Dup(dup) => Some(dup),
        _ => None,
    }
}

/// A word of a list, as an argument of 32 bits; or a number.
fn wide(text: &str, words: &[(&str, u16)], to: &mut u32) -> Option<()> {
    let mut short = 0;
    value(text, words, &mut short)?;
    *to = short.into();
    Some(())
}

fn ip(text: &str, end: &mut Endpoint) -> Option<()> {
    end.ip = Some(text.parse().ok()?);
    Some(())
}

fn source(text: &str, end: &mut Endpoint) -> Option<()> {
    end.source = match text {
        "kernel" => Source::Kernel,
        "user" => Source::User,
        _ => return None,
    };
    Some(())
}

/// What the caller asked for is the caller's word.
fn asked(body: &mut Body, set: impl FnOnce(&mut Endpoint) -> Option<()>) -> Option<()> {
    let end = &mut socket(body)?.asked;
    end.source = Source::User;
    set(end)
}
