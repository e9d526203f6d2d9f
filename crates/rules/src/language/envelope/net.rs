//! Sockets.

use sentinel_event::{Body, Endpoint, Kind, Socket, Source};

use super::{
    Row,
    form::{number, text, truth},
    table,
    who::value,
};

const SOCKET: &[Row] = table! { Data, &[Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen];
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
    "shared", "", "true", |draft, text| truth(text, &mut socket(&mut draft.body)?.shared);
};

const LISTEN: &[Row] = table! { Data, &[Kind::Listen];
    "backlog", "evt.arg.backlog", "128", |draft, text| match &mut draft.body {
        Body::Listen(listen) => number(text, &mut listen.backlog),
        _ => None,
    };
};

pub(super) const ROWS: &[&[Row]] = &[SOCKET, LISTEN];

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
        _ => None,
    }
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
