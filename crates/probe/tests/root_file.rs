//! Files: one trigger and one expectation per system call, and their wrong twins. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::fd::AsRawFd as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::PathBuf,
};

use harness::{c, call, capture, of, owned};
use libc::{AT_FDCWD, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY};
use sentinel_event::{Body, Event, FileOpen, Kind, PathFlags};

const CWD: usize = AT_FDCWD as usize;

fn opens(events: &[Event]) -> Vec<(&Event, &FileOpen)> {
    events
        .iter()
        .filter_map(|event| match &event.body {
            Body::FileOpen(open) => Some((event, open)),
            _ => None,
        })
        .collect()
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

/// Opens `path` by every variant of the call; the event tells file, flags, mode and result.
#[test]
fn every_variant_of_open_is_seen() {
    let (_dir, dir) = temp();
    let path = dir.join("file");
    fs::write(&path, "x").unwrap();
    let name = c(&path);
    let p = name.as_ptr() as usize;
    let how: [u64; 3] = [O_RDWR as u64, 0, 0];
    let rdwr = O_RDWR as usize;
    let variants: [(libc::c_long, [usize; 6], i32); 4] = [
        (libc::SYS_open, [p, rdwr, 0, 0, 0, 0], O_RDWR),
        (libc::SYS_creat, [p, 0o640, 0, 0, 0, 0], O_CREAT | O_WRONLY | libc::O_TRUNC),
        (libc::SYS_openat, [CWD, p, rdwr, 0, 0, 0], O_RDWR),
        (libc::SYS_openat2, [CWD, p, how.as_ptr() as usize, 24, 0, 0], O_RDWR),
    ];
    for (number, args, flags) in variants {
        let mut fd = None;
        let events = capture().during(|| fd = Some(owned(call(number, args).unwrap())));
        let [(event, open)] = opens(&events)[..] else {
            panic!("{number}: {events:?}");
        };
        assert_eq!(open.path.bytes, path.as_os_str().as_bytes(), "{number}");
        assert_eq!(open.flags as i32 & !libc::O_LARGEFILE, flags, "{number}");
        assert_eq!(event.head.result, i64::from(fd.unwrap().as_raw_fd()), "{number}");
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!(open.mode & 0o777, if number == libc::SYS_creat { 0o640 } else { 0 });
        assert!(open.ino != 0 && open.dev != 0 && !open.created);
    }
}

#[test]
fn a_failed_open_tells_what_was_asked_for() {
    let (_dir, dir) = temp();
    let events = capture().during(|| assert!(File::open(dir.join("none")).is_err()));
    let [(event, open)] = opens(&events)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.result, -i64::from(libc::ENOENT));
    assert_eq!(open.path.bytes, "");
    assert_eq!(open.asked.path, dir.join("none").as_os_str().as_bytes());
}

#[test]
fn a_new_file_is_marked_as_created() {
    let (_dir, dir) = temp();
    let events = capture().during(|| drop(File::create(dir.join("new")).unwrap()));
    assert!(opens(&events)[0].1.created);
}

/// Names that are not plain, each opened and compared with what /proc says.
#[test]
fn the_path_is_the_files_whatever_it_is_called() {
    let (_dir, dir) = temp();
    fs::create_dir_all(dir.join("d/e")).unwrap();
    fs::write(dir.join("target"), "").unwrap();
    symlink("target", dir.join("link")).unwrap();
    fs::hard_link(dir.join("target"), dir.join("hard")).unwrap();
    let long = "n".repeat(255);
    let mut deep = dir.clone();
    for _ in 0..12 {
        deep.push("l".repeat(200));
        fs::create_dir(&deep).unwrap();
    }
    let names = [
        "target".into(),
        "link".into(),
        "hard".into(),
        "d/e/../../target".into(),
        long.clone(),
        "a \nb".into(),
        "x (deleted)".into(),
    ];
    let mut paths: Vec<PathBuf> = names.map(|name: String| dir.join(name)).to_vec();
    paths.push(dir.join(std::ffi::OsStr::from_bytes(b"\xff\xfe\x01")));
    paths.push(deep.join("f"));
    paths.push(PathBuf::from("/"));
    paths.push(PathBuf::from("/dev/null"));
    paths.push(PathBuf::from("/proc/self/status"));
    for path in paths {
        let flags = if path.is_dir() { O_RDONLY } else { O_RDWR | O_CREAT };
        let flags = if path.starts_with("/proc") { O_RDONLY } else { flags };
        let name = c(&path);
        let mut want = PathBuf::new();
        let events = capture().during(|| {
            let fd = owned(
                call(libc::SYS_openat, [CWD, name.as_ptr() as usize, flags as usize, 0o600, 0, 0]).unwrap(),
            );
            want = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
        });
        let (_, open) = opens(&events)[0];
        assert_eq!(open.path.bytes, want.as_os_str().as_bytes(), "{path:?}");
        assert!(!open.path.flags.contains(PathFlags::TORN), "{path:?}");
    }
}

