//! Reads, writes and messages through io_uring that end without a word, or tell many times. Needs root, and Linux 6.2 or newer.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;
#[path = "harness/ring.rs"]
mod ring;

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    net::{SocketAddr, UdpSocket},
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    },
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use harness::{Capture, c, capture_of, of};
use io_uring::{
    IoUring, Probe, opcode,
    squeue::{Entry, Flags},
    types::{DestinationSlot, Fd, Fixed},
};
use ring::{CWD, Ring, WAYS, Way, followed, temp};
use sentinel_event::{Body, Event, FileIo, Kind, PathFlags, Socket};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileRead, Kind::FileWrite, Kind::Send, Kind::Recv];

/// Submits `requests`, of which only the last tells that it has succeeded, one after the other, and waits for that.
#[expect(unsafe_code, reason = "requests hold pointers")]
fn silently(ring: &mut Ring, requests: &[Entry]) {
    let way = if ring.way == Way::Async { Flags::ASYNC } else { Flags::empty() };
    let silent = requests.iter().map(|one| one.clone().flags(way | Flags::SKIP_SUCCESS | Flags::IO_LINK));
    let all: Vec<Entry> = silent.chain([opcode::Nop::new().build()]).collect();
    // SAFETY: every caller keeps what the requests point at until this has returned, and then they have ended.
    unsafe { ring.ring.submission().push_multiple(&all).unwrap() };
    assert_eq!(ring.wait(), 0);
    assert!(ring.ring.completion().is_empty());
}

/// The only event of `kind`, of this process, told as that call, which has returned 0.
fn one(events: &[Event], kind: Kind, number: libc::c_long) -> &Event {
    let [event] = of(events, kind)[..] else { panic!("{kind}: {events:?}") };
    let head = &event.head;
    assert_eq!((head.process.tgid, head.syscall.unwrap().0, head.result), (process::id(), number as u16, 0));
    event
}

fn io(event: &Event) -> &FileIo {
    match &event.body {
        Body::FileRead(io) | Body::FileWrite(io) => io,
        other => panic!("{other:?}"),
    }
}

/// Events of `kind` that were lost so far.
fn lost(capture: &Capture, kind: Kind) -> u64 {
    let counters = capture.probe.counters().unwrap();
    counters.kinds.iter().find(|counts| counts.kind == kind).unwrap().lost
}

#[test]
fn reads_and_writes_without_a_completion_are_seen() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let path = dir.join("quiet");
        fs::write(&path, "secret").unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut ring = Ring::new(way);
        let (mut buffer, text) = ([0u8; 6], *b"SECRET");
        let events = capture_of(KINDS).during(|| {
            let fd = Fd(file.as_raw_fd());
            let read = opcode::Read::new(fd, buffer.as_mut_ptr(), 6).offset(0).build();
            let write = opcode::Write::new(fd, text.as_ptr(), 6).offset(0).build();
            silently(&mut ring, &[read, write]);
        });
        assert_eq!((&buffer, &fs::read(&path).unwrap()[..]), (b"secret", &text[..]), "{way:?}");
        for (kind, call) in [(Kind::FileRead, libc::SYS_read), (Kind::FileWrite, libc::SYS_write)] {
            let io = io(one(&events, kind, call));
            assert_eq!(
                (&io.path.bytes[..], io.calls, io.bytes),
                (path.as_os_str().as_bytes(), 1, 0),
                "{way:?}"
            );
            assert!(io.path.flags.contains(PathFlags::SHARED), "{io:?}");
            assert_eq!(io.fd, file.as_raw_fd());
        }
    }
}

#[test]
fn one_that_fails_after_all_tells_no_second_time() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("f"), "x").unwrap();
    let file = OpenOptions::new().read(true).open(dir.join("f")).unwrap();
    let mut ring = Ring::new(Way::Inline);
    let request = opcode::Read::new(Fd(file.as_raw_fd()), std::ptr::without_provenance_mut(1), 1)
        .build()
        .flags(Flags::SKIP_SUCCESS);
    let events = capture_of(KINDS).during(|| assert_eq!(ring.run(request), -libc::EFAULT));
    one(&events, Kind::FileRead, libc::SYS_read);
}

#[test]
fn a_read_of_what_is_opened_later_in_its_chain_counts_as_lost() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("later"), "secret").unwrap();
    let name = c(dir.join("later"));
    let mut ring = Ring::new(Way::Inline);
    ring.ring.submitter().register_files_sparse(1).unwrap();
    let mut buffer = [0u8; 6];
    let slot = DestinationSlot::try_from_slot_target(0).unwrap();
    let open = opcode::OpenAt::new(CWD, name.as_ptr()).file_index(Some(slot)).build();
    let read = opcode::Read::new(Fixed(0), buffer.as_mut_ptr(), 6).offset(0).build();
    let mut capture = capture_of(KINDS);
    let before = lost(&capture, Kind::FileRead);
    let events = capture.during(|| silently(&mut ring, &[open, read]));
    assert_eq!(&buffer, b"secret");
    assert!(of(&events, Kind::FileRead).is_empty());
    assert_eq!(lost(&capture, Kind::FileRead) - before, 1);
}

