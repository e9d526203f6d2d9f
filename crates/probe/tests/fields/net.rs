//! Sockets.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        fd::AsRawFd as _,
        unix::{fs::MetadataExt as _, net::UnixListener},
    },
    path::{Path as FilePath, PathBuf},
};

use sentinel_event::{
    Accept, Bind, Body, Connect, Dup, Endpoint, Kind, Listen, MakeSocket, Path, Socket, Source,
};

use super::{
    acting::{Told, device, one, shared, temp, told},
    harness::{call, owned},
};

/// An end of an IP socket.
pub fn ip(address: SocketAddr, source: Source) -> Endpoint {
    Endpoint { ip: Some(address.ip()), port: address.port(), path: "".into(), source }
}

/// An end of a unix socket.
pub fn unix(path: impl AsRef<FilePath>, source: Source) -> Endpoint {
    Endpoint { ip: None, port: 0, path: path.as_ref().to_str().unwrap().into(), source }
}

pub fn nowhere() -> Endpoint {
    Endpoint { ip: None, port: 0, path: "".into(), source: Source::None }
}

/// An IP socket that has no peer, as the kernel says.
pub fn unset() -> Endpoint {
    Endpoint { ip: None, port: 0, path: "".into(), source: Source::Kernel }
}

pub struct Ends {
    pub local: Endpoint,
    pub peer: Endpoint,
    pub asked: Endpoint,
}

/// As threads see it that share their descriptors. Who answered for a name is for others to add.
pub fn socket(about: (u16, u16, u16), fd: i32, ends: Ends) -> Socket {
    let ((family, kind, protocol), Ends { local, peer, asked }) = (about, ends);
    Socket { family, kind, protocol, fd, local, peer, shared: true, asked, peer_names: Vec::new() }
}

const TCP: (u16, u16, u16) = (2, 1, 6);
pub const UDP: (u16, u16, u16) = (2, 2, 17);
const STREAM: (u16, u16, u16) = (1, 1, 0);

/// What the kernel takes for an address.
pub fn sockaddr(address: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(address) = address else { panic!("{address}") };
    let family = 2u16.to_ne_bytes();
    [&family[..], &address.port().to_be_bytes(), &address.ip().octets(), &[0; 8]].concat()
}

pub fn sockaddr_un(path: &FilePath) -> Vec<u8> {
    [&1u16.to_ne_bytes()[..], path.as_os_str().as_encoded_bytes(), &[0]].concat()
}

/// A stream of unix sockets that has a name of its own.
fn unix_bound(path: &FilePath) -> std::os::fd::OwnedFd {
    let fd = call(libc::SYS_socket, [1, 1, 0, 0, 0, 0]).unwrap();
    let name = sockaddr_un(path);
    call(libc::SYS_bind, [fd, name.as_ptr() as usize, name.len(), 0, 0, 0]).unwrap();
    owned(fd)
}

pub fn two_paths() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (dir, base) = temp();
    (dir, base.join("server\n"), base.join("client"))
}

pub fn connect() -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let client = owned(call(libc::SYS_socket, [2, 1, 0, 0, 0, 0]).unwrap());
    let (fd, name) = (client.as_raw_fd(), sockaddr(server));
    let (by_ip, _) =
        one(Kind::Connect, libc::SYS_connect, [fd as usize, name.as_ptr() as usize, name.len(), 0, 0, 0]);
    let local = TcpStream::from(client).local_addr().unwrap();
    let ends = Ends {
        local: ip(local, Source::Kernel),
        peer: ip(server, Source::Kernel),
        asked: ip(server, Source::User),
    };
    let want_ip = socket(TCP, fd, ends);

    let (_dir, server, client) = two_paths();
    let _listener = UnixListener::bind(&server).unwrap();
    let (socket_fd, name) = (unix_bound(&client), sockaddr_un(&server));
    let fd = socket_fd.as_raw_fd();
    let (by_path, _) =
        one(Kind::Connect, libc::SYS_connect, [fd as usize, name.as_ptr() as usize, name.len(), 0, 0, 0]);
    let ends = Ends {
        local: unix(&client, Source::Kernel),
        peer: unix(&server, Source::Kernel),
        asked: unix(&server, Source::User),
    };
    let connect = |socket| Body::Connect(Connect { socket });
    told(
        &["socket.peer_names"],
        vec![(by_ip, connect(want_ip)), (by_path, connect(socket(STREAM, fd, ends)))],
    )
}

pub fn accept() -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let client = TcpStream::connect(server).unwrap();
    let (by_ip, fd) = one(Kind::Accept, libc::SYS_accept4, [listener.as_raw_fd() as usize, 0, 0, 0, 0, 0]);
    drop(owned(fd as usize));
    let ends = Ends {
        local: ip(server, Source::Kernel),
        peer: ip(client.local_addr().unwrap(), Source::Kernel),
        asked: nowhere(),
    };
    let want_ip = socket(TCP, fd as i32, ends);

    let (_dir, server, client) = two_paths();
    let listener = UnixListener::bind(&server).unwrap();
    let (socket_fd, name) = (unix_bound(&client), sockaddr_un(&server));
    call(libc::SYS_connect, [socket_fd.as_raw_fd() as usize, name.as_ptr() as usize, name.len(), 0, 0, 0])
        .unwrap();
    let (by_path, fd) = one(Kind::Accept, libc::SYS_accept4, [listener.as_raw_fd() as usize, 0, 0, 0, 0, 0]);
    drop(owned(fd as usize));
    let ends =
        Ends { local: unix(&server, Source::Kernel), peer: unix(&client, Source::Kernel), asked: nowhere() };
    let accept = |socket| Body::Accept(Accept { socket });
    // Nobody asks for whom to accept.
    let never = &[
        "socket.asked.ip",
        "socket.asked.path",
        "socket.asked.port",
        "socket.asked.source",
        "socket.peer_names",
    ];
    told(never, vec![(by_ip, accept(want_ip)), (by_path, accept(socket(STREAM, fd as i32, ends)))])
}

