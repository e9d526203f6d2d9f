//! Sockets: IPv4, IPv6 and unix, success and failure. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::{
        fd::AsRawFd as _,
        unix::{
            ffi::OsStrExt as _,
            net::{UnixListener, UnixStream},
        },
    },
};

use harness::{call, capture_of, of};
use sentinel_event::{Body, Endpoint, Event, Kind, Socket, Source};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen];

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

fn socket(event: &Event) -> &Socket {
    match &event.body {
        Body::Connect(connect) => &connect.socket,
        Body::Accept(accept) => &accept.socket,
        Body::Bind(bind) => &bind.socket,
        Body::Listen(listen) => &listen.socket,
        other => panic!("{other:?}"),
    }
}

fn address(end: &Endpoint) -> Option<SocketAddr> {
    end.ip.map(|ip| SocketAddr::new(ip, end.port))
}

/// Listens, connects and accepts on `ip`; every event names both ends.
fn tcp(ip: IpAddr, family: u16) {
    let mut ends = None;
    let events = capture_of(KINDS).during(|| {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        ends = Some((
            listener.local_addr().unwrap(),
            client.local_addr().unwrap(),
            client.as_raw_fd(),
            server.as_raw_fd(),
        ));
    });
    let (server, client, client_fd, server_fd) = ends.unwrap();
    let one = |kind| {
        let [event] = of(&events, kind)[..] else { panic!("{kind}: {events:?}") };
        let socket = socket(event);
        assert_eq!((socket.family, socket.kind, socket.protocol), (family, 1, 6), "{kind}");
        (event, socket)
    };
    let (event, bind) = one(Kind::Bind);
    assert_eq!(event.head.result, 0);
    assert_eq!((address(&bind.local), bind.local.source), (Some(server), Source::Kernel));
    assert_eq!(address(&bind.asked), Some(SocketAddr::new(ip, 0)));
    let (event, listen) = one(Kind::Listen);
    assert_eq!(address(&listen.local), Some(server));
    assert!(matches!(&event.body, Body::Listen(listen) if listen.backlog > 0));
    let (event, connect) = one(Kind::Connect);
    assert_eq!((event.head.result, connect.fd), (0, client_fd));
    assert_eq!((address(&connect.local), address(&connect.peer)), (Some(client), Some(server)));
    assert_eq!(address(&connect.asked), Some(server));
    let (event, accept) = one(Kind::Accept);
    assert_eq!(event.head.result, i64::from(server_fd));
    assert_eq!((address(&accept.local), address(&accept.peer)), (Some(server), Some(client)));
}

#[test]
fn ipv4_connections_are_seen_from_both_ends() {
    tcp(Ipv4Addr::LOCALHOST.into(), AF_INET);
}

#[test]
fn ipv6_connections_are_seen_from_both_ends() {
    tcp(Ipv6Addr::LOCALHOST.into(), AF_INET6);
}

#[test]
fn unix_connections_name_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("so\ncket");
    let events = capture_of(KINDS).during(|| {
        let listener = UnixListener::bind(&path).unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        listener.accept().unwrap();
    });
    let path = path.as_os_str().as_bytes();
    for kind in [Kind::Bind, Kind::Listen, Kind::Connect, Kind::Accept] {
        let socket = socket(of(&events, kind)[0]);
        assert_eq!((socket.family, socket.kind), (AF_UNIX, 1), "{kind}");
        let end = if kind == Kind::Connect { &socket.peer } else { &socket.local };
        assert_eq!(end.path, path, "{kind}");
    }
}

#[test]
fn both_variants_of_accept_are_seen() {
    for number in [libc::SYS_accept, libc::SYS_accept4] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let fd = listener.as_raw_fd() as usize;
        let events =
            capture_of(KINDS).during(|| drop(harness::owned(call(number, [fd, 0, 0, 0, 0, 0]).unwrap())));
        let [event] = of(&events, Kind::Accept)[..] else { panic!("{events:?}") };
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!(address(&socket(event).peer), Some(client.local_addr().unwrap()));
    }
}

#[test]
fn a_refused_connection_tells_whom_it_was_for() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let events = capture_of(KINDS).during(|| assert!(TcpStream::connect(closed).is_err()));
    let event = of(&events, Kind::Connect)[0];
    assert_eq!(event.head.result, -i64::from(libc::ECONNREFUSED));
    assert_eq!(address(&socket(event).asked), Some(closed));
    assert_eq!(socket(event).asked.source, Source::User);
    assert_eq!((address(&socket(event).peer), socket(event).peer.source), (Some(closed), Source::User));
}

#[test]
fn udp_peers_and_failed_calls_are_seen() {
    let peer: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let events = capture_of(KINDS).during(|| udp.connect(peer).unwrap());
    let found = socket(of(&events, Kind::Connect)[0]);
    assert_eq!((found.kind, found.protocol, address(&found.peer)), (2, 17, Some(peer)));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = taken.local_addr().unwrap();
    let events = capture_of(KINDS)
        .during(|| assert_eq!(TcpListener::bind(wanted).unwrap_err().kind(), io::ErrorKind::AddrInUse));
    let event = of(&events, Kind::Bind)[0];
    assert_eq!(event.head.result, -i64::from(libc::EADDRINUSE));
    assert_eq!(address(&socket(event).asked), Some(wanted));

    // A descriptor that is no socket, and one that is none at all.
    for fd in [0, 9999] {
        let events =
            capture_of(KINDS).during(|| assert!(call(libc::SYS_listen, [fd, 1, 0, 0, 0, 0]).is_err()));
        let event = of(&events, Kind::Listen)[0];
        assert!(event.head.failed());
        assert_eq!((socket(event).family, socket(event).fd), (0, fd as i32));
    }
}

#[test]
fn a_listener_with_nobody_waiting_is_no_event() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let events = capture_of(KINDS).during(|| assert!(listener.accept().is_err()));
    assert!(of(&events, Kind::Accept).is_empty());
}