#[test]
fn what_overflows_the_queue_counts_as_lost() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("full"), "secret").unwrap();
    let file = OpenOptions::new().read(true).open(dir.join("full")).unwrap();
    let mut ring = Ring { ring: IoUring::builder().setup_cqsize(2).build(2).unwrap(), way: Way::Inline };
    let mut buffer = [0u8; 6];
    let mut capture = capture_of(KINDS);
    let before = lost(&capture, Kind::FileRead);
    capture.during(|| {
        for _ in 0..5 {
            ring.submit(opcode::Read::new(Fd(file.as_raw_fd()), buffer.as_mut_ptr(), 6).offset(0).build());
        }
        // A worker may be about to read.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !ring.ring.submission().cq_overflow() {
            assert!(Instant::now() < deadline, "the queue has not overflowed");
            thread::sleep(Duration::from_millis(10));
        }
        for _ in 0..5 {
            assert_eq!(ring.wait(), 6);
        }
    });
    assert_eq!(lost(&capture, Kind::FileRead) - before, 3);
}

#[test]
fn one_request_that_reads_many_times_is_a_read() {
    let mut probe = Probe::new();
    Ring::new(Way::Inline).ring.submitter().register_probe(&mut probe).unwrap();
    if !followed() || !probe.is_supported(opcode::ReadMulti::CODE) {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let path = dir.join("queue");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        let mut buffers = vec![0u8; 4 * 64];
        let mut ring = Ring::new(way);
        assert_eq!(ring.run(opcode::ProvideBuffers::new(buffers.as_mut_ptr(), 64, 4, 1, 0).build()), 0);
        let events = capture_of(KINDS).during(|| {
            ring.submit(opcode::ReadMulti::new(Fd(reader.as_raw_fd()), 0, 1).build().user_data(5));
            for _ in 0..2 {
                writer.write_all(b"hello").unwrap();
                assert_eq!(ring.wait(), 5, "{way:?}");
            }
        });
        let event = one_read(&events, &path);
        assert_eq!((io(event).calls, io(event).bytes, io(event).fd), (1, 5, -1), "{way:?}");
        ring.submit(opcode::AsyncCancel::new(5).build());
        let mut results = [ring.wait(), ring.wait()];
        results.sort_unstable();
        assert_eq!(results, [-libc::ECANCELED, 0], "{way:?}");
        drop(buffers);
    }
}

/// The first read of `path`: the second is only counted.
fn one_read<'a>(events: &'a [Event], path: &Path) -> &'a Event {
    let [event] = of(events, Kind::FileRead)[..] else { panic!("{events:?}") };
    assert_eq!(io(event).path.bytes, path.as_os_str().as_bytes());
    assert_eq!(event.head.syscall.map(|call| i64::from(call.0)), Some(libc::SYS_read));
    event
}

#[test]
fn messages_without_a_completion_are_seen() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (here, there) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (from, to) = (here.local_addr().unwrap(), there.local_addr().unwrap());
        here.connect(to).unwrap();
        there.connect(from).unwrap();
        let mut ring = Ring::new(way);
        let mut buffer = [0u8; 2];
        let events = capture_of(KINDS).during(|| {
            let send = opcode::Send::new(Fd(here.as_raw_fd()), b"hi".as_ptr(), 2).build();
            let receive = opcode::Recv::new(Fd(there.as_raw_fd()), buffer.as_mut_ptr(), 2).build();
            silently(&mut ring, &[send, receive]);
        });
        assert_eq!(&buffer, b"hi", "{way:?}");
        let ends = |socket: &Socket| {
            let ends = [&socket.local, &socket.peer];
            (ends.map(|end| end.ip.map(|ip| SocketAddr::new(ip, end.port))), socket.fd, socket.shared)
        };
        let sent = one(&events, Kind::Send, libc::SYS_sendto);
        let Body::Send(message) = &sent.body else { unreachable!() };
        assert_eq!(ends(&message.socket), ([Some(from), Some(to)], here.as_raw_fd(), true), "{way:?}");
        let received = one(&events, Kind::Recv, libc::SYS_recvfrom);
        let Body::Recv(message) = &received.body else { unreachable!() };
        assert_eq!(ends(&message.socket), ([Some(to), Some(from)], there.as_raw_fd(), true), "{way:?}");
    }
}
