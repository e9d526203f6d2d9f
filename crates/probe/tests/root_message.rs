//! New sockets, and the first datagram to and from each peer. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    net::{SocketAddr, UdpSocket},
    os::{fd::AsRawFd as _, unix::net::UnixDatagram},
};

use harness::{call, capture_of, of, owned};
use sentinel_event::{Body, Endpoint, Event, Kind, KindSet, MakeSocket, Message, Source};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::Send, Kind::Recv, Kind::Socket];

fn message(event: &Event) -> &Message {
    match &event.body {
        Body::Send(message) | Body::Recv(message) => message,
        other => panic!("{other:?}"),
    }
}

fn address(end: &Endpoint) -> Option<SocketAddr> {
    end.ip.map(|ip| SocketAddr::new(ip, end.port))
}

#[test]
fn new_sockets_tell_what_they_are() {
    let flags = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as u32;
    for (family, kind, protocol) in [(2, 1, 0), (10, 2, 17), (17, 3, 0x0300), (1, 5, 0)] {
        let mut fd = 0;
        let args = [family as usize, (kind | flags) as usize, protocol as usize, 0, 0, 0];
        let events = capture_of(KINDS).during(|| fd = call(libc::SYS_socket, args).unwrap());
        drop(owned(fd));
        let [event] = of(&events, Kind::Socket)[..] else { panic!("{events:?}") };
        assert_eq!(event.head.result, fd as i64);
        assert_eq!(event.body, Body::Socket(MakeSocket { family, kind, protocol, flags }));
    }
    let events = capture_of(KINDS).during(|| assert!(call(libc::SYS_socket, [99, 1, 0, 0, 0, 0]).is_err()));
    let [event] = of(&events, Kind::Socket)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.result, -i64::from(libc::EAFNOSUPPORT));
    assert_eq!(event.body, Body::Socket(MakeSocket { family: 99, kind: 1, protocol: 0, flags: 0 }));
}

#[test]
fn each_new_peer_is_one_event() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let (one, two) = (UdpSocket::bind(any).unwrap(), UdpSocket::bind(any).unwrap());
        let sender = UdpSocket::bind(any).unwrap();
        let events = capture_of(KINDS).during(|| {
            for _ in 0..3 {
                sender.send_to(b"abc", one.local_addr().unwrap()).unwrap();
                sender.send_to(b"defg", two.local_addr().unwrap()).unwrap();
            }
        });
        let sends = of(&events, Kind::Send);
        let told: Vec<_> = sends
            .iter()
            .map(|event| (address(&message(event).socket.asked).unwrap(), message(event).bytes))
            .collect();
        assert_eq!(told, [(one.local_addr().unwrap(), 3), (two.local_addr().unwrap(), 4)]);
        let first = message(sends[0]);
        assert_eq!((first.socket.kind, first.socket.protocol, first.message), (2, 17, 0));
        assert_eq!((first.socket.fd, first.flags as i32 & !libc::MSG_NOSIGNAL), (sender.as_raw_fd(), 0));
        assert_eq!(
            address(&first.socket.local).map(|it| it.port()),
            Some(sender.local_addr().unwrap().port())
        );
        assert_eq!((first.socket.asked.source, address(&first.socket.peer)), (Source::User, None));
        assert_eq!((sends[0].head.result, sends[1].head.result), (3, 4));
    }
}

#[test]
fn answers_are_no_events_and_clients_of_one_address_are_one() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let clients: Vec<_> = (0..5).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for client in &clients {
        client.send_to(b"q", server.local_addr().unwrap()).unwrap();
    }
    let events = capture_of(KINDS).during(|| {
        for _ in &clients {
            let (_, from) = server.recv_from(&mut [0; 9]).unwrap();
            server.send_to(b"answer", from).unwrap();
        }
    });
    assert!(of(&events, Kind::Send).is_empty(), "{events:?}");
    let [event] = of(&events, Kind::Recv)[..] else { panic!("{events:?}") };
    let recv = message(event);
    assert_eq!(address(&recv.socket.asked), Some(clients[0].local_addr().unwrap()));
    assert_eq!(address(&recv.socket.local), Some(server.local_addr().unwrap()));
    assert_eq!((recv.bytes, recv.socket.fd, event.head.result), (1, server.as_raw_fd(), 1));
}

#[test]
fn answers_are_known_to_who_wants_sends_alone() {
    let (server, client) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    client.send_to(b"q", server.local_addr().unwrap()).unwrap();
    let mut capture = capture_of(KINDS);
    // The mark that ends a capture is an unlink.
    capture.probe.set_kinds([Kind::Send, Kind::FileUnlink].into_iter().collect()).unwrap();
    let events = capture.during(|| {
        let (_, from) = server.recv_from(&mut [0; 9]).unwrap();
        server.send_to(b"answer", from).unwrap();
    });
    capture.probe.set_kinds(KindSet::all()).unwrap();
    assert!(of(&events, Kind::Send).is_empty() && of(&events, Kind::Recv).is_empty(), "{events:?}");
}

