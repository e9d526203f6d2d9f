//! Reads, writes, closes and names of files. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::fd::AsRawFd as _,
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use harness::{c, call, capture_of, of, owned};
use libc::AT_FDCWD;
use sentinel_event::{Body, Kind};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileRead, Kind::FileWrite, Kind::FileClose, Kind::FileRename, Kind::FileRmdir];

const CWD: usize = AT_FDCWD as usize;

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

#[test]
fn every_variant_of_read_and_write_is_seen() {
    let (_dir, dir) = temp();
    let path = dir.join("io");
    fs::write(&path, [7u8; 4096]).unwrap();
    let mut buffer = [0u8; 64];
    let b = buffer.as_mut_ptr() as usize;
    let vector = [b, 10, b, 20];
    let v = vector.as_ptr() as usize;
    let calls: [(Kind, libc::c_long, [usize; 5], u64); 10] = [
        (Kind::FileRead, libc::SYS_read, [b, 11, 0, 0, 0], 11),
        (Kind::FileRead, libc::SYS_pread64, [b, 12, 0, 0, 0], 12),
        (Kind::FileRead, libc::SYS_readv, [v, 2, 0, 0, 0], 30),
        (Kind::FileRead, libc::SYS_preadv, [v, 2, 0, 0, 0], 30),
        (Kind::FileRead, libc::SYS_preadv2, [v, 2, 0, 0, 0], 30),
        (Kind::FileWrite, libc::SYS_write, [b, 13, 0, 0, 0], 13),
        (Kind::FileWrite, libc::SYS_pwrite64, [b, 14, 0, 0, 0], 14),
        (Kind::FileWrite, libc::SYS_writev, [v, 2, 0, 0, 0], 30),
        (Kind::FileWrite, libc::SYS_pwritev, [v, 2, 0, 0, 0], 30),
        (Kind::FileWrite, libc::SYS_pwritev2, [v, 2, 0, 0, 0], 30),
    ];
    for (kind, number, [p, q, r, s, t], bytes) in calls {
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let fd = file.as_raw_fd();
        let events = capture_of(KINDS).during(|| {
            call(number, [fd as usize, p, q, r, s, t]).unwrap();
        });
        // The files that were read to attach are told of as well, when they are closed late enough.
        let ours = of(&events, kind).into_iter().filter_map(|event| match &event.body {
            Body::FileRead(io) | Body::FileWrite(io) if io.path.bytes == path.as_os_str().as_bytes() => {
                Some((event, io))
            }
            _ => None,
        });
        let [(event, io)] = ours.collect::<Vec<_>>()[..] else { panic!("{number}: {events:?}") };
        assert_eq!((io.calls, io.bytes, io.fd), (1, bytes, fd), "{number}");
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
    }
}

#[test]
fn copies_are_a_read_and_a_write() {
    let (_dir, dir) = temp();
    fs::write(dir.join("from"), [1u8; 100]).unwrap();
    let from = File::open(dir.join("from")).unwrap();
    let into = File::create(dir.join("to")).unwrap();
    let (f, t) = (from.as_raw_fd() as usize, into.as_raw_fd() as usize);
    let events = capture_of(KINDS).during(|| {
        assert_eq!(call(libc::SYS_sendfile, [t, f, 0, 40, 0, 0]).unwrap(), 40);
        assert_eq!(call(libc::SYS_copy_file_range, [f, 0, t, 0, 60, 0]).unwrap(), 60);
        drop((from, into));
    });
    for (kind, name) in [(Kind::FileRead, "from"), (Kind::FileWrite, "to")] {
        let sums = of(&events, kind).into_iter().fold((0, 0), |(calls, bytes), event| match &event.body {
            Body::FileRead(io) | Body::FileWrite(io)
                if io.path.bytes == dir.join(name).as_os_str().as_bytes() =>
            {
                (calls + io.calls, bytes + io.bytes)
            }
            _ => (calls, bytes),
        });
        assert_eq!(sums, (2, 100), "{name}");
    }
}

#[test]
fn sums_are_exact_and_the_close_comes_last() {
    let (_dir, dir) = temp();
    let path = dir.join("sums");
    let events = capture_of(KINDS).during(|| {
        let mut file =
            fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        for n in 0..100u8 {
            file.write_all(&[n; 10]).unwrap();
        }
        let mut file = file.try_clone().unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        while file.read(&mut [0; 10]).unwrap() != 0 {}
    });
    let sum = |kind| {
        of(&events, kind).into_iter().fold((0, 0), |(calls, bytes), event| match &event.body {
            Body::FileRead(io) | Body::FileWrite(io) => (calls + io.calls, bytes + io.bytes),
            Body::FileClose(close) => (close.calls, close.bytes),
            _ => (calls, bytes),
        })
    };
    assert_eq!(sum(Kind::FileWrite), (100, 1000));
    assert_eq!(sum(Kind::FileRead), (101, 1000), "with the call that found the end");
    assert!(of(&events, Kind::FileWrite).len() <= 3, "summed: {events:?}");
    assert_eq!(sum(Kind::FileClose), (100, 1000));
}