/// What a socket cannot tell that has no peer yet: but for IP, where it comes from that there is none.
const NO_PEER: &[&str] = &["socket.peer.ip", "socket.peer.path", "socket.peer.port", "socket.peer_names"];

pub fn bind() -> Told {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tcp = owned(call(libc::SYS_socket, [2, 1, 0, 0, 0, 0]).unwrap());
    let (fd, name) = (tcp.as_raw_fd(), sockaddr(taken));
    let (by_ip, result) =
        one(Kind::Bind, libc::SYS_bind, [fd as usize, name.as_ptr() as usize, name.len(), 0, 0, 0]);
    assert_eq!(result, 0);
    let ends = Ends { local: ip(taken, Source::Kernel), peer: unset(), asked: ip(taken, Source::User) };
    let want_ip = socket(TCP, fd, ends);

    let (_dir, server, _) = two_paths();
    let stream = owned(call(libc::SYS_socket, [1, 1, 0, 0, 0, 0]).unwrap());
    let (fd, name) = (stream.as_raw_fd(), sockaddr_un(&server));
    let (by_path, _) =
        one(Kind::Bind, libc::SYS_bind, [fd as usize, name.as_ptr() as usize, name.len(), 0, 0, 0]);
    let ends =
        Ends { local: unix(&server, Source::Kernel), peer: nowhere(), asked: unix(&server, Source::User) };
    let bind = |socket| Body::Bind(Bind { socket });
    told(NO_PEER, vec![(by_ip, bind(want_ip)), (by_path, bind(socket(STREAM, fd, ends)))])
}

pub fn listen() -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fd = listener.as_raw_fd();
    let (by_ip, _) = one(Kind::Listen, libc::SYS_listen, [fd as usize, 7, 0, 0, 0, 0]);
    let local = ip(listener.local_addr().unwrap(), Source::Kernel);
    let want_ip = socket(TCP, fd, Ends { local, peer: unset(), asked: nowhere() });

    let (_dir, server, _) = two_paths();
    let stream = UnixListener::bind(&server).unwrap();
    let fd = stream.as_raw_fd();
    let (by_path, _) = one(Kind::Listen, libc::SYS_listen, [fd as usize, 8, 0, 0, 0, 0]);
    let ends = Ends { local: unix(&server, Source::Kernel), peer: nowhere(), asked: nowhere() };
    let listen = |socket, backlog| Body::Listen(Listen { socket, backlog });
    let never = &[
        "socket.asked.ip",
        "socket.asked.path",
        "socket.asked.port",
        "socket.asked.source",
        "socket.peer.ip",
        "socket.peer.path",
        "socket.peer.port",
        "socket.peer_names",
    ];
    told(never, vec![(by_ip, listen(want_ip, 7)), (by_path, listen(socket(STREAM, fd, ends), 8))])
}

pub fn socket_made() -> Told {
    let flags = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as usize;
    let (made, fd) = one(Kind::Socket, libc::SYS_socket, [10, 2 | flags, 17, 0, 0, 0]);
    drop(owned(fd as usize));
    let want = MakeSocket { family: 10, kind: 2, protocol: 17, flags: flags as u32 };
    told(&[], vec![(made, Body::Socket(want))])
}

pub fn dup() -> Told {
    let about = |fd: i32| {
        let file = std::fs::metadata(format!("/proc/self/fd/{fd}")).unwrap();
        (device(file.dev()), file.ino())
    };
    let none = |fd| Socket {
        family: 0,
        kind: 0,
        protocol: 0,
        fd,
        local: nowhere(),
        peer: nowhere(),
        shared: false,
        asked: nowhere(),
        peer_names: Vec::new(),
    };
    let cloexec = libc::O_CLOEXEC as usize;
    let mut pairs = Vec::new();
    let mut dup = |fd: i32, path: Path, end: &dyn Fn(i32) -> Socket| {
        let (body, new) = one(Kind::Dup, libc::SYS_dup3, [fd as usize, 700, cloexec, 0, 0, 0]);
        drop(owned(new as usize));
        let (dev, ino) = about(fd);
        let socket = end(new as i32);
        let want = Dup { old_fd: fd, asked_fd: 700, flags: cloexec as u32, dev, ino, path, socket };
        pairs.push((body, Body::Dup(want)));
    };
    let (_dir, base) = temp();
    let file = File::create(base.join("f")).unwrap();
    dup(file.as_raw_fd(), shared(base.join("f")), &none);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (local, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    let ends = || Ends { local: ip(local, Source::Kernel), peer: ip(peer, Source::Kernel), asked: nowhere() };
    dup(client.as_raw_fd(), Path::default(), &|fd| socket(TCP, fd, ends()));

    let (_dir, server, client) = two_paths();
    let _listener = UnixListener::bind(&server).unwrap();
    let (stream, name) = (unix_bound(&client), sockaddr_un(&server));
    call(libc::SYS_connect, [stream.as_raw_fd() as usize, name.as_ptr() as usize, name.len(), 0, 0, 0])
        .unwrap();
    let ends = || Ends {
        local: unix(&client, Source::Kernel),
        peer: unix(&server, Source::Kernel),
        asked: nowhere(),
    };
    dup(stream.as_raw_fd(), Path::default(), &|fd| socket(STREAM, fd, ends()));
    // No call of these takes an address.
    let never = &[
        "socket.asked.ip",
        "socket.asked.path",
        "socket.asked.port",
        "socket.asked.source",
        "socket.peer_names",
    ];
    told(never, pairs)
}
