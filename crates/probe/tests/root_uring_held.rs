//! Requests of io_uring about what they hold: files cut, descriptors made of the ring's own files, and receipts of
//! which one request makes many. Needs root, and Linux 6.2 or newer; each test asks the kernel for its operation.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;
#[path = "harness/ring.rs"]
mod ring;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    },
    process,
};

use harness::{capture_of, of, owned};
use io_uring::{
    Probe, cqueue, opcode,
    squeue::Flags,
    types::{Fd, Fixed},
};
use ring::{Ring, WAYS, Way, followed, temp};
use sentinel_event::{
    Body, Dup, Endpoint, Event, FileTarget, FileTruncate, Kind, Path, PathFlags, Socket, Source, UserPath,
};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileTruncate, Kind::Dup, Kind::Recv];

/// Whether requests of this kernel can do that, and are followed.
fn can(code: u8) -> bool {
    let mut probe = Probe::new();
    Ring::new(Way::Inline).ring.submitter().register_probe(&mut probe).unwrap();
    followed() && probe.is_supported(code)
}

/// The events of `kind`, all of this process and of the call `number`.
fn all(events: &[Event], kind: Kind, number: libc::c_long) -> Vec<&Event> {
    let found = of(events, kind);
    for event in &found {
        assert_eq!((event.head.process.tgid, event.head.syscall.unwrap().0), (process::id(), number as u16));
    }
    found
}

fn kernel_dev(file: &File) -> u32 {
    let dev = file.metadata().unwrap().dev();
    libc::major(dev) << 20 | libc::minor(dev)
}

#[test]
fn a_file_is_cut_by_descriptor_and_by_slot() {
    if !can(opcode::Ftruncate::CODE) {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let path = dir.join("cut\n");
        fs::write(&path, "12345").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let reader = File::open(&path).unwrap();
        let mut ring = Ring::new(way);
        ring.ring.submitter().register_files(&[file.as_raw_fd()]).unwrap();
        let flags = PathFlags::default();
        let target = |fd, flags| FileTarget {
            path: Path { bytes: path.as_os_str().as_bytes().into(), flags },
            asked: UserPath::default(),
            ino: file.metadata().unwrap().ino(),
            dev: kernel_dev(&file),
            fd,
        };
        let (fd, unwritable) = (file.as_raw_fd(), reader.as_raw_fd());
        for (request, fd, size, result) in [
            (opcode::Ftruncate::new(Fd(fd), 3).build(), fd, 3, 0),
            (opcode::Ftruncate::new(Fixed(0), 2).build(), -1, 2, 0),
            (opcode::Ftruncate::new(Fd(unwritable), 1).build(), unwritable, 1, -libc::EINVAL),
        ] {
            let events = capture_of(KINDS).during(|| assert_eq!(ring.run(request), result));
            let [event] = all(&events, Kind::FileTruncate, libc::SYS_ftruncate)[..] else {
                panic!("{events:?}")
            };
            let want = FileTruncate { file: target(fd, flags), size };
            assert_eq!(
                (&event.body, event.head.result),
                (&Body::FileTruncate(want), result.into()),
                "{way:?}"
            );
        }
        // No file is there.
        let events = capture_of(KINDS)
            .during(|| assert_eq!(ring.run(opcode::Ftruncate::new(Fd(9999), 7).build()), -libc::EBADF));
        let [event] = all(&events, Kind::FileTruncate, libc::SYS_ftruncate)[..] else { panic!("{events:?}") };
        let nothing = FileTarget { fd: 9999, ..FileTarget::default() };
        assert_eq!(event.body, Body::FileTruncate(FileTruncate { file: nothing, size: 7 }));
        assert_eq!(file.metadata().unwrap().len(), 2);

        // One that asks for no completion is told as it begins, when only its descriptor is known.
        for (request, fd) in [
            (opcode::Ftruncate::new(Fd(fd), 1).build(), fd),
            (opcode::Ftruncate::new(Fixed(0), 0).build(), -1),
        ] {
            let events = capture_of(KINDS).during(|| {
                ring.submit(request.flags(Flags::SKIP_SUCCESS));
                assert_eq!(ring.run(opcode::Nop::new().build()), 0);
            });
            let [event] = all(&events, Kind::FileTruncate, libc::SYS_ftruncate)[..] else {
                panic!("{events:?}")
            };
            let size = u64::from(fd >= 0);
            let want = FileTruncate { file: target(fd, PathFlags::SHARED), size };
            assert_eq!((&event.body, event.head.result), (&Body::FileTruncate(want), 0), "{way:?}");
        }
    }
}

