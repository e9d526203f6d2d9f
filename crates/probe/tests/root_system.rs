//! Mounts, roots, namespaces and modules. Needs root: what changes is a mount namespace of the test's own thread.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _, unix::fs::MetadataExt as _},
    path::Path,
};

use harness::{c, call, capture, of};
use sentinel_event::{Body, Event, Kind, ModuleLoad, Mount, Setns, Umount, Unshare, UserPath};
use sentinel_probe::HookState;

const CWD: usize = libc::AT_FDCWD as usize;

fn named(path: &Path) -> UserPath {
    let path = path.as_os_str().as_bytes();
    UserPath { path: path.into(), name: path.into(), shared: true, ..UserPath::default() }
}

fn word(name: &str) -> UserPath {
    UserPath { name: name.into(), shared: true, ..UserPath::default() }
}

fn mount(event: &Event) -> &Mount {
    match &event.body {
        Body::Mount(mount) => mount,
        other => panic!("{other:?}"),
    }
}

/// A mount namespace for this thread, whose mounts nobody else sees.
fn leave() {
    call(libc::SYS_unshare, [(libc::CLONE_NEWNS | libc::CLONE_FS) as usize, 0, 0, 0, 0, 0]).unwrap();
    let root = c("/");
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    call(libc::SYS_mount, [0, root.as_ptr() as usize, 0, flags as usize, 0, 0]).unwrap();
}

