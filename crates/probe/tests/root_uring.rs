//! Files and names through io_uring: the same events as of the system calls. Needs root, and Linux 6.2 or newer; on
//! older kernels the tests ask for the fact that says so.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;
#[path = "harness/ring.rs"]
mod ring;

use std::{
    ffi::CString,
    fs::{self, File},
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    },
    path::Path,
    process,
};

use harness::{c, capture_of, of, owned};
use io_uring::{
    opcode,
    squeue::Entry,
    types::{DestinationSlot, Fd, Fixed, OpenHow},
};
use ring::{CWD, Ring, WAYS, Way, followed, open, opened, temp};
use sentinel_event::{Body, Event, Kind, PathFlags, UserPath};

/// What is loaded.
const KINDS: &[Kind] = &[
    Kind::FileOpen,
    Kind::FileRead,
    Kind::FileWrite,
    Kind::FileClose,
    Kind::FileLink,
    Kind::FileSymlink,
    Kind::FileMkdir,
    Kind::FileRmdir,
    Kind::FileRename,
];

/// What the kernel adds to the flags of an open.
const LARGEFILE: u32 = if cfg!(target_arch = "x86_64") { 0o100_000 } else { 0o400_000 };

/// An absolute name, as events tell it.
fn at(path: &Path) -> UserPath {
    let bytes = path.as_os_str().as_bytes();
    UserPath { path: bytes.into(), name: bytes.into(), unreadable: false, ..UserPath::default() }
}

/// The one event of `kind` that `request` gives: by this process, as the call `number`, with its result.
fn one(ring: &mut Ring, kind: Kind, number: libc::c_long, request: &Entry) -> Event {
    let mut result = 0;
    let events = capture_of(KINDS).during(|| result = ring.run(request.clone()));
    let [event] = of(&events, kind)[..] else { panic!("{kind} ({result}): {events:?}") };
    let head = &event.head;
    assert_eq!((head.result, head.syscall.unwrap().0), (result.into(), number as u16), "{kind}");
    assert_eq!((head.process.tgid, head.uid), (process::id(), 0));
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let own = fs::read_to_string(format!("/proc/self/task/{}/comm", head.tid)).unwrap();
    // A thread of the kernel's has the process's name.
    let name = if own.starts_with("iou-") { name } else { own };
    assert_eq!(head.comm.to_string(), name.trim_end());
    event.clone()
}

#[test]
fn opens_tell_the_file_and_what_was_asked_for() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let mut ring = Ring::new(way);
        let (old, new) = (dir.join("old"), dir.join("n\new"));
        fs::write(&old, "x").unwrap();
        std::os::unix::fs::symlink(&old, dir.join("link")).unwrap();
        for (name, file, flags, created) in [
            (&old, &old, libc::O_RDONLY, false),
            (&dir.join("link"), &old, libc::O_RDWR, false),
            (&new, &new, libc::O_WRONLY | libc::O_CREAT, true),
        ] {
            let event = one(&mut ring, Kind::FileOpen, libc::SYS_openat, &open(&c(name), flags, 0o640));
            drop(owned(event.head.result as usize));
            let open = opened(&event);
            let meta = fs::metadata(file).unwrap();
            assert_eq!(open.path.bytes, file.as_os_str().as_bytes(), "{way:?}");
            assert!(open.path.flags.contains(PathFlags::SHARED), "{way:?}: {open:?}");
            assert_eq!((&open.asked, open.created, open.ino), (&at(name), created, meta.ino()));
            let mode = if created { 0o640 } else { 0 };
            assert_eq!((open.flags & !LARGEFILE, open.mode), (flags as u32, mode), "{way:?}");
        }
        let missing = dir.join("missing");
        let event = one(&mut ring, Kind::FileOpen, libc::SYS_openat, &open(&c(&missing), 0, 0));
        assert_eq!(event.head.result, -i64::from(libc::ENOENT));
        assert_eq!((opened(&event).path.bytes.len(), &opened(&event).asked), (0, &at(&missing)));
    }
}

