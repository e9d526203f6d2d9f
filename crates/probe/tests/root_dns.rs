//! Answers to questions about names, by every way they are received. Needs root: port 53 is of the privileged ones.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    io::{Read as _, Write as _},
    mem,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsRawFd as _,
    process, ptr,
    sync::atomic::{AtomicU8, Ordering},
};

use harness::{call, capture, of};
use sentinel_event::{Body, Dns, Event, Kind, Source};

/// `a.example` is 192.0.2.7 for a minute.
const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";

/// An address of this host that nobody else uses.
fn address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = process::id().to_be_bytes();
    Ipv4Addr::new(127, high | 128, low, NEXT.fetch_add(1, Ordering::Relaxed))
}

fn server() -> (UdpSocket, SocketAddr) {
    let server = UdpSocket::bind((address(), 53)).unwrap();
    let address = server.local_addr().unwrap();
    (server, address)
}

fn answers(events: &[Event]) -> Vec<(&Event, &Dns)> {
    of(events, Kind::Dns)
        .into_iter()
        .map(|event| match &event.body {
            Body::Dns(dns) => (event, dns),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn is_whole(dns: &Dns) {
    let found: Vec<_> =
        dns.addresses.iter().map(|at| format!("{} {} {}", at.name, at.ip, at.ttl_s)).collect();
    assert_eq!(
        (dns.question.to_string(), found.join(",")),
        ("a.example".into(), "a.example 192.0.2.7 60".into())
    );
    assert!(!dns.truncated && !dns.malformed);
}

#[test]
fn a_connected_socket_hears_by_any_call() {
    for number in [libc::SYS_recvfrom, libc::SYS_read, libc::SYS_recvmsg, libc::SYS_recvmmsg] {
        let (server, address) = server();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(address).unwrap();
        server.send_to(ANSWER, client.local_addr().unwrap()).unwrap();
        let (mut buffer, fd) = ([0u8; 1500], client.as_raw_fd() as usize);
        let mut piece = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let header = libc::msghdr {
            msg_name: ptr::null_mut(),
            msg_namelen: 0,
            msg_iov: &raw mut piece,
            msg_iovlen: 1,
            msg_control: ptr::null_mut(),
            msg_controllen: 0,
            msg_flags: 0,
        };
        let mut message = libc::mmsghdr { msg_hdr: header, msg_len: 0 };
        let at = if number == libc::SYS_recvmsg || number == libc::SYS_recvmmsg {
            &raw mut message as usize
        } else {
            buffer.as_mut_ptr() as usize
        };
        let length = if number == libc::SYS_recvmmsg { 1 } else { buffer.len() };
        let events = capture().during(|| {
            call(number, [fd, at, if number == libc::SYS_recvmsg { 0 } else { length }, 0, 0, 0]).unwrap();
        });
        let [(event, dns)] = answers(&events)[..] else { panic!("{number}: {events:?}") };
        is_whole(dns);
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!((dns.socket.peer.ip, dns.socket.peer.port), (Some(address.ip()), 53));
        assert_eq!((dns.socket.peer.source, dns.bytes as usize), (Source::Kernel, ANSWER.len()));
        assert_eq!((dns.record_type, dns.code, dns.socket.fd), (1, 0, client.as_raw_fd()));
        assert_eq!(mem::size_of_val(&message), 64, "as the kernel's side counts");
    }
}

#[test]
fn a_socket_that_is_not_connected_hears_from_whom_the_call_says() {
    let (server, address) = server();
    let (client, other) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    server.send_to(ANSWER, client.local_addr().unwrap()).unwrap();
    other.send_to(ANSWER, client.local_addr().unwrap()).unwrap();
    let events = capture().during(|| {
        for _ in 0..2 {
            client.recv_from(&mut [0; 1500]).unwrap();
        }
    });
    let [(_, dns)] = answers(&events)[..] else { panic!("another port is nobody's business: {events:?}") };
    is_whole(dns);
    assert_eq!((dns.socket.asked.ip, dns.socket.asked.port), (Some(address.ip()), 53));
    assert_eq!(dns.socket.asked.source, Source::User);
}

#[test]
fn questions_are_not_answers_and_long_answers_are_cut() {
    let (server, address) = server();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(address).unwrap();
    let long = [ANSWER, &[0; 900]].concat();
    for message in [QUESTION, b"short", &long] {
        server.send_to(message, client.local_addr().unwrap()).unwrap();
    }
    let events = capture().during(|| {
        for _ in 0..3 {
            client.recv(&mut [0; 1500]).unwrap();
        }
    });
    let [(_, dns)] = answers(&events)[..] else { panic!("{events:?}") };
    assert_eq!((dns.question.to_string(), dns.bytes as usize), ("a.example".into(), long.len()));
    assert!(dns.truncated && dns.addresses.len() == 1, "{dns:?}");
}

#[test]
fn by_tcp_the_length_may_come_first_or_alone() {
    let listener = TcpListener::bind((address(), 53)).unwrap();
    let framed = [&(ANSWER.len() as u16).to_be_bytes(), ANSWER].concat();
    for alone in [false, true] {
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.accept().unwrap().0.write_all(&framed).unwrap();
        let events = capture().during(|| {
            let mut buffer = vec![0; framed.len()];
            let (length, rest) = buffer.split_at_mut(if alone { 2 } else { 0 });
            client.read_exact(length).unwrap();
            client.read_exact(rest).unwrap();
        });
        let [(_, dns)] = answers(&events)[..] else { panic!("{alone}: {events:?}") };
        is_whole(dns);
    }
}
