//! Opening files: one trigger and one expectation per system call, and the wrong twins. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    os::fd::AsRawFd as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::PathBuf,
};

use harness::{c, call, capture_of, owned};
use libc::{AT_FDCWD, O_CREAT, O_RDONLY, O_RDWR};
use sentinel_event::{Body, Event, FileOpen, Kind, PathFlags};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::FileOpen, Kind::FileRename];

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
    let variants: &[(libc::c_long, [usize; 6], i32)] = &[
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, [p, rdwr, 0, 0, 0, 0], O_RDWR),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_creat, [p, 0o640, 0, 0, 0, 0], O_CREAT | libc::O_WRONLY | libc::O_TRUNC),
        (libc::SYS_openat, [CWD, p, rdwr, 0, 0, 0], O_RDWR),
        (libc::SYS_openat2, [CWD, p, how.as_ptr() as usize, 24, 0, 0], O_RDWR),
    ];
    for &(number, args, flags) in variants {
        let mut fd = None;
        let events = capture_of(KINDS).during(|| fd = Some(owned(call(number, args).unwrap())));
        let [(event, open)] = opens(&events)[..] else {
            panic!("{number}: {events:?}");
        };
        assert_eq!(open.path.bytes, path.as_os_str().as_bytes(), "{number}");
        assert_eq!(open.flags as i32 & !libc::O_LARGEFILE, flags, "{number}");
        assert_eq!(event.head.result, i64::from(fd.unwrap().as_raw_fd()), "{number}");
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
        assert_eq!(open.mode & 0o777, if flags & O_CREAT == O_CREAT { 0o640 } else { 0 });
        assert!(open.ino != 0 && open.dev != 0 && !open.created);
    }
}

/// `struct file_handle`: room for what a file system tells, its type, what it tells.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    data: [u8; 128],
}

#[test]
fn an_open_by_handle_is_told_with_its_path() {
    let (_dir, dir) = temp();
    let path = dir.join("numbered");
    fs::write(&path, "").unwrap();
    let name = c(&path);
    let (mut handle, mut mount) = (Handle { bytes: 128, kind: 0, data: [0; 128] }, 0i32);
    let at = &raw mut handle as usize;
    let named = [CWD, name.as_ptr() as usize, at, &raw mut mount as usize, 0, 0];
    if call(libc::SYS_name_to_handle_at, named)
        .is_err_and(|error| error.raw_os_error() == Some(libc::EOPNOTSUPP))
    {
        return; // not every file system has them
    }
    let beside = File::open(&dir).unwrap();
    let asked = [beside.as_raw_fd() as usize, at, O_RDONLY as usize, 0, 0, 0];
    let (mut fd, mut failed) = (None, None);
    let events = capture_of(KINDS).during(|| {
        fd = Some(owned(call(libc::SYS_open_by_handle_at, asked).unwrap()));
        handle.bytes = 1 << 20;
        failed = call(libc::SYS_open_by_handle_at, asked).err();
    });
    let [(event, open), (refused, nothing)] = opens(&events)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.syscall.unwrap().0, libc::SYS_open_by_handle_at as u16);
    assert_eq!(event.head.result, i64::from(fd.unwrap().as_raw_fd()));
    assert_eq!((&open.path.bytes[..], open.flags as i32), (path.as_os_str().as_bytes(), O_RDONLY));
    assert!(open.ino != 0 && open.dev != 0 && open.asked.path.is_empty());
    assert_eq!(refused.head.result, -i64::from(failed.unwrap().raw_os_error().unwrap()));
    assert!(nothing.path.bytes.is_empty() && nothing.asked.path.is_empty(), "{nothing:?}");
}

#[test]
fn a_failed_open_tells_what_was_asked_for() {
    let (_dir, dir) = temp();
    let events = capture_of(KINDS).during(|| assert!(File::open(dir.join("none")).is_err()));
    let [(event, open)] = opens(&events)[..] else { panic!("{events:?}") };
    assert_eq!(event.head.result, -i64::from(libc::ENOENT));
    assert_eq!(open.path.bytes, "");
    assert_eq!(open.asked.path, dir.join("none").as_os_str().as_bytes());
}

#[test]
fn a_new_file_is_marked_as_created() {
    let (_dir, dir) = temp();
    let events = capture_of(KINDS).during(|| drop(File::create(dir.join("new")).unwrap()));
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
        let events = capture_of(KINDS).during(|| {
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
        let events = capture_of(KINDS).during(|| {
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
    let events = capture_of(KINDS).during(|| assert!(call(libc::SYS_openat, [CWD, 1, 0, 0, 0, 0]).is_err()));
    let (event, open) = opens(&events)[0];
    assert_eq!(event.head.result, -i64::from(libc::EFAULT));
    assert!(open.asked.unreadable);
}

/// Runs a shell script in namespaces of its own; it ends by `exec cat FILE`, whose open of FILE is returned.
fn opened_by(script: &str, file: &str) -> FileOpen {
    let events = capture_of(KINDS).during(|| {
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
    let events = capture_of(KINDS).during(|| {
        let script = "import os,sys\nos.chroot(sys.argv[1])\nos.chdir('/')\nopen('/d/e/bound')";
        assert!(std::process::Command::new("python3").args(["-c", script, top]).status().unwrap().success());
    });
    let jail =
        opens(&events).into_iter().find(|(_, open)| open.best().ends_with(b"bound")).unwrap().1.clone();
    assert_eq!(jail.path.bytes, format!("{top}/d/e/bound"));

    let events = capture_of(KINDS).during(|| {
        let script = "import os,sys\nf=open(sys.argv[1]+'/gone','w')\nos.unlink(sys.argv[1]+'/gone')\n\
                      open('/proc/self/fd/%d'%f.fileno())";
        assert!(std::process::Command::new("python3").args(["-c", script, top]).status().unwrap().success());
    });
    let gone = opens(&events).into_iter().rfind(|(_, open)| open.path.bytes.ends_with(b"/gone")).unwrap();
    assert!(gone.1.path.flags.contains(PathFlags::DELETED), "{gone:?}");
}