#[test]
fn openat2_is_completed_by_its_directory() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("f"), "").unwrap();
    let handle = File::open(&dir).unwrap();
    let how = OpenHow::new().flags(libc::O_RDONLY as u64).resolve(8 /* RESOLVE_BENEATH */);
    let name = CString::new("./f").unwrap();
    let request = opcode::OpenAt2::new(Fd(handle.as_raw_fd()), name.as_ptr(), &how).build();
    let event = one(&mut Ring::new(Way::Async), Kind::FileOpen, libc::SYS_openat2, &request);
    drop(owned(event.head.result as usize));
    let path = dir.join("f");
    assert_eq!(opened(&event).path.bytes, path.as_os_str().as_bytes());
    let asked = UserPath {
        path: path.as_os_str().as_bytes().into(),
        name: "./f".into(),
        unreadable: false,
        ..UserPath::default()
    };
    assert_eq!(opened(&event).asked, asked);
}

#[test]
fn a_file_that_only_the_ring_has_is_seen_opened_read_and_written() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    fs::write(dir.join("secret"), [7; 100]).unwrap();
    std::os::unix::fs::symlink(dir.join("secret"), dir.join("innocent")).unwrap();
    let mut ring = Ring::new(Way::Inline);
    ring.ring.submitter().register_files_sparse(4).unwrap();
    let name = c(dir.join("innocent"));
    for (slot, chosen) in
        [(DestinationSlot::try_from_slot_target(2).unwrap(), Some(2)), (DestinationSlot::auto_target(), None)]
    {
        let request =
            opcode::OpenAt::new(CWD, name.as_ptr()).flags(libc::O_RDWR).file_index(Some(slot)).build();
        let event = one(&mut ring, Kind::FileOpen, libc::SYS_openat, &request);
        assert_eq!(opened(&event).path.bytes, dir.join("secret").as_os_str().as_bytes());
        let taken = chosen.unwrap_or(event.head.result as u32);
        let mut buffer = [0; 64];
        let read = opcode::Read::new(Fixed(taken), buffer.as_mut_ptr(), 30).build();
        let write = opcode::Write::new(Fixed(taken), buffer.as_ptr(), 40).build();
        for (kind, request, bytes) in [(Kind::FileRead, read, 30), (Kind::FileWrite, write, 40)] {
            let number = if kind == Kind::FileRead { libc::SYS_read } else { libc::SYS_write };
            let event = one(&mut ring, kind, number, &request);
            let (Body::FileRead(io) | Body::FileWrite(io)) = &event.body else { unreachable!() };
            assert_eq!(io.path.bytes, dir.join("secret").as_os_str().as_bytes());
            assert_eq!((io.calls, io.bytes, io.fd, event.head.result), (1, bytes, -1, bytes as i64));
        }
    }
}

#[test]
fn reads_and_writes_are_summed_with_those_of_the_calls() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(dir.join("sums"))
            .unwrap();
        let mut ring = Ring::new(way);
        let mut buffer = [1u8; 32];
        let vector = [libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: 16 }; 2];
        let fd = Fd(file.as_raw_fd());
        let events = capture_of(KINDS).with_sweep(|| {
            for _ in 0..10 {
                assert_eq!(ring.run(opcode::Write::new(fd, buffer.as_ptr(), 10).build()), 10);
            }
            assert_eq!(ring.run(opcode::Writev::new(fd, vector.as_ptr(), 2).build()), 32);
            nix::unistd::write(&file, b"call").unwrap();
            assert_eq!(ring.run(opcode::Read::new(fd, buffer.as_mut_ptr(), 20).offset(0).build()), 20);
            assert_eq!(ring.run(opcode::Readv::new(fd, vector.as_ptr(), 2).offset(0).build()), 32);
            // No event: it fails.
            assert!(
                ring.run(opcode::Read::new(fd, std::ptr::without_provenance_mut(1), 20).offset(0).build())
                    < 0
            );
        });
        let sum = |kind| {
            of(&events, kind).into_iter().fold((0, 0), |(calls, bytes), event| match &event.body {
                Body::FileRead(io) | Body::FileWrite(io) => {
                    assert_eq!(io.path.bytes, dir.join("sums").as_os_str().as_bytes());
                    assert_eq!(event.head.process.tgid, process::id());
                    (calls + io.calls, bytes + io.bytes)
                }
                _ => unreachable!(),
            })
        };
        assert_eq!(sum(Kind::FileWrite), (12, 136), "{way:?}");
        assert_eq!(sum(Kind::FileRead), (2, 52), "{way:?}");
        assert!(of(&events, Kind::FileWrite).len() <= 3, "{way:?}: summed");
    }
}