#[test]
fn the_sweep_tells_of_files_that_stay_open() {
    let (_dir, dir) = temp();
    let mut file = File::create(dir.join("open")).unwrap();
    let events = capture_of(KINDS).with_sweep(|| {
        for _ in 0..5 {
            file.write_all(b"12345").unwrap();
        }
    });
    let told: Vec<(u64, u64)> = of(&events, Kind::FileWrite)
        .into_iter()
        .filter_map(|event| match &event.body {
            Body::FileWrite(io)
                if io.ino == std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap()) =>
            {
                Some((io.calls, io.bytes))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1, 5), (4, 20)]);
}

#[test]
fn pipes_sockets_and_anonymous_inodes_have_no_path_and_give_no_event() {
    let (mut a, mut b) = std::os::unix::net::UnixStream::pair().unwrap();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let event = owned(call(libc::SYS_eventfd2, [0, 0, 0, 0, 0, 0]).unwrap());
    let one = 1u64.to_ne_bytes();
    let events = capture_of(KINDS).during(|| {
        a.write_all(b"x").unwrap();
        b.read_exact(&mut [0]).unwrap();
        writer.write_all(b"x").unwrap();
        reader.read_exact(&mut [0]).unwrap();
        call(libc::SYS_write, [event.as_raw_fd() as usize, one.as_ptr() as usize, 8, 0, 0, 0]).unwrap();
    });
    assert_eq!(of(&events, Kind::FileRead).len() + of(&events, Kind::FileWrite).len(), 0, "{events:?}");
}

#[test]
fn every_variant_of_unlink_and_rename_is_seen() {
    let (_dir, dir) = temp();
    let at = File::open(&dir).unwrap();
    let fd = at.as_raw_fd() as usize;
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "for old calls"))]
    let (a, b, d) = (c(dir.join("a")), c(dir.join("b")), c(dir.join("d")));
    let (ra, rb, rd) = (c("a"), c("b"), c("d"));
    let p = |name: &std::ffi::CString| name.as_ptr() as usize;
    let unlinks = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_unlink, [p(&a), 0, 0, 0, 0, 0], "a", false),
        (libc::SYS_unlinkat, [fd, p(&ra), 0, 0, 0, 0], "a", false),
        (libc::SYS_unlinkat, [fd, p(&rd), libc::AT_REMOVEDIR as usize, 0, 0, 0], "d", true),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_rmdir, [p(&d), 0, 0, 0, 0, 0], "d", true),
    ];
    for (number, args, name, directory) in unlinks {
        fs::write(dir.join("a"), "").unwrap();
        fs::create_dir_all(dir.join("d")).unwrap();
        for want in [0, -i64::from(libc::ENOENT)] {
            let events = capture_of(KINDS).during(|| drop(call(number, args)));
            let kind = if directory { Kind::FileRmdir } else { Kind::FileUnlink };
            let [event] = of(&events, kind)[..] else { panic!("{number}: {events:?}") };
            let target = match &event.body {
                Body::FileUnlink(unlink) => &unlink.target,
                Body::FileRmdir(rmdir) => &rmdir.target,
                other => panic!("{other:?}"),
            };
            assert_eq!(target.path, dir.join(name).as_os_str().as_bytes(), "{number}");
            assert_eq!(event.head.result, want, "{number}");
        }
    }
    let renames = [
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_rename, [p(&a), p(&b), 0, 0, 0, 0], 0),
        (libc::SYS_renameat, [fd, p(&ra), fd, p(&rb), 0, 0], 0),
        (libc::SYS_renameat2, [fd, p(&ra), CWD, p(&b), libc::RENAME_NOREPLACE as usize, 0], 1),
    ];
    for (number, args, flags) in renames {
        fs::write(dir.join("a"), "").unwrap();
        let _ = fs::remove_file(dir.join("b"));
        let events = capture_of(KINDS).during(|| assert!(call(number, args).is_ok()));
        let [event] = of(&events, Kind::FileRename)[..] else { panic!("{number}: {events:?}") };
        let Body::FileRename(rename) = &event.body else { unreachable!() };
        assert_eq!(rename.from.path, dir.join("a").as_os_str().as_bytes(), "{number}");
        assert_eq!(rename.to.path, dir.join("b").as_os_str().as_bytes(), "{number}");
        assert_eq!(rename.flags, flags);
    }
}

#[test]
fn a_long_name_is_kept_whole() {
    let (_dir, dir) = temp();
    let mut path = dir.clone();
    while path.as_os_str().len() < 3000 {
        path.push("x".repeat(100));
    }
    let events = capture_of(KINDS).during(|| drop(fs::remove_file(&path)));
    let Body::FileUnlink(unlink) = &of(&events, Kind::FileUnlink)[0].body else { unreachable!() };
    assert_eq!(unlink.target.path, path.as_os_str().as_bytes());
}
