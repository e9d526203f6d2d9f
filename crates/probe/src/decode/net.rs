//! Sockets: connect, accept, bind, listen, socket, datagrams; and duplicated descriptors.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sentinel_event::{
    Accept, Bind, Body, Connect, Dup, Endpoint, Listen, MakeSocket, Message, Path, Socket, Source, Text,
};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

impl Decode for abi::sentinel_connect {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let mut socket = socket(&self.socket, tail)?;
        // A connection that was refused has lost its port by the time the call returns, and one that could not
        // be tried never had it: whom it was for, only the caller has said.
        if socket.peer.port == 0 && socket.asked.port != 0 {
            socket.peer = socket.asked.clone();
        }
        Ok(Content::Body(Body::Connect(Connect { socket })))
    }
}

impl Decode for abi::sentinel_accept {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Accept(Accept { socket: socket(&self.socket, tail)? })))
    }
}

impl Decode for abi::sentinel_bind {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Bind(Bind { socket: socket(&self.socket, tail)? })))
    }
}

impl Decode for abi::sentinel_listen {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Listen(Listen { socket: socket(&self.socket, tail)?, backlog: self.backlog })))
    }
}

impl Decode for abi::sentinel_send {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Send(message(
            &self.socket,
            (self.bytes, self.flags, self.message),
            self.data,
            tail,
        )?)))
    }
}

impl Decode for abi::sentinel_recv {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Recv(message(
            &self.socket,
            (self.bytes, self.flags, self.message),
            self.data,
            tail,
        )?)))
    }
}

impl Decode for abi::sentinel_socket {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Socket(MakeSocket {
            family: self.family,
            kind: self.type_,
            protocol: self.protocol,
            flags: self.flags,
        })))
    }
}

impl Decode for abi::sentinel_dup {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Dup(Dup {
            old_fd: self.old_fd,
            asked_fd: self.asked_fd,
            flags: self.flags,
            dev: self.dev,
            ino: self.ino,
            path: if self.path.span.len == 0 { Path::default() } else { tail.path(self.path)? },
            socket: socket(&self.socket, tail)?,
        })))
    }
}

fn message(
    socket: &abi::sentinel_sock,
    (bytes, flags, message): (u64, u32, u32),
    data: abi::sentinel_span,
    tail: Tail<'_>,
) -> Result<Message, DecodeError> {
    Ok(Message { socket: self::socket(socket, tail)?, bytes, flags, message, data: tail.text(data)? })
}

/// What the kernel's socket has lost after a failure stays lost here: `asked` tells what was meant, and
/// only the reader of an event can weigh the two.
pub(super) fn socket(socket: &abi::sentinel_sock, tail: Tail<'_>) -> Result<Socket, DecodeError> {
    Ok(Socket {
        family: socket.family,
        kind: socket.type_,
        protocol: socket.protocol,
        fd: socket.fd,
        local: endpoint(&socket.local, socket.family, tail)?,
        peer: endpoint(&socket.peer, socket.family, tail)?,
        shared: socket.shared != 0,
        asked: endpoint(&socket.asked, socket.asked_family, tail)?,
        peer_names: Vec::new(),
    })
}

fn endpoint(end: &abi::sentinel_endpoint, family: u16, tail: Tail<'_>) -> Result<Endpoint, DecodeError> {
    let [a, b, c, d, ..] = end.ip;
    let ip = match family {
        AF_INET => Some(IpAddr::from(Ipv4Addr::new(a, b, c, d))),
        AF_INET6 => Some(IpAddr::from(Ipv6Addr::from(end.ip)).to_canonical()),
        _ => None,
    };
    Ok(Endpoint {
        // "Any address" with a port is a place to listen at; without one, nothing was set.
        ip: ip.filter(|ip| !ip.is_unspecified() || end.port != 0),
        port: end.port,
        path: unix_name(tail.bytes(end.path)?),
        source: match u32::from(end.source) {
            abi::SENTINEL_SOURCE_KERNEL => Source::Kernel,
            abi::SENTINEL_SOURCE_USER => Source::User,
            _ => Source::None,
        },
    })
}

