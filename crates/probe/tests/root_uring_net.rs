//! Sockets through io_uring: the same events as of the system calls. Needs root, and Linux 6.2 or newer.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;
#[path = "harness/ring.rs"]
mod ring;

use std::{
    mem,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    process,
};

use harness::{capture_of, of};
use io_uring::{opcode, squeue::Entry, types::Fd};
use ring::{Ring, WAYS, Way, followed};
use sentinel_event::{Body, Endpoint, Event, Kind, MakeSocket, Message, Socket, Source};

/// What is loaded.
const KINDS: &[Kind] =
    &[Kind::Connect, Kind::Accept, Kind::Bind, Kind::Listen, Kind::Socket, Kind::Send, Kind::Recv];

#[expect(unsafe_code, reason = "requests return bare numbers")]
fn fd(result: i32) -> OwnedFd {
    assert!(result >= 0, "{result}");
    // SAFETY: the kernel has just made it for a request, nobody else has it.
    unsafe { OwnedFd::from_raw_fd(result) }
}

fn address(end: &Endpoint) -> Option<SocketAddr> {
    end.ip.map(|ip| SocketAddr::new(ip, end.port))
}

fn raw(port: u16) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    }
}

const LEN: u32 = mem::size_of::<libc::sockaddr_in>() as u32;

fn socket(ring: &mut Ring) -> OwnedFd {
    fd(ring.run(opcode::Socket::new(libc::AF_INET, libc::SOCK_STREAM, 0).build()))
}

fn connect(from: &OwnedFd, to: &libc::sockaddr_in) -> Entry {
    opcode::Connect::new(Fd(from.as_raw_fd()), (&raw const *to).cast(), LEN).build()
}

/// The one event of `kind`: of this process, and of the call `number`.
fn one(events: &[Event], kind: Kind, number: libc::c_long) -> &Event {
    let [event] = of(events, kind)[..] else { panic!("{kind}: {events:?}") };
    assert_eq!((event.head.process.tgid, event.head.syscall.unwrap().0), (process::id(), number as u16));
    event
}

fn ends(event: &Event) -> &Socket {
    match &event.body {
        Body::Connect(connect) => &connect.socket,
        Body::Accept(accept) => &accept.socket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn connections_are_seen_from_both_ends() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let mut ring = Ring::new(way);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let to = raw(server.port());
        let mut made = None;
        let events = capture_of(KINDS).during(|| {
            let client = socket(&mut ring);
            assert_eq!(ring.run(connect(&client, &to)), 0);
            let accept =
                opcode::Accept::new(Fd(listener.as_raw_fd()), std::ptr::null_mut(), std::ptr::null_mut());
            let accepted = fd(ring.run(accept.build()));
            made = Some((TcpStream::from(client), TcpStream::from(accepted)));
        });
        let (client, accepted) = made.unwrap();
        let near = client.local_addr().unwrap();
        let event = one(&events, Kind::Socket, libc::SYS_socket);
        assert_eq!(event.body, Body::Socket(MakeSocket { family: 2, kind: 1, protocol: 0, flags: 0 }));
        assert_eq!(event.head.result, client.as_raw_fd().into());
        let event = one(&events, Kind::Connect, libc::SYS_connect);
        let socket = ends(event);
        assert_eq!((event.head.result, socket.fd, socket.shared), (0, client.as_raw_fd(), false), "{way:?}");
        assert_eq!((socket.family, socket.kind, socket.protocol), (2, 1, 6));
        assert_eq!((address(&socket.local), address(&socket.peer)), (Some(near), Some(server)), "{way:?}");
        assert_eq!((socket.peer.source, address(&socket.asked)), (Source::Kernel, Some(server)));
        let event = one(&events, Kind::Accept, libc::SYS_accept4);
        let socket = ends(event);
        assert_eq!((event.head.result, socket.fd), (accepted.as_raw_fd().into(), accepted.as_raw_fd()));
        assert_eq!((address(&socket.local), address(&socket.peer)), (Some(server), Some(near)), "{way:?}");
        // Data of a stream is told by no event of its own.
        assert!(of(&events, Kind::Send).is_empty());
    }
}