#[test]
fn splices_are_reads_and_writes() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let [from, to] = ["from", "to"].map(|name| dir.join(name));
        fs::write(&from, "spliced").unwrap();
        let (source, target) = (File::open(&from).unwrap(), File::create(&to).unwrap());
        let (end, start) = std::io::pipe().unwrap();
        let [source, target, end, start] =
            [source.as_raw_fd(), target.as_raw_fd(), end.as_raw_fd(), start.as_raw_fd()].map(Fd);
        let mut ring = Ring::new(way);
        let events = capture_of(KINDS).with_sweep(|| {
            assert_eq!(ring.run(opcode::Splice::new(source, 0, start, -1, 7).build()), 7);
            assert_eq!(ring.run(opcode::Splice::new(end, -1, target, 0, 7).build()), 7);
        });
        for (kind, path) in [(Kind::FileRead, &from), (Kind::FileWrite, &to)] {
            let [event] = of(&events, kind)[..] else { panic!("{way:?} {kind}: {events:?}") };
            let (Body::FileRead(io) | Body::FileWrite(io)) = &event.body else { panic!("{event:?}") };
            assert_eq!((io.path.bytes.as_slice(), io.calls, io.bytes), (path.as_os_str().as_bytes(), 1, 7));
            assert_eq!(event.head.syscall.map(|call| i64::from(call.0)), Some(libc::SYS_splice), "{way:?}");
        }
    }
}