#[test]
fn a_relative_name_is_completed_by_its_directory() {
    let (_dir, dir) = temp();
    fs::write(dir.join("file"), "").unwrap();
    let at = File::open(&dir).unwrap();
    let fd = at.as_raw_fd() as usize;
    for (name, result) in [("file", true), ("./none", false)] {
        let cname = c(name);
        let events = capture().during(|| {
            let _ = call(libc::SYS_openat, [fd, cname.as_ptr() as usize, 0, 0, 0, 0]).map(owned);
        });
        let (event, open) = opens(&events)[0];
        assert_eq!(event.head.failed(), !result);
        assert_eq!(open.best(), dir.join(name.trim_start_matches("./")).as_os_str().as_bytes());
        assert_eq!(open.asked.name, name, "threads share our table: the second witness is there");
    }
}

#[test]
fn a_wild_pointer_is_an_event_too() {
    let events = capture().during(|| assert!(call(libc::SYS_openat, [CWD, 1, 0, 0, 0, 0]).is_err()));
    let (event, open) = opens(&events)[0];
    assert_eq!(event.head.result, -i64::from(libc::EFAULT));
    assert!(open.asked.unreadable);
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
        let events = capture().during(|| {
            call(number, [fd as usize, p, q, r, s, t]).unwrap();
        });
        let [event] = of(&events, kind)[..] else { panic!("{number}: {events:?}") };
        let (Body::FileRead(io) | Body::FileWrite(io)) = &event.body else { unreachable!() };
        assert_eq!((io.calls, io.bytes, io.fd), (1, bytes, fd), "{number}");
        assert_eq!(io.path.bytes, path.as_os_str().as_bytes());
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
    let events = capture().during(|| {
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
    let events = capture().during(|| {
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
    let events = capture().with_sweep(|| {
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
    let events = capture().during(|| {
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
    let (a, b, d) = (c(dir.join("a")), c(dir.join("b")), c(dir.join("d")));
    let (ra, rb, rd) = (c("a"), c("b"), c("d"));
    let p = |name: &std::ffi::CString| name.as_ptr() as usize;
    let unlinks = [
        (libc::SYS_unlink, [p(&a), 0, 0, 0, 0, 0], "a", false),
        (libc::SYS_unlinkat, [fd, p(&ra), 0, 0, 0, 0], "a", false),
        (libc::SYS_unlinkat, [fd, p(&rd), libc::AT_REMOVEDIR as usize, 0, 0, 0], "d", true),
        (libc::SYS_rmdir, [p(&d), 0, 0, 0, 0, 0], "d", true),
    ];
    for (number, args, name, directory) in unlinks {
        fs::write(dir.join("a"), "").unwrap();
        fs::create_dir_all(dir.join("d")).unwrap();
        for want in [0, -i64::from(libc::ENOENT)] {
            let events = capture().during(|| drop(call(number, args)));
            let [event] = of(&events, Kind::FileUnlink)[..] else { panic!("{number}: {events:?}") };
            let Body::FileUnlink(unlink) = &event.body else { unreachable!() };
            assert_eq!(unlink.target.path, dir.join(name).as_os_str().as_bytes(), "{number}");
            assert_eq!((unlink.directory, event.head.result), (directory, want), "{number}");
        }
    }
    let renames = [
        (libc::SYS_rename, [p(&a), p(&b), 0, 0, 0, 0], 0),
        (libc::SYS_renameat, [fd, p(&ra), fd, p(&rb), 0, 0], 0),
        (libc::SYS_renameat2, [fd, p(&ra), CWD, p(&b), libc::RENAME_NOREPLACE as usize, 0], 1),
    ];
    for (number, args, flags) in renames {
        fs::write(dir.join("a"), "").unwrap();
        let _ = fs::remove_file(dir.join("b"));
        let events = capture().during(|| assert!(call(number, args).is_ok()));
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
    let events = capture().during(|| drop(fs::remove_file(&path)));
    let Body::FileUnlink(unlink) = &of(&events, Kind::FileUnlink)[0].body else { unreachable!() };
    assert_eq!(unlink.target.path, path.as_os_str().as_bytes());
}

/// A thread that copies the descriptor away and puts a decoy in its place before the exit hook looks: the
/// watched file is named by one of the two witnesses every time.
#[test]
fn a_swapped_descriptor_hides_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (_dir, dir) = temp();
    let (secret, decoy) = (dir.join("secret"), dir.join("decoy"));
    fs::write(&secret, "").unwrap();
    fs::write(&decoy, "").unwrap();
    let decoy = File::open(&decoy).unwrap();
    // The lowest free descriptor is where the next open lands.
    let slot = File::open("/dev/null").unwrap().as_raw_fd() as usize;
    let stop = AtomicBool::new(false);
    let name = c(&secret);
    const TRIES: usize = 20_000;
    let events = std::thread::scope(|scope| {
        let (decoy, stop) = (decoy.as_raw_fd() as usize, &stop);
        let swapper = scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let stolen = call(libc::SYS_dup, [slot, 0, 0, 0, 0, 0]);
                let _ = call(libc::SYS_dup2, [decoy, slot, 0, 0, 0, 0]);
                for fd in stolen.into_iter().chain([slot]) {
                    let _ = call(libc::SYS_close, [fd, 0, 0, 0, 0, 0]);
                }
            }
        });
        let mut capture = capture();
        let events = capture.during(|| {
            for _ in 0..TRIES {
                let opened = call(libc::SYS_openat, [CWD, name.as_ptr() as usize, 0, 0, 0, 0]).unwrap();
                let _ = call(libc::SYS_close, [opened, 0, 0, 0, 0, 0]);
            }
        });
        stop.store(true, Ordering::Relaxed);
        swapper.join().unwrap();
        events
    });
    let secret = secret.as_os_str().as_bytes();
    let told: Vec<_> = opens(&events)
        .into_iter()
        .filter(|(_, open)| open.path.bytes == secret || open.asked.path == secret)
        .collect();
    assert_eq!(told.len(), TRIES);
    for (_, open) in told.iter().filter(|(_, open)| open.path.bytes != secret) {
        assert!(open.path.bytes.is_empty() || open.path.flags.contains(PathFlags::SHARED), "{open:?}");
    }
}

/// Runs a shell script in namespaces of its own; it ends by `exec cat FILE`, whose open of FILE is returned.
fn opened_by(script: &str, file: &str) -> FileOpen {
    let events = capture().during(|| {
        let status = std::process::Command::new("unshare")
            .args(["-m", "sh", "-e", "-c", &format!("{script}\nexec cat {file}")])
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{script}");
    });
    let name = file.rsplit('/').next().unwrap();
    let found = opens(&events)
        .into_iter()
        .rfind(|(_, open)| open.asked.name == file || open.best().ends_with(name.as_bytes()));
    found.unwrap_or_else(|| panic!("{script}: {events:?}")).1.clone()
}

#[test]
fn mounts_and_roots_do_not_hide_where_a_file_is() {
    let (_dir, dir) = temp();
    let top = dir.to_str().unwrap();
    fs::create_dir_all(dir.join("d/e")).unwrap();
    fs::create_dir(dir.join("m")).unwrap();
    fs::write(dir.join("d/e/bound"), "").unwrap();
    let bind = opened_by(&format!("mount --bind {top}/d {top}/m"), &format!("{top}/m/e/bound"));
    assert_eq!(bind.path.bytes, format!("{top}/m/e/bound"), "a bind mount, by the name it was reached");

    let tmpfs = opened_by(
        &format!("mount -t tmpfs in {top}/m; mount -t tmpfs in {top}/m; echo > {top}/m/stacked"),
        &format!("{top}/m/stacked"),
    );
    assert_eq!(tmpfs.path.bytes, format!("{top}/m/stacked"), "two mounts at one place");

    let overlay = opened_by(
        &format!(
            "mount -t tmpfs in {top}/m; cd {top}/m; mkdir lo up wk ov; echo > lo/low; \
             mount -t overlay o ov -o lowerdir=lo,upperdir=up,workdir=wk"
        ),
        &format!("{top}/m/ov/low"),
    );
    assert_eq!(overlay.path.bytes, format!("{top}/m/ov/low"), "the overlay, not its layers");

    // A root of its own: the host's view of the path is told.
    let events = capture().during(|| {
        let script = "import os,sys\nos.chroot(sys.argv[1])\nos.chdir('/')\nopen('/d/e/bound')";
        assert!(std::process::Command::new("python3").args(["-c", script, top]).status().unwrap().success());
    });
    let jail =
        opens(&events).into_iter().find(|(_, open)| open.best().ends_with(b"bound")).unwrap().1.clone();
    assert_eq!(jail.path.bytes, format!("{top}/d/e/bound"));

    let events = capture().during(|| {
        let script = "import os,sys\nf=open(sys.argv[1]+'/gone','w')\nos.unlink(sys.argv[1]+'/gone')\n\
                      open('/proc/self/fd/%d'%f.fileno())";
        assert!(std::process::Command::new("python3").args(["-c", script, top]).status().unwrap().success());
    });
    let gone = opens(&events).into_iter().rfind(|(_, open)| open.path.bytes.ends_with(b"/gone")).unwrap();
    assert!(gone.1.path.flags.contains(PathFlags::DELETED), "{gone:?}");
}
