//! Duplicated descriptors. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        fd::AsRawFd as _,
        unix::{fs::MetadataExt as _, net::UnixListener, net::UnixStream},
    },
};

use harness::{call, capture_of, of, owned};
use sentinel_event::{Body, Dup, Endpoint, Event, Kind, Socket};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::Dup];

const F_DUPFD: usize = libc::F_DUPFD as usize;
/// Its newer form where there is no other: without flags they are the same.
#[cfg(target_arch = "x86_64")]
const DUP2: libc::c_long = libc::SYS_dup2;
#[cfg(not(target_arch = "x86_64"))]
const DUP2: libc::c_long = libc::SYS_dup3;
const F_DUPFD_CLOEXEC: usize = libc::F_DUPFD_CLOEXEC as usize;

fn dup(event: &Event) -> &Dup {
    match &event.body {
        Body::Dup(dup) => dup,
        other => panic!("{other:?}"),
    }
}

fn address(end: &Endpoint) -> Option<SocketAddr> {
    end.ip.map(|ip| SocketAddr::new(ip, end.port))
}

#[test]
fn a_connection_put_onto_standard_input_is_one_event() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let saved = owned(call(libc::SYS_dup, [0, 0, 0, 0, 0, 0]).unwrap());
    let fd = client.as_raw_fd() as usize;
    let events = capture_of(KINDS).during(|| drop(call(DUP2, [fd, 0, 0, 0, 0, 0])));
    call(DUP2, [saved.as_raw_fd() as usize, 0, 0, 0, 0, 0]).unwrap();
    let [event] = of(&events, Kind::Dup)[..] else { panic!("{events:?}") };
    let dup = dup(event);
    assert_eq!((event.head.result, dup.old_fd as usize, dup.asked_fd, dup.flags), (0, fd, 0, 0));
    let socket = &dup.socket;
    assert_eq!((socket.family, socket.kind, socket.protocol, socket.fd), (2, 1, 6, 0));
    assert_eq!(address(&socket.local), Some(client.local_addr().unwrap()));
    assert_eq!(address(&socket.peer), Some(listener.local_addr().unwrap()));
    assert!(dup.path.bytes.is_empty() && dup.ino != 0);
}

#[test]
fn every_way_to_duplicate_tells_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(dir.path()).unwrap().join("f");
    let file = File::create(&path).unwrap();
    let ino = file.metadata().unwrap().ino();
    let fd = file.as_raw_fd() as usize;
    let cloexec = libc::O_CLOEXEC as usize;
    let cases = [
        (libc::SYS_dup, [fd, 0, 0, 0, 0, 0], -1, 0),
        (DUP2, [fd, 300, 0, 0, 0, 0], 300, 0),
        (libc::SYS_dup3, [fd, 301, cloexec, 0, 0, 0], 301, cloexec as u32),
        (libc::SYS_fcntl, [fd, F_DUPFD, 302, 0, 0, 0], 302, 0),
        (libc::SYS_fcntl, [fd, F_DUPFD_CLOEXEC, 303, 0, 0, 0], 303, cloexec as u32),
    ];
    for (number, args, asked, flags) in cases {
        let mut new = 0;
        let events = capture_of(KINDS).during(|| new = call(number, args).unwrap());
        drop(owned(new));
        let [event] = of(&events, Kind::Dup)[..] else { panic!("{events:?}") };
        let dup = dup(event);
        assert_eq!((event.head.result as usize, event.head.syscall.unwrap().0), (new, number as u16));
        assert_eq!((dup.old_fd as usize, dup.asked_fd, dup.flags, dup.ino), (fd, asked, flags, ino));
        assert_eq!(dup.path.bytes, path.to_str().unwrap());
        assert!(dup.dev != 0);
        assert_eq!(dup.socket, Socket { fd: new as i32, ..Socket::default() });
    }
}

#[test]
fn unix_sockets_pipes_and_nothing_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let _listener = UnixListener::bind(&path).unwrap();
    let stream = UnixStream::connect(&path).unwrap();
    let (pipe, _writer) = std::io::pipe().unwrap();
    for (fd, family, peer) in [(stream.as_raw_fd(), 1, path.to_str().unwrap()), (pipe.as_raw_fd(), 0, "")] {
        let mut new = 0;
        let events =
            capture_of(KINDS).during(|| new = call(libc::SYS_dup, [fd as usize, 0, 0, 0, 0, 0]).unwrap());
        drop(owned(new));
        let [event] = of(&events, Kind::Dup)[..] else { panic!("{events:?}") };
        let dup = dup(event);
        assert_eq!((dup.socket.family, dup.old_fd), (family, fd));
        assert_eq!(dup.socket.peer.path, peer);
        assert!(dup.path.bytes.is_empty() && dup.ino != 0);
    }
    let events = capture_of(KINDS).during(|| assert!(call(DUP2, [9999, 5, 0, 0, 0, 0]).is_err()));
    let [event] = of(&events, Kind::Dup)[..] else { panic!("{events:?}") };
    let socket = Socket { fd: 9999, ..Socket::default() };
    assert_eq!(*dup(event), Dup { old_fd: 9999, asked_fd: 5, socket, ..Dup::default() });
    assert_eq!(event.head.result, -i64::from(libc::EBADF));
}

#[test]
fn other_uses_of_fcntl_are_no_events() {
    let events =
        capture_of(KINDS).during(|| drop(call(libc::SYS_fcntl, [0, libc::F_GETFD as usize, 0, 0, 0, 0])));
    assert!(of(&events, Kind::Dup).is_empty());
}