/// A path ends at its NUL; an abstract name starts with one and takes all that follows.
fn unix_name(name: &[u8]) -> Text {
    match name.split_first() {
        None => Text::default(),
        Some((0, name)) => [b"@", name].concat().into(),
        Some(_) => name.split(|byte| *byte == 0).next().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, len16, record, span};

    fn ip4(ip: [u8; 4], port: u16, source: u16) -> abi::sentinel_endpoint {
        let mut end = abi::sentinel_endpoint { port, source, ..Default::default() };
        end.ip[..4].copy_from_slice(&ip);
        end
    }

    fn ip6(ip: &str, port: u16) -> abi::sentinel_endpoint {
        let ip = ip.parse::<Ipv6Addr>().unwrap().octets();
        abi::sentinel_endpoint { ip, port, source: 1, ..Default::default() }
    }

    fn wire(family: u16, local: abi::sentinel_endpoint, peer: abi::sentinel_endpoint) -> abi::sentinel_sock {
        abi::sentinel_sock { family, type_: 1, protocol: 6, fd: 5, local, peer, ..Default::default() }
    }

    fn connect(socket: abi::sentinel_sock, tail: &[u8]) -> Socket {
        let bytes = record(10, &abi::sentinel_connect { socket, ..Default::default() }, tail);
        every_cut_fails(&bytes);
        match body(&bytes) {
            Body::Connect(connect) => connect.socket,
            other => panic!("{other:?}"),
        }
    }

    fn shown(end: &Endpoint) -> String {
        let ip = end.ip.map_or("-".to_owned(), |ip| ip.to_string());
        format!("{ip} {} {:?} {:?}", end.port, end.path, end.source)
    }

    #[test]
    fn addresses_follow_the_family() {
        for (family, end, want) in [
            (2, ip4([10, 0, 0, 1], 443, 1), r#"10.0.0.1 443 "" Kernel"#),
            (2, ip4([0; 4], 80, 1), r#"0.0.0.0 80 "" Kernel"#),
            (2, ip4([0; 4], 0, 1), r#"- 0 "" Kernel"#),
            (2, ip4([10, 0, 0, 1], 0, 1), r#"10.0.0.1 0 "" Kernel"#),
            (10, ip6("2001:db8::1", 53), r#"2001:db8::1 53 "" Kernel"#),
            (10, ip6("::ffff:192.0.2.7", 53), r#"192.0.2.7 53 "" Kernel"#),
            (10, ip6("::", 53), r#":: 53 "" Kernel"#),
            (10, ip6("::", 0), r#"- 0 "" Kernel"#),
            (1, ip4([10, 0, 0, 1], 0, 1), r#"- 0 "" Kernel"#),
            (17, ip4([10, 0, 0, 1], 7, 0), r#"- 7 "" None"#),
            (2, ip4([1, 2, 3, 4], 7, 9), r#"1.2.3.4 7 "" None"#),
        ] {
            let socket = connect(wire(family, end, abi::sentinel_endpoint::default()), b"");
            assert_eq!(shown(&socket.local), want, "family {family}");
        }
    }

    #[test]
    fn a_refused_peer_is_whom_the_caller_asked_for() {
        let mut lost = wire(2, ip4([127, 0, 0, 1], 0, 1), ip4([127, 0, 0, 1], 0, 1));
        lost.asked_family = 2;
        lost.asked = ip4([127, 0, 0, 1], 9, 2);
        lost.shared = 1;
        let socket = connect(lost, b"");
        assert_eq!(shown(&socket.peer), r#"127.0.0.1 9 "" User"#);
        assert_eq!(shown(&socket.asked), r#"127.0.0.1 9 "" User"#);
        assert_eq!(
            (socket.family, socket.kind, socket.protocol, socket.fd, socket.shared),
            (2, 1, 6, 5, true)
        );
    }

    #[test]
    fn unix_names_are_paths_or_abstract() {
        for (name, want) in [
            (&b"/run/x.sock\0"[..], r#"- 0 "/run/x.sock" Kernel"#),
            (b"/run/x.sock", r#"- 0 "/run/x.sock" Kernel"#),
            (b"rel\0left over", r#"- 0 "rel" Kernel"#),
            (b"\0abstract", r#"- 0 "@abstract" Kernel"#),
            (b"\0a\0b", r#"- 0 "@a\0b" Kernel"#),
            (b"\0", r#"- 0 "@" Kernel"#),
            (b"", r#"- 0 "" Kernel"#),
        ] {
            let end = abi::sentinel_endpoint { path: span(2, len16(name)), source: 1, ..Default::default() };
            let tail = [b"..", name].concat();
            let socket = connect(wire(1, abi::sentinel_endpoint::default(), end), &tail);
            assert_eq!(shown(&socket.peer), want);
        }
    }

    #[test]
    fn each_kind_is_its_own_body() {
        let socket = wire(2, ip4([0; 4], 22, 1), abi::sentinel_endpoint::default());
        let want = connect(socket, b"");
        let accept = record(11, &abi::sentinel_accept { socket, ..Default::default() }, b"");
        let bind = record(12, &abi::sentinel_bind { socket, ..Default::default() }, b"");
        let listen = record(13, &abi::sentinel_listen { socket, backlog: 128, ..Default::default() }, b"");
        assert_eq!(body(&accept), Body::Accept(Accept { socket: want.clone() }));
        assert_eq!(body(&bind), Body::Bind(Bind { socket: want.clone() }));
        assert_eq!(body(&listen), Body::Listen(Listen { socket: want, backlog: 128 }));
        [accept, bind, listen].iter().for_each(|bytes| every_cut_fails(bytes));
    }

    #[test]
    fn datagrams_tell_the_socket_and_how_much() {
        let socket = wire(2, ip4([10, 0, 0, 1], 53, 1), ip4([10, 0, 0, 2], 53, 1));
        let want =
            Message { socket: connect(socket, b""), bytes: 7, flags: 2, message: 1, ..Message::default() };
        let send = abi::sentinel_send { socket, bytes: 7, flags: 2, message: 1, ..Default::default() };
        let recv = abi::sentinel_recv { socket, bytes: 7, flags: 2, message: 1, ..Default::default() };
        let (send, recv) = (record(20, &send, b""), record(21, &recv, b""));
        assert_eq!(body(&send), Body::Send(want.clone()));
        assert_eq!(body(&recv), Body::Recv(want));
        [send, recv].iter().for_each(|bytes| every_cut_fails(bytes));
    }

    #[test]
    fn a_new_socket_is_four_numbers() {
        let wire =
            abi::sentinel_socket { family: 17, type_: 3, protocol: 768, flags: 4, ..Default::default() };
        let bytes = record(19, &wire, b"");
        assert_eq!(body(&bytes), Body::Socket(MakeSocket { family: 17, kind: 3, protocol: 768, flags: 4 }));
        every_cut_fails(&bytes);
    }

    #[test]
    fn a_duplicate_is_a_socket_or_a_file() {
        let socket = wire(2, ip4([10, 0, 0, 1], 53, 1), ip4([10, 0, 0, 2], 53, 1));
        let dup = abi::sentinel_dup { old_fd: 5, asked_fd: -1, ino: 3, dev: 4, ..Default::default() };
        let want = Dup { old_fd: 5, asked_fd: -1, ino: 3, dev: 4, ..Dup::default() };
        let bytes = record(18, &abi::sentinel_dup { socket, ..dup }, b"");
        assert_eq!(body(&bytes), Body::Dup(Dup { socket: connect(socket, b""), ..want.clone() }));
        every_cut_fails(&bytes);
        let path = abi::sentinel_path { span: span(0, 4), flags: 0 };
        let bytes = record(18, &abi::sentinel_dup { path, flags: 1, ..dup }, b"tmp\0");
        assert_eq!(body(&bytes), Body::Dup(Dup { path: "/tmp".into(), flags: 1, ..want }));
        every_cut_fails(&bytes);
    }
}