#[test]
fn a_refused_connection_tells_whom_it_was_for() {
    if !followed() {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for way in [Way::Inline, Way::Async] {
        let mut ring = Ring::new(way);
        let client = socket(&mut ring);
        let to = raw(port);
        let events =
            capture_of(KINDS).during(|| assert_eq!(ring.run(connect(&client, &to)), -libc::ECONNREFUSED));
        let event = one(&events, Kind::Connect, libc::SYS_connect);
        assert_eq!(event.head.result, -i64::from(libc::ECONNREFUSED));
        let wanted: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
        // From the socket, or, when that has lost it already, from the caller.
        assert_eq!(address(&ends(event).peer), Some(wanted));
    }
    // No socket there.
    let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let to = raw(port);
    let events = capture_of(KINDS)
        .during(|| assert_eq!(Ring::new(Way::Inline).run(connect(&file, &to)), -libc::ENOTSOCK));
    let event = one(&events, Kind::Connect, libc::SYS_connect);
    assert_eq!((ends(event).family, ends(event).fd), (0, file.as_raw_fd()));
}

#[test]
fn one_request_that_accepts_many_is_many_events() {
    if !followed() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let mut ring = Ring::new(Way::Inline);
    let mut clients = Vec::new();
    let events = capture_of(KINDS).during(|| {
        ring.submit(opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build());
        for _ in 0..3 {
            clients.push(TcpStream::connect(server).unwrap());
            drop(fd(ring.wait()));
        }
    });
    let accepted: Vec<_> =
        of(&events, Kind::Accept).into_iter().map(|event| address(&ends(event).peer)).collect();
    let wanted: Vec<_> = clients.iter().map(|client| client.local_addr().ok()).collect();
    assert_eq!(accepted, wanted);
}

#[test]
fn the_first_datagram_to_and_from_each_peer_is_told() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let mut ring = Ring::new(way);
        let (sender, receiver) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (from, to) = (sender.local_addr().unwrap(), receiver.local_addr().unwrap());
        let (mut name, mut back) = (raw(to.port()), raw(0));
        let mut vector = libc::iovec { iov_base: c"hello".as_ptr().cast_mut().cast(), iov_len: 5 };
        let header = header(&mut name, &mut vector);
        let mut buffer = [0u8; 16];
        let mut into = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: 16 };
        let mut answer = self::header(&mut back, &mut into);
        let events = capture_of(KINDS).during(|| {
            for _ in 0..2 {
                assert_eq!(
                    ring.run(opcode::SendMsg::new(Fd(sender.as_raw_fd()), &raw const header).build()),
                    5
                );
                let request = opcode::RecvMsg::new(Fd(receiver.as_raw_fd()), &raw mut answer).build();
                assert_eq!(ring.run(request), 5);
            }
        });
        let told = |kind, number| -> Message {
            let event = one(&events, kind, number);
            assert_eq!(event.head.result, 5, "{way:?}");
            match &event.body {
                Body::Send(message) | Body::Recv(message) => message.clone(),
                other => panic!("{other:?}"),
            }
        };
        let sent = told(Kind::Send, libc::SYS_sendmsg);
        assert_eq!((address(&sent.socket.asked), sent.bytes, sent.message), (Some(to), 5, 0), "{way:?}");
        assert_eq!((sent.socket.local.port, sent.socket.kind, sent.socket.fd), (from.port(), 2, -1));
        let heard = told(Kind::Recv, libc::SYS_recvmsg);
        assert_eq!(
            (address(&heard.socket.asked), address(&heard.socket.local)),
            (Some(from), Some(to)),
            "{way:?}"
        );
        // A connected socket knows its peer.
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        a.connect(b.local_addr().unwrap()).unwrap();
        let request = opcode::Send::new(Fd(a.as_raw_fd()), buffer.as_ptr(), 3).build();
        let events = capture_of(KINDS).during(|| assert_eq!(ring.run(request), 3));
        let Body::Send(message) = &one(&events, Kind::Send, libc::SYS_sendto).body else { unreachable!() };
        assert_eq!((address(&message.socket.peer), message.bytes), (b.local_addr().ok(), 3), "{way:?}");
    }
}

fn header(name: &mut libc::sockaddr_in, vector: &mut libc::iovec) -> libc::msghdr {
    libc::msghdr {
        msg_name: (&raw mut *name).cast(),
        msg_namelen: LEN,
        msg_iov: vector,
        msg_iovlen: 1,
        msg_control: std::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    }
}