#[test]
fn names_made_and_removed_are_told_as_by_the_calls() {
    if !followed() {
        return;
    }
    for way in WAYS {
        let (_dir, dir) = temp();
        let mut ring = Ring::new(way);
        let [file, other, link, folder] = ["file", "other", "link", "folder"].map(|name| dir.join(name));
        fs::write(&file, "").unwrap();
        let [f, o, l, d] = [&file, &other, &link, &folder].map(c);
        let two = |event: &Event| match &event.body {
            Body::FileLink(link) => (link.from.clone(), link.to.clone(), link.flags),
            Body::FileRename(rename) => (rename.from.clone(), rename.to.clone(), rename.flags),
            other => panic!("{other:?}"),
        };
        let request = opcode::LinkAt::new(CWD, f.as_ptr(), CWD, o.as_ptr()).flags(0x400).build();
        for result in [0, -i64::from(libc::EEXIST)] {
            let event = one(&mut ring, Kind::FileLink, libc::SYS_linkat, &request);
            assert_eq!((two(&event), event.head.result), ((at(&file), at(&other), 0x400), result));
        }
        let request = opcode::SymlinkAt::new(CWD, c"../\n/x".as_ptr(), l.as_ptr()).build();
        let event = one(&mut ring, Kind::FileSymlink, libc::SYS_symlinkat, &request);
        let Body::FileSymlink(symlink) = &event.body else { unreachable!() };
        assert_eq!(
            (&symlink.link, &symlink.target[..], symlink.target_unreadable),
            (&at(&link), &b"../\n/x"[..], false)
        );
        let request = opcode::MkDirAt::new(CWD, d.as_ptr()).mode(0o751).build();
        let event = one(&mut ring, Kind::FileMkdir, libc::SYS_mkdirat, &request);
        let Body::FileMkdir(mkdir) = &event.body else { unreachable!() };
        assert_eq!((&mkdir.target, mkdir.mode, event.head.result), (&at(&folder), 0o751, 0));
        // RENAME_NOREPLACE: the first is refused.
        for (to, path, result) in [(&f, &file, -i64::from(libc::EEXIST)), (&l, &link, 0)] {
            let flags = u32::from(result < 0);
            let request = opcode::RenameAt::new(CWD, o.as_ptr(), CWD, to.as_ptr()).flags(flags).build();
            let event = one(&mut ring, Kind::FileRename, libc::SYS_renameat2, &request);
            assert_eq!((two(&event), event.head.result), ((at(&other), at(path), flags), result));
        }
        for (path, name, flags, kind, result) in [
            (&file, &f, 0, Kind::FileUnlink, 0),
            (&file, &f, 0, Kind::FileUnlink, -i64::from(libc::ENOENT)),
            (&folder, &d, libc::AT_REMOVEDIR, Kind::FileRmdir, 0),
        ] {
            let request = opcode::UnlinkAt::new(CWD, name.as_ptr()).flags(flags).build();
            let event = one(&mut ring, kind, libc::SYS_unlinkat, &request);
            let target = match &event.body {
                Body::FileUnlink(unlink) => &unlink.target,
                Body::FileRmdir(rmdir) => &rmdir.target,
                other => panic!("{other:?}"),
            };
            assert_eq!((target, event.head.result), (&at(path), result), "{way:?}");
        }
    }
}

#[test]
fn long_names_are_whole() {
    if !followed() {
        return;
    }
    let (_dir, dir) = temp();
    let mut ring = Ring::new(Way::Inline);
    let long = |name: &str, len: usize| {
        let path = format!("{}/{}{name}", dir.display(), "./".repeat((len - name.len()) / 2));
        CString::new(path).unwrap()
    };
    fs::write(dir.join("f"), "").unwrap();
    let (from, to, text) = (long("f", 3000), long("g", 3900), c("t".repeat(3000)));
    let request = opcode::RenameAt::new(CWD, from.as_ptr(), CWD, to.as_ptr()).build();
    let event = one(&mut ring, Kind::FileRename, libc::SYS_renameat2, &request);
    let Body::FileRename(rename) = &event.body else { unreachable!() };
    assert_eq!((&rename.from.name[..], &rename.to.name[..]), (from.as_bytes(), to.as_bytes()));
    assert_eq!(rename.to.path, dir.join("g").as_os_str().as_bytes());
    let link = long("l", 300);
    let request = opcode::SymlinkAt::new(CWD, text.as_ptr(), link.as_ptr()).build();
    let event = one(&mut ring, Kind::FileSymlink, libc::SYS_symlinkat, &request);
    let Body::FileSymlink(symlink) = &event.body else { unreachable!() };
    assert_eq!((&symlink.link.name[..], &symlink.target[..]), (link.as_bytes(), text.as_bytes()));
    let event = one(&mut ring, Kind::FileOpen, libc::SYS_openat, &open(&to, 0, 0));
    drop(owned(event.head.result as usize));
    assert_eq!(opened(&event).asked.name, to.as_bytes());
    // The kernel could not read it.
    let wild = opcode::UnlinkAt::new(CWD, std::ptr::without_provenance(1)).build();
    let event = one(&mut ring, Kind::FileUnlink, libc::SYS_unlinkat, &wild);
    assert!(matches!(&event.body, Body::FileUnlink(unlink) if unlink.target.unreadable));
    assert_eq!(event.head.result, -i64::from(libc::EFAULT));
}