#[test]
fn a_connected_datagram_socket_knows_its_peer() {
    let (server, client) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    client.connect(server.local_addr().unwrap()).unwrap();
    let events = capture_of(KINDS).during(|| {
        client.send(b"x").unwrap();
        client.send(b"x").unwrap();
    });
    let [event] = of(&events, Kind::Send)[..] else { panic!("{events:?}") };
    assert_eq!(address(&message(event).socket.peer), Some(server.local_addr().unwrap()));
    assert_eq!(message(event).socket.asked, Endpoint::default());
}

#[test]
fn unix_datagrams_tell_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log\n");
    let server = UnixDatagram::bind(&path).unwrap();
    let client = UnixDatagram::unbound().unwrap();
    let events = capture_of(KINDS).during(|| {
        client.send_to(b"hello", &path).unwrap();
        client.send_to(b"again", &path).unwrap();
        server.recv_from(&mut [0; 9]).unwrap();
    });
    let [event] = of(&events, Kind::Send)[..] else { panic!("{events:?}") };
    assert_eq!((message(event).socket.family, message(event).bytes), (1, 5));
    assert_eq!(message(event).socket.asked.path, path.to_str().unwrap());
    let [event] = of(&events, Kind::Recv)[..] else { panic!("{events:?}") };
    assert_eq!(message(event).socket.local.path, path.to_str().unwrap());
}

#[test]
fn each_message_of_one_call_has_its_peer() {
    let peers: Vec<_> = (0..10).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let names: Vec<[u8; 16]> = peers
        .iter()
        .map(|peer| {
            let mut name = [0; 16];
            name[..2].copy_from_slice(&2u16.to_ne_bytes());
            name[2..4].copy_from_slice(&peer.local_addr().unwrap().port().to_be_bytes());
            name[4..8].copy_from_slice(&[127, 0, 0, 1]);
            name
        })
        .collect();
    let text = *b"hi";
    let piece = [text.as_ptr() as usize, text.len()];
    // struct mmsghdr: a msghdr of 56 bytes, then the length that was sent.
    let mut vector: Vec<[usize; 8]> = names
        .iter()
        .map(|name| [name.as_ptr() as usize, 16, piece.as_ptr() as usize, 1, 0, 0, 0, 0])
        .collect();
    let args = [sender.as_raw_fd() as usize, vector.as_mut_ptr() as usize, vector.len(), 0, 0, 0];
    let events = capture_of(KINDS).during(|| assert_eq!(call(libc::SYS_sendmmsg, args).unwrap(), 10));
    let sends = of(&events, Kind::Send);
    // The first eight are looked at; the result tells that there were more.
    assert_eq!(sends.len(), 8);
    for (at, event) in sends.into_iter().enumerate() {
        let sent = message(event);
        assert_eq!(address(&sent.socket.asked), Some(peers[at].local_addr().unwrap()));
        assert_eq!((sent.bytes, sent.message as usize, event.head.result), (2, at, 10));
    }
    drop(vector);
}

#[test]
fn a_message_header_and_a_failure_are_seen() {
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut name = [0u8; 16];
    name[..8].copy_from_slice(&[2, 0, 0, 0, 127, 0, 0, 1]); // port 0 cannot be sent to
    let header = [name.as_ptr() as usize, 16, 0, 0, 0, 0, 0];
    let args = [sender.as_raw_fd() as usize, header.as_ptr() as usize, 0, 0, 0, 0];
    let events = capture_of(KINDS).during(|| assert!(call(libc::SYS_sendmsg, args).is_err()));
    let [event] = of(&events, Kind::Send)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.result, -i64::from(libc::EINVAL));
    assert_eq!(address(&message(event).socket.asked), Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!(message(event).bytes, 0);
}

#[test]
fn streams_are_told_by_connect_and_accept() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let events = capture_of(KINDS).during(|| {
        let (text, fd) = (*b"x", client.as_raw_fd() as usize);
        call(libc::SYS_sendto, [fd, text.as_ptr() as usize, 1, 0, 0, 0]).unwrap();
        let mut buffer = [0u8; 4];
        let fd = server.as_raw_fd() as usize;
        call(libc::SYS_recvfrom, [fd, buffer.as_mut_ptr() as usize, 4, 0, 0, 0]).unwrap();
    });
    assert!(of(&events, Kind::Send).is_empty() && of(&events, Kind::Recv).is_empty());
}
