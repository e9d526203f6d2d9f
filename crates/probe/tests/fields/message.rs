//! Datagrams, and answers about names.

use std::{
    net::{Ipv4Addr, UdpSocket},
    os::{fd::AsRawFd as _, unix::net::UnixDatagram},
};

use sentinel_event::{Body, Dns, Kind, Message, NamedAddress, Socket, Source};

use super::{
    acting::{Told, one, told},
    file::{data, data_is_told},
    net::{Ends, UDP, ip, nowhere, sockaddr, sockaddr_un, socket, two_paths, unix, unset},
};

fn message(socket: Socket, bytes: u64, flags: u32, message: u32, text: &str) -> Message {
    Message { socket, bytes, flags, message, data: data(text) }
}

fn message_never() -> &'static [&'static str] {
    if data_is_told() { &["socket.peer_names"] } else { &["data", "socket.peer_names"] }
}

/// What sendmmsg and recvmmsg take for one message.
fn message_header(name: &[u8], piece: &[usize; 2]) -> [usize; 8] {
    [name.as_ptr() as usize, name.len(), piece.as_ptr() as usize, 1, 0, 0, 0, 0]
}

pub fn send() -> Told {
    let (one_peer, other) =
        (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (local, fd) = (sender.local_addr().unwrap(), sender.as_raw_fd());
    let to = other.local_addr().unwrap();
    let flags = libc::MSG_NOSIGNAL as u32;
    // To one that it has been told of already, and to another.
    let names = [sockaddr(one_peer.local_addr().unwrap()), sockaddr(to)];
    let args =
        |number: usize| [fd as usize, b"hi".as_ptr() as usize, 2, 0, names[number].as_ptr() as usize, 16];
    one(Kind::Send, libc::SYS_sendto, args(0));
    let text = *b"hello";
    let piece = [text.as_ptr() as usize, text.len()];
    let vector = names.each_ref().map(|name| message_header(name, &piece));
    let args = [fd as usize, vector.as_ptr() as usize, 2, flags as usize, 0, 0];
    let (by_address, result) = one(Kind::Send, libc::SYS_sendmmsg, args);
    assert_eq!(result, 2);
    let ends = Ends { local: ip(local, Source::Kernel), peer: unset(), asked: ip(to, Source::User) };
    let mut pairs = vec![(by_address, Body::Send(message(socket(UDP, fd, ends), 5, flags, 1, "hello")))];

    let third = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = third.local_addr().unwrap();
    sender.connect(to).unwrap();
    let (connected, _) =
        one(Kind::Send, libc::SYS_sendto, [fd as usize, b"abc".as_ptr() as usize, 3, 0, 0, 0]);
    let ends = Ends { local: ip(local, Source::Kernel), peer: ip(to, Source::Kernel), asked: nowhere() };
    pairs.push((connected, Body::Send(message(socket(UDP, fd, ends), 3, 0, 0, "abc"))));

    let (_dir, server, client) = two_paths();
    let server_socket = UnixDatagram::bind(&server).unwrap();
    let client_socket = UnixDatagram::bind(&client).unwrap();
    let (fd, name) = (client_socket.as_raw_fd(), sockaddr_un(&server));
    let args = [fd as usize, b"abcd".as_ptr() as usize, 4, 0, name.as_ptr() as usize, name.len()];
    let (by_path, _) = one(Kind::Send, libc::SYS_sendto, args);
    let ends =
        Ends { local: unix(&client, Source::Kernel), peer: nowhere(), asked: unix(&server, Source::User) };
    pairs.push((by_path, Body::Send(message(socket((1, 2, 0), fd, ends), 4, 0, 0, "abcd"))));

    server_socket.connect(&client).unwrap();
    let fd = server_socket.as_raw_fd();
    let args = [fd as usize, b"abcdef".as_ptr() as usize, 6, 0, 0, 0];
    let (paired, _) = one(Kind::Send, libc::SYS_sendto, args);
    let ends =
        Ends { local: unix(&server, Source::Kernel), peer: unix(&client, Source::Kernel), asked: nowhere() };
    pairs.push((paired, Body::Send(message(socket((1, 2, 0), fd, ends), 6, 0, 0, "abcdef"))));
    told(message_never(), pairs)
}

pub fn recv() -> Told {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (local, fd) = (receiver.local_addr().unwrap(), receiver.as_raw_fd());
    let peers = ["127.0.0.1:0", "127.0.0.2:0"].map(|any| UdpSocket::bind(any).unwrap());
    let from = peers[1].local_addr().unwrap();
    let names = [[0u8; 16]; 2];
    let (buffer, no_flags) = ([0u8; 9], 0);
    let piece = [buffer.as_ptr() as usize, buffer.len()];
    // From one that it has been told of already, and from another.
    peers[0].send_to(b"hi", local).unwrap();
    let (first, length) = ([0u8; 16], 16u32);
    let args =
        [fd as usize, buffer.as_ptr() as usize, 9, 0, first.as_ptr() as usize, &raw const length as usize];
    one(Kind::Recv, libc::SYS_recvfrom, args);
    peers[0].send_to(b"again", local).unwrap();
    peers[1].send_to(b"hello", local).unwrap();
    let vector = names.each_ref().map(|name| message_header(name, &piece));
    let flags = libc::MSG_DONTWAIT as u32;
    let args = [fd as usize, vector.as_ptr() as usize, 2, flags as usize, 0, 0];
    let (by_address, result) = one(Kind::Recv, libc::SYS_recvmmsg, args);
    assert_eq!(result, 2);
    let ends = Ends { local: ip(local, Source::Kernel), peer: unset(), asked: ip(from, Source::User) };
    let mut pairs = vec![(by_address, Body::Recv(message(socket(UDP, fd, ends), 5, flags, 1, "hello")))];

    let (_dir, server, client) = two_paths();
    let (one_end, other) = (UnixDatagram::bind(&server).unwrap(), UnixDatagram::bind(&client).unwrap());
    one_end.connect(&client).unwrap();
    other.connect(&server).unwrap();
    other.send(b"abcd").unwrap();
    let (name, length) = ([0u8; 110], 110u32);
    let fd = one_end.as_raw_fd();
    let args =
        [fd as usize, buffer.as_ptr() as usize, 9, 0, name.as_ptr() as usize, &raw const length as usize];
    let (by_path, _) = one(Kind::Recv, libc::SYS_recvfrom, args);
    let ends = Ends {
        local: unix(&server, Source::Kernel),
        peer: unix(&client, Source::Kernel),
        asked: unix(&client, Source::User),
    };
    pairs.push((by_path, Body::Recv(message(socket((1, 2, 0), fd, ends), 4, no_flags, 0, "abcd"))));

    let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
    connected.connect(from).unwrap();
    let (local, fd) = (connected.local_addr().unwrap(), connected.as_raw_fd());
    peers[1].send_to(b"abc", local).unwrap();
    let args = [fd as usize, buffer.as_ptr() as usize, 9, 0, 0, 0];
    let (told_peer, _) = one(Kind::Recv, libc::SYS_recvfrom, args);
    let ends = Ends { local: ip(local, Source::Kernel), peer: ip(from, Source::Kernel), asked: nowhere() };
    pairs.push((told_peer, Body::Recv(message(socket(UDP, fd, ends), 3, 0, 0, "abc"))));
    told(message_never(), pairs)
}

/// `a.example` is 192.0.2.7 for a minute.
const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

pub fn dns() -> Told {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    // An address of this host that nobody else uses.
    let server = UdpSocket::bind((Ipv4Addr::new(127, high | 128, low, 200), 53)).unwrap();
    let from = server.local_addr().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (local, fd) = (client.local_addr().unwrap(), client.as_raw_fd());
    let (buffer, name, length) = ([0u8; 99], [0u8; 16], 16u32);
    let call = |with_name: bool, message: &[u8]| {
        server.send_to(message, local).unwrap();
        let [name, length] =
            if with_name { [name.as_ptr() as usize, &raw const length as usize] } else { [0, 0] };
        let args = [fd as usize, buffer.as_ptr() as usize, 99, 0, name, length];
        let (body, result) = one(Kind::Dns, libc::SYS_recvfrom, args);
        assert_eq!(result as usize, message.len());
        body
    };
    let at = || ip(local, Source::Kernel);
    // The last byte of the address is missing.
    let cut = call(true, &ANSWER[..ANSWER.len() - 1]);
    let unconnected = Ends { local: at(), peer: unset(), asked: ip(from, Source::User) };
    client.connect(from).unwrap();
    let whole = call(false, ANSWER);
    let local = client.local_addr().unwrap();
    let connected =
        || Ends { local: ip(local, Source::Kernel), peer: ip(from, Source::Kernel), asked: nowhere() };
    // There is no such name, and something has been left out.
    let mut refusal = ANSWER[..27].to_vec();
    refusal[2..8].copy_from_slice(&[0x83, 0x83, 0, 1, 0, 0]);
    let refused = call(false, &refusal);
    let answer = |socket, code, addresses, bytes: usize, truncated, malformed| {
        let (question, record_type, bytes) = ("a.example".into(), 1, bytes as u32);
        Body::Dns(Dns { socket, question, record_type, code, addresses, bytes, truncated, malformed })
    };
    let address =
        NamedAddress { name: "a.example".into(), ip: Ipv4Addr::new(192, 0, 2, 7).into(), ttl_s: 60 };
    let pairs = vec![
        (cut, answer(socket(UDP, fd, unconnected), 0, Vec::new(), ANSWER.len() - 1, false, true)),
        (whole, answer(socket(UDP, fd, connected()), 0, vec![address], ANSWER.len(), false, false)),
        (refused, answer(socket(UDP, fd, connected()), 3, Vec::new(), 27, true, false)),
    ];
    told(&["socket.asked.path", "socket.local.path", "socket.peer.path", "socket.peer_names"], pairs)
}