#[test]
fn a_descriptor_made_of_a_file_of_the_ring_is_a_dup() {
    if !can(opcode::FixedFdInstall::CODE) {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let path = dir.join("secret");
        let file = File::create(&path).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut ring = Ring::new(way);
        ring.ring.submitter().register_files(&[file.as_raw_fd(), client.as_raw_fd()]).unwrap();
        let mut install = |slot, flags| {
            let mut fd = 0;
            let events = capture_of(KINDS)
                .during(|| fd = ring.run(opcode::FixedFdInstall::new(Fixed(slot), flags).build()));
            let [event] = all(&events, Kind::Dup, libc::SYS_dup)[..] else { panic!("{events:?}") };
            assert_eq!(event.head.result, fd.into(), "{way:?}");
            if fd >= 0 {
                drop(owned(fd as usize));
            }
            let Body::Dup(dup) = event.body.clone() else { unreachable!() };
            (dup, fd)
        };
        let (dup, fd) = install(0, 0);
        let want = Dup {
            old_fd: -1,
            asked_fd: -1,
            flags: libc::O_CLOEXEC as u32,
            dev: kernel_dev(&file),
            ino: file.metadata().unwrap().ino(),
            path: Path { bytes: path.as_os_str().as_bytes().into(), flags: PathFlags::default() },
            socket: Socket { fd, ..Socket::default() },
        };
        assert_eq!(dup, want, "{way:?}");

        // IORING_FIXED_FD_NO_CLOEXEC
        let (dup, fd) = install(1, 1);
        let end = |address: SocketAddr| Endpoint {
            ip: Some(address.ip()),
            port: address.port(),
            path: "".into(),
            source: Source::Kernel,
        };
        let about = fs::metadata(format!("/proc/self/fd/{}", client.as_raw_fd())).unwrap();
        let want = Dup {
            old_fd: -1,
            asked_fd: -1,
            flags: 0,
            dev: about.dev() as u32,
            ino: about.ino(),
            path: Path::default(),
            socket: Socket {
                family: 2,
                kind: 1,
                protocol: 6,
                fd,
                local: end(client.local_addr().unwrap()),
                peer: end(client.peer_addr().unwrap()),
                shared: false,
                asked: Endpoint::default(),
                peer_names: Vec::new(),
            },
        };
        assert_eq!(dup, want, "{way:?}");

        let (dup, fd) = install(7, 0);
        assert_eq!((fd, dup.ino, dup.socket.fd), (-libc::EBADF, 0, -1), "{way:?}");
    }
}

/// Waits for the next completion: its result, and whether more are to come.
fn receipt(ring: &mut Ring) -> (i32, bool) {
    ring.ring.submit_and_wait(1).unwrap();
    let entry = ring.ring.completion().next().unwrap();
    (entry.result(), cqueue::more(entry.flags()))
}

#[test]
fn one_request_that_receives_many_tells_of_each_socket() {
    if !followed() {
        return;
    }
    for (way, header) in WAYS.into_iter().flat_map(|way| [(way, false), (way, true)]) {
        let mut buffers = vec![0u8; 8 * 256];
        let mut ring = Ring::new(way);
        let provide = opcode::ProvideBuffers::new(buffers.as_mut_ptr(), 256, 8, 1, 0).build();
        assert_eq!(ring.run(provide), 0);
        let (sender, receiver) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (from, to) = (sender.local_addr().unwrap(), receiver.local_addr().unwrap());
        receiver.connect(from).unwrap();
        let fd = Fd(receiver.as_raw_fd());
        // Room for an address in front of each message.
        let name = libc::msghdr {
            msg_name: std::ptr::null_mut(),
            msg_namelen: 16,
            msg_iov: std::ptr::null_mut(),
            msg_iovlen: 0,
            msg_control: std::ptr::null_mut(),
            msg_controllen: 0,
            msg_flags: 0,
        };
        let request = if header {
            opcode::RecvMsgMulti::new(fd, &raw const name, 1).build()
        } else {
            opcode::RecvMulti::new(fd, 1).build()
        };
        let events = capture_of(KINDS).during(|| {
            ring.submit(request.user_data(77));
            for _ in 0..3 {
                sender.send_to(b"hello", to).unwrap();
                assert_eq!(receipt(&mut ring), (if header { 16 + 16 + 5 } else { 5 }, true), "{way:?}");
            }
        });
        let number = if header { libc::SYS_recvmsg } else { libc::SYS_recvfrom };
        // The first from each peer, as by the call.
        let [event] = all(&events, Kind::Recv, number)[..] else { panic!("{way:?} {header}: {events:?}") };
        let Body::Recv(message) = &event.body else { unreachable!() };
        let end = |end: &Endpoint| end.ip.map(|ip| SocketAddr::new(ip, end.port));
        assert_eq!((end(&message.socket.local), end(&message.socket.peer)), (Some(to), Some(from)));
        assert_eq!((message.bytes, message.message, &message.socket.asked), (5, 0, &Endpoint::default()));
        assert_eq!((message.socket.fd, message.socket.shared), (-1, false));

        // The end of it is the last that it tells.
        let mut results = [0; 2];
        let events = capture_of(KINDS).during(|| {
            ring.submit(opcode::AsyncCancel::new(77).build());
            results = [receipt(&mut ring).0, receipt(&mut ring).0];
        });
        results.sort_unstable();
        assert_eq!(results, [-libc::ECANCELED, 0]);
        let told: Vec<_> = of(&events, Kind::Recv).iter().map(|event| event.head.result).collect();
        assert_eq!(told, [-i64::from(libc::ECANCELED)], "{way:?}");
        drop(buffers);
    }
}
