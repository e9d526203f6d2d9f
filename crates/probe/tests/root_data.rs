//! The first bytes of what calls move, while somebody asks for them. Needs root. Before Linux 5.17 nobody
//! looks, which is what is tested there.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    os::{fd::AsRawFd as _, unix::net::UnixDatagram},
};

use harness::{Capture, call, capture_of, of};
use sentinel_event::{Body, Event, Kind, KindSet, Text};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileRead, Kind::FileWrite, Kind::Send, Kind::Recv];

fn data(event: &Event) -> &Text {
    match &event.body {
        Body::FileRead(io) | Body::FileWrite(io) => &io.data,
        Body::Send(message) | Body::Recv(message) => &message.data,
        other => panic!("{other:?}"),
    }
}

/// With data, or without.
fn ask(capture: &mut Capture, buffers: bool) {
    capture.probe.set_buffers(buffers);
    capture.probe.set_kinds(KindSet::all()).unwrap();
}

fn without_data(events: &[Event]) {
    let mut found = KINDS.iter().flat_map(|kind| of(events, *kind));
    assert!(found.all(|event| data(event).is_empty()), "{events:?}");
}

/// Whether data can be had here.
fn possible() -> bool {
    harness::kernel() >= (5, 17)
}

/// Does the same twice, and only the second time somebody asks. None where data cannot be had, when there was none.
fn asked(act: impl Fn()) -> Option<Vec<Event>> {
    let mut capture = capture_of(KINDS);
    let silent = capture.during(&act);
    without_data(&silent);
    ask(&mut capture, true);
    let events = capture.during(&act);
    ask(&mut capture, false);
    if possible() {
        return Some(events);
    }
    without_data(&events);
    None
}

#[test]
fn reads_and_writes_carry_their_first_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(200)).join("e".repeat(200)).join("f".repeat(200));
    fs::create_dir_all(&deep).unwrap();
    let long: Vec<u8> = (0..=255).collect();
    for path in [dir.path().join("f"), deep.join("g".repeat(200))] {
        fs::write(&path, &long).unwrap();
        let path = path.canonicalize().unwrap();
        let events = asked(|| {
            let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            file.read_exact(&mut [0; 7]).unwrap();
            file.read_exact(&mut [0; 7]).unwrap();
            file.write_all(&long[..100]).unwrap();
        });
        let Some(events) = events else { return };
        let [read, rest] = of(&events, Kind::FileRead)[..] else { panic!("{events:?}") };
        assert_eq!(*data(read), long[..7]);
        assert!(data(rest).is_empty(), "a sum has no data");
        let [write] = of(&events, Kind::FileWrite)[..] else { panic!("{events:?}") };
        assert_eq!(*data(write), long[..80], "no more than eighty bytes");
        for event in [read, write] {
            let (Body::FileRead(io) | Body::FileWrite(io)) = &event.body else { unreachable!() };
            assert_eq!(io.path.bytes, path.to_str().unwrap().as_bytes());
        }
    }
}

#[test]
fn every_call_that_has_data_tells_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let mut buffer = *b"ABCDEFGH";
    let at = buffer.as_mut_ptr() as usize;
    let vector = [at, 3, at + 4, 3];
    let v = vector.as_ptr() as usize;
    let calls: [(Kind, libc::c_long, [usize; 2], &[u8]); 8] = [
        (Kind::FileWrite, libc::SYS_pwrite64, [at, 5], b"ABCDE"),
        (Kind::FileWrite, libc::SYS_writev, [v, 2], b"ABC"),
        (Kind::FileWrite, libc::SYS_pwritev, [v, 2], b"ABC"),
        (Kind::FileWrite, libc::SYS_pwritev2, [v, 2], b"ABC"),
        (Kind::FileRead, libc::SYS_pread64, [at, 5], b"ABCDE"),
        (Kind::FileRead, libc::SYS_readv, [v, 2], b"ABC"),
        (Kind::FileRead, libc::SYS_preadv, [v, 2], b"ABC"),
        (Kind::FileRead, libc::SYS_preadv2, [v, 2], b"ABC"),
    ];
    for (kind, number, [p, q], expected) in calls {
        fs::write(&path, "ABCDEFGH").unwrap();
        let events = asked(|| {
            let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            call(number, [file.as_raw_fd() as usize, p, q, 0, 0, 0]).unwrap();
        });
        let Some(events) = events else { return };
        let [event] = of(&events, kind)[..] else { panic!("{number}: {events:?}") };
        assert_eq!(*data(event), expected, "{number}");
    }
}

