//! Mounts, roots, namespaces and modules: of the test's own thread, whose mounts nobody else sees.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
};

use sentinel_event::{Body, Chroot, Kind, ModuleLoad, Mount, Path, PathFlags, Setns, Umount, Unshare};
use sentinel_probe::{HookState, HookStatus};

use super::{
    acting::{Told, asked, capture, device, one, shared, temp, told, word},
    harness::{c, call},
    name::unreadable,
};

const WILD: usize = 8;

/// A mount namespace for this thread.
fn leave() {
    call(libc::SYS_unshare, [(libc::CLONE_NEWNS | libc::CLONE_FS) as usize, 0, 0, 0, 0, 0]).unwrap();
    let root = c("/");
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    call(libc::SYS_mount, [0, root.as_ptr() as usize, 0, flags as usize, 0, 0]).unwrap();
}

pub fn mount() -> Told {
    let (_dir, dir) = temp();
    let (source, target, fstype) = (c("a\nword"), c(&dir), c("tmpfs"));
    let [source, target, fstype] = [&source, &target, &fstype].map(|name| name.as_ptr() as usize);
    leave();
    let (made, result) = one(Kind::Mount, libc::SYS_mount, [source, target, fstype, 6, 0, 0]);
    assert_eq!(result, 0);
    let bind = libc::MS_BIND as usize;
    let (bound, _) = one(Kind::Mount, libc::SYS_mount, [target, target, 0, bind, 0, 0]);
    let (wild, _) = one(Kind::Mount, libc::SYS_mount, [WILD, WILD, 0, bind, 0, 0]);
    let mount = |source, target, fstype: &str, flags| {
        Body::Mount(Mount { source, target, fstype: fstype.into(), flags })
    };
    told(
        &[],
        vec![
            (made, mount(word("a\nword"), asked(&dir), "tmpfs", 6)),
            (bound, mount(asked(&dir), asked(&dir), "", bind as u64)),
            (wild, mount(unreadable(), unreadable(), "", bind as u64)),
        ],
    )
}

pub fn umount() -> Told {
    let (_dir, dir) = temp();
    let target = c(&dir);
    let detach = libc::MNT_DETACH as usize;
    let (refused, result) =
        one(Kind::Umount, libc::SYS_umount2, [target.as_ptr() as usize, detach, 0, 0, 0, 0]);
    assert_eq!(result, -i64::from(libc::EINVAL));
    let (wild, _) = one(Kind::Umount, libc::SYS_umount2, [WILD, 0, 0, 0, 0, 0]);
    let umount = |target, flags| Body::Umount(Umount { target, flags });
    told(&[], vec![(refused, umount(asked(&dir), detach as u32)), (wild, umount(unreadable(), 0))])
}

pub fn chroot() -> Told {
    let (_dir, dir) = temp();
    let nowhere = c(dir.join("nowhere"));
    let place =
        |path: &std::path::Path| Path { bytes: path.to_str().unwrap().into(), flags: PathFlags::default() };
    // The rest of the process keeps its root, and so does this thread: the host's /proc is still needed.
    let chroot = |root, asked| Body::Chroot(Chroot { root, asked });
    let slash = c("/");
    call(libc::SYS_unshare, [libc::CLONE_FS as usize, 0, 0, 0, 0, 0]).unwrap();
    let (done, result) = one(Kind::Chroot, libc::SYS_chroot, [slash.as_ptr() as usize, 0, 0, 0, 0, 0]);
    assert_eq!(result, 0);
    let (failed, _) = one(Kind::Chroot, libc::SYS_chroot, [nowhere.as_ptr() as usize, 0, 0, 0, 0, 0]);
    let (wild, _) = one(Kind::Chroot, libc::SYS_chroot, [WILD, 0, 0, 0, 0, 0]);
    let top = std::path::Path::new("/");
    told(
        &[],
        vec![
            (done, chroot(place(top), word("/"))),
            (failed, chroot(place(top), asked(dir.join("nowhere")))),
            (wild, chroot(place(top), unreadable())),
        ],
    )
}

pub fn setns() -> Told {
    let uts = File::open("/proc/thread-self/ns/uts").unwrap();
    let (fd, nstype) = (uts.as_raw_fd(), libc::CLONE_NEWUTS);
    let (entered, result) = one(Kind::Setns, libc::SYS_setns, [fd as usize, nstype as usize, 0, 0, 0, 0]);
    assert_eq!(result, 0);
    let ino = uts.metadata().unwrap().ino();
    told(&[], vec![(entered, Body::Setns(Setns { fd, nstype: nstype as u32, ino }))])
}

pub fn unshare() -> Told {
    let flags = (libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_FS) as usize;
    let (left, result) = one(Kind::Unshare, libc::SYS_unshare, [flags, 0, 0, 0, 0, 0]);
    assert_eq!(result, 0);
    told(&[], vec![(left, Body::Unshare(Unshare { flags: flags as u64 }))])
}

/// A kernel without modules has no such calls.
pub fn module_load() -> Told {
    let hooks = capture().probe.hooks();
    let absent =
        |hook: &HookStatus| hook.program.starts_with("module_load") && hook.state == HookState::Absent;
    if hooks.iter().any(absent) {
        return told(&[], Vec::new());
    }
    let (_dir, dir) = temp();
    let path = dir.join("x.ko");
    fs::write(&path, "not a module").unwrap();
    let file = File::open(&path).unwrap();
    let (args, image, fd) = (c("a=1 b"), *b"not a module", file.as_raw_fd());
    let at = args.as_ptr() as usize;
    let (by_file, _) = one(Kind::ModuleLoad, libc::SYS_finit_module, [fd as usize, at, 2, 0, 0, 0]);
    let (by_image, _) =
        one(Kind::ModuleLoad, libc::SYS_init_module, [image.as_ptr() as usize, image.len(), at, 0, 0, 0]);
    let about = file.metadata().unwrap();
    let want_file = ModuleLoad {
        path: shared(&path),
        ino: about.ino(),
        dev: device(about.dev()),
        size: 0,
        args: "a=1 b".into(),
        flags: 2,
        fd,
    };
    let want_image = ModuleLoad {
        path: Path::default(),
        ino: 0,
        dev: 0,
        size: 12,
        args: "a=1 b".into(),
        flags: 0,
        fd: -1,
    };
    told(&[], vec![(by_file, Body::ModuleLoad(want_file)), (by_image, Body::ModuleLoad(want_image))])
}