#[test]
fn a_new_namespace_and_its_mounts() {
    let dir = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    let (one, two) = (base.join("one"), base.join("two"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    let (one_c, two_c, tmpfs, word_c) = (c(&one), c(&two), c("tmpfs"), c("any word"));
    let at = |name: &std::ffi::CString| name.as_ptr() as usize;
    let mut refused = 0;
    let events = capture().during(|| {
        leave();
        call(libc::SYS_mount, [at(&word_c), at(&one_c), at(&tmpfs), 6, 0, 0]).unwrap();
        call(libc::SYS_mount, [at(&one_c), at(&two_c), 0, libc::MS_BIND as usize, 0, 0]).unwrap();
        call(libc::SYS_umount2, [at(&two_c), libc::MNT_DETACH as usize, 0, 0, 0, 0]).unwrap();
        call(libc::SYS_move_mount, [CWD, at(&one_c), CWD, at(&two_c), 0, 0]).unwrap();
        call(libc::SYS_umount2, [at(&two_c), 0, 0, 0, 0, 0]).unwrap();
        assert!(call(libc::SYS_umount2, [at(&two_c), 0, 0, 0, 0, 0]).is_err());
        assert!(call(libc::SYS_mount, [at(&word_c), at(&one_c), at(&word_c), 0, 0, 0]).is_err());
        // Which refusal depends on what the root is: EBUSY on a disk, EINVAL in an initial file system.
        let pivot = call(libc::SYS_pivot_root, [at(&one_c), at(&two_c), 0, 0, 0, 0]);
        refused = pivot.unwrap_err().raw_os_error().unwrap();
    });
    let [unshare] = of(&events, Kind::Unshare)[..] else { panic!("{events:?}") };
    assert_eq!(unshare.body, Body::Unshare(Unshare { flags: (libc::CLONE_NEWNS | libc::CLONE_FS) as u64 }));
    assert_eq!(
        u64::from(unshare.head.namespaces.mnt),
        fs::metadata("/proc/thread-self/ns/mnt").unwrap().ino()
    );
    let mounts = of(&events, Kind::Mount);
    let told: Vec<_> = mounts.iter().map(|event| (mount(event).clone(), event.head.result)).collect();
    let make = |source, target, fstype: &str, flags| Mount { source, target, fstype: fstype.into(), flags };
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let bind = libc::MS_BIND;
    let wanted = [
        (make(word(""), named(Path::new("/")), "", private), 0),
        (make(word("any word"), named(&one), "tmpfs", 6), 0),
        (make(named(&one), named(&two), "", bind), 0),
        (make(named(&one), named(&two), "", 0), 0),
        (make(word("any word"), named(&one), "any word", 0), -i64::from(libc::ENODEV)),
        (make(named(&one), named(&two), "", 0), -i64::from(refused)),
    ];
    assert_eq!(told, wanted);
    let umounts: Vec<_> =
        of(&events, Kind::Umount).into_iter().map(|event| (event.body.clone(), event.head.result)).collect();
    let umount = |flags| Body::Umount(Umount { target: named(&two), flags });
    let detach = libc::MNT_DETACH as u32;
    assert_eq!(umounts, [(umount(detach), 0), (umount(0), 0), (umount(0), -i64::from(libc::EINVAL))]);
}

#[test]
fn a_root_is_where_it_really_is() {
    let dir = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir(base.join("real")).unwrap();
    std::os::unix::fs::symlink("real", base.join("link")).unwrap();
    let (link, dot, nowhere) = (c(base.join("link")), c("."), c(base.join("nowhere")));
    let top = File::open("/").unwrap();
    // The rest of the process keeps its root.
    call(libc::SYS_unshare, [libc::CLONE_FS as usize, 0, 0, 0, 0, 0]).unwrap();
    let events = capture().during(|| {
        call(libc::SYS_chroot, [link.as_ptr() as usize, 0, 0, 0, 0, 0]).unwrap();
        call(libc::SYS_fchdir, [top.as_raw_fd() as usize, 0, 0, 0, 0, 0]).unwrap();
        call(libc::SYS_chroot, [dot.as_ptr() as usize, 0, 0, 0, 0, 0]).unwrap();
        assert!(call(libc::SYS_chroot, [nowhere.as_ptr() as usize, 0, 0, 0, 0, 0]).is_err());
    });
    let told: Vec<_> = of(&events, Kind::Chroot)
        .iter()
        .map(|event| match &event.body {
            Body::Chroot(chroot) => (chroot.root.bytes.to_string(), chroot.asked.clone(), event.head.result),
            other => panic!("{other:?}"),
        })
        .collect();
    let real = base.join("real").to_str().unwrap().to_owned();
    let failed = -i64::from(libc::ENOENT);
    assert_eq!(
        told,
        [
            (real, word(base.join("link").to_str().unwrap()), 0),
            ("/".to_owned(), word("."), 0),
            ("/".to_owned(), named(&base.join("nowhere")), failed),
        ]
    );
}

#[test]
fn entering_a_namespace_tells_which() {
    let uts = File::open("/proc/self/ns/uts").unwrap();
    let null = File::open("/dev/null").unwrap();
    let new_uts = libc::CLONE_NEWUTS as usize;
    for (file, nstype, result) in
        [(&uts, new_uts, 0), (&uts, 0, 0), (&null, new_uts, -i64::from(libc::EINVAL))]
    {
        let fd = file.as_raw_fd();
        let events = capture().during(|| drop(call(libc::SYS_setns, [fd as usize, nstype, 0, 0, 0, 0])));
        let [event] = of(&events, Kind::Setns)[..] else { panic!("{events:?}") };
        let ino = file.metadata().unwrap().ino();
        assert_eq!(event.body, Body::Setns(Setns { fd, nstype: nstype as u32, ino }));
        assert_eq!(event.head.result, result);
    }
    let events = capture().during(|| assert!(call(libc::SYS_setns, [9999, 0, 0, 0, 0, 0]).is_err()));
    let [event] = of(&events, Kind::Setns)[..] else { panic!("{events:?}") };
    assert_eq!(event.body, Body::Setns(Setns { fd: 9999, nstype: 0, ino: 0 }));
    assert_eq!(event.head.result, -i64::from(libc::EBADF));
}

/// A kernel without modules has no such calls: then that is what the probe must say.
#[test]
fn a_module_is_seen_where_there_are_modules() {
    let mut capture = capture();
    let states: Vec<_> =
        capture.probe.hooks().into_iter().filter(|hook| hook.program.starts_with("module_load")).collect();
    assert_eq!(states.len(), 2);
    let dir = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(dir.path()).unwrap().join("x.ko");
    fs::write(&path, "not a module").unwrap();
    let file = File::open(&path).unwrap();
    let (parameters, image) = (c("a=1 b"), *b"not a module");
    let fd = file.as_raw_fd();
    let args = parameters.as_ptr() as usize;
    let events = capture.during(|| {
        assert!(call(libc::SYS_finit_module, [fd as usize, args, 2, 0, 0, 0]).is_err());
        assert!(call(libc::SYS_init_module, [image.as_ptr() as usize, image.len(), args, 0, 0, 0]).is_err());
    });
    let told = of(&events, Kind::ModuleLoad);
    if states.iter().all(|hook| hook.state == HookState::Absent) {
        assert!(told.is_empty());
        return;
    }
    let [by_file, by_image] = told[..] else { panic!("{events:?}") };
    let Body::ModuleLoad(module) = &by_file.body else { unreachable!() };
    assert_eq!(module.path.bytes, path.to_str().unwrap());
    assert_eq!((module.fd, module.flags, module.args.as_slice()), (fd, 2, &b"a=1 b"[..]));
    assert_eq!((module.size, module.ino), (0, file.metadata().unwrap().ino()));
    let wanted = ModuleLoad { size: 12, args: "a=1 b".into(), fd: -1, ..ModuleLoad::default() };
    assert_eq!(by_image.body, Body::ModuleLoad(wanted));
    assert_eq!(by_image.head.result, -i64::from(libc::ENOEXEC));
}