#[test]
fn messages_carry_their_first_bytes() {
    let events = asked(|| {
        let (server, client) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        client.send_to(&[b'q'; 90], server.local_addr().unwrap()).unwrap();
        server.recv_from(&mut [0; 200]).unwrap();
    });
    let Some(events) = events else { return };
    let ([sent], [got]) = (&of(&events, Kind::Send)[..], &of(&events, Kind::Recv)[..]) else {
        panic!("{events:?}")
    };
    assert_eq!((data(sent).as_slice(), data(got).as_slice()), (&[b'q'; 80][..], &[b'q'; 80][..]));
    // With a header, and names of unix sockets beside the data.
    let dir = tempfile::tempdir().unwrap();
    let events = asked(|| {
        let path = dir.path().join("socket");
        let _ = fs::remove_file(&path);
        let server = UnixDatagram::bind(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.connect(&path).unwrap();
        let text = *b"hello";
        let vector = [text.as_ptr() as usize, text.len()];
        let header = [0, 0, vector.as_ptr() as usize, 1, 0, 0, 0];
        let args = [client.as_raw_fd() as usize, header.as_ptr() as usize, 0, 0, 0, 0];
        assert_eq!(call(libc::SYS_sendmsg, args).unwrap(), 5);
        let mut many = [0_usize; 16];
        many[..7].copy_from_slice(&header);
        many[8..15].copy_from_slice(&header);
        let args = [client.as_raw_fd() as usize, many.as_mut_ptr() as usize, 2, 0, 0, 0];
        let another = UnixDatagram::unbound().unwrap();
        another.connect(&path).unwrap();
        assert_eq!(call(libc::SYS_sendmmsg, [another.as_raw_fd() as usize, args[1], 2, 0, 0, 0]).unwrap(), 2);
        drop(server);
    });
    let Some(events) = events else { return };
    let told: Vec<_> = of(&events, Kind::Send).into_iter().map(|event| data(event).to_string()).collect();
    assert_eq!(told, ["hello", "hello"], "one of each socket");
}

#[test]
fn what_a_stream_moves_first_is_told_while_data_is_wanted() {
    let act = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        for text in ["GET / HTTP/1.1", "more"] {
            let fd = client.as_raw_fd() as usize;
            call(libc::SYS_sendto, [fd, text.as_ptr() as usize, text.len(), 0, 0, 0]).unwrap();
            let mut buffer = [0_u8; 64];
            let args = [server.as_raw_fd() as usize, buffer.as_mut_ptr() as usize, 64, 0, 0, 0];
            call(libc::SYS_recvfrom, args).unwrap();
        }
    };
    let mut capture = capture_of(KINDS);
    let silent = capture.during(act);
    assert!(of(&silent, Kind::Send).is_empty() && of(&silent, Kind::Recv).is_empty(), "{silent:?}");
    ask(&mut capture, true);
    let events = capture.during(act);
    ask(&mut capture, false);
    if !possible() {
        assert!(of(&events, Kind::Send).is_empty() && of(&events, Kind::Recv).is_empty(), "{events:?}");
        return;
    }
    for kind in [Kind::Send, Kind::Recv] {
        let [event] = of(&events, kind)[..] else { panic!("{events:?}") };
        assert_eq!(*data(event), "GET / HTTP/1.1", "{kind}");
        let (Body::Send(message) | Body::Recv(message)) = &event.body else { unreachable!() };
        assert_eq!((message.socket.kind, message.socket.protocol, message.bytes), (1, 6, 14));
    }
}
