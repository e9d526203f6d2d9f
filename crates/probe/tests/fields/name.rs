//! Names that are made, changed and removed.

use std::fs;

use sentinel_event::{
    Body, FileLink, FileMkdir, FileMknod, FileRename, FileRmdir, FileSymlink, FileUnlink, Kind, UserPath,
};

use super::{
    acting::{Told, named, one, temp, told},
    harness::c,
};

const CWD: usize = libc::AT_FDCWD as usize;
const REMOVEDIR: usize = libc::AT_REMOVEDIR as usize;
/// No page of anybody's is there.
const WILD: usize = 8;

/// What could not be read: only what it is relative to is known.
pub fn unreadable() -> UserPath {
    let path = std::env::current_dir().unwrap();
    UserPath { path: path.to_str().unwrap().into(), unreadable: true, shared: true, ..UserPath::default() }
}

pub fn file_unlink() -> Told {
    let (_dir, dir) = temp();
    fs::write(dir.join("a\n"), "").unwrap();
    let path = c(dir.join("a\n"));
    let (removed, _) = one(Kind::FileUnlink, libc::SYS_unlinkat, [CWD, path.as_ptr() as usize, 0, 0, 0, 0]);
    let (wild, _) = one(Kind::FileUnlink, libc::SYS_unlinkat, [CWD, WILD, 0, 0, 0, 0]);
    let unlink = |target| Body::FileUnlink(FileUnlink { target });
    told(&[], vec![(removed, unlink(named(dir.join("a\n")))), (wild, unlink(unreadable()))])
}

pub fn file_rmdir() -> Told {
    let (_dir, dir) = temp();
    fs::create_dir(dir.join("d")).unwrap();
    let path = c(dir.join("d"));
    let (removed, _) =
        one(Kind::FileRmdir, libc::SYS_unlinkat, [CWD, path.as_ptr() as usize, REMOVEDIR, 0, 0, 0]);
    let (wild, _) = one(Kind::FileRmdir, libc::SYS_unlinkat, [CWD, WILD, REMOVEDIR, 0, 0, 0]);
    let rmdir = |target| Body::FileRmdir(FileRmdir { target });
    told(&[], vec![(removed, rmdir(named(dir.join("d")))), (wild, rmdir(unreadable()))])
}

pub fn file_rename() -> Told {
    let (_dir, dir) = temp();
    fs::write(dir.join("a"), "").unwrap();
    let (from, to) = (c(dir.join("a")), c(dir.join("b")));
    let (from, to) = (from.as_ptr() as usize, to.as_ptr() as usize);
    let (renamed, _) = one(Kind::FileRename, libc::SYS_renameat2, [CWD, from, CWD, to, 1, 0]);
    let (wild, _) = one(Kind::FileRename, libc::SYS_renameat, [CWD, WILD, CWD, WILD, 0, 0]);
    let rename = |from, to, flags| Body::FileRename(FileRename { from, to, flags });
    let done = rename(named(dir.join("a")), named(dir.join("b")), 1);
    told(&[], vec![(renamed, done), (wild, rename(unreadable(), unreadable(), 0))])
}

pub fn file_link() -> Told {
    let (_dir, dir) = temp();
    fs::write(dir.join("a"), "").unwrap();
    let (from, to) = (c(dir.join("a")), c(dir.join("b")));
    let (from, to) = (from.as_ptr() as usize, to.as_ptr() as usize);
    let (linked, _) = one(Kind::FileLink, libc::SYS_linkat, [CWD, from, CWD, to, 0x400, 0]);
    let (wild, _) = one(Kind::FileLink, libc::SYS_linkat, [CWD, WILD, CWD, WILD, 0, 0]);
    let link = |from, to, flags| Body::FileLink(FileLink { from, to, flags });
    let done = link(named(dir.join("a")), named(dir.join("b")), 0x400);
    told(&[], vec![(linked, done), (wild, link(unreadable(), unreadable(), 0))])
}

pub fn file_symlink() -> Told {
    let (_dir, dir) = temp();
    let (target, path) = (c("../..//x"), c(dir.join("l")));
    let (target, path) = (target.as_ptr() as usize, path.as_ptr() as usize);
    let (linked, _) = one(Kind::FileSymlink, libc::SYS_symlinkat, [target, CWD, path, 0, 0, 0]);
    let (wild, _) = one(Kind::FileSymlink, libc::SYS_symlinkat, [WILD, CWD, WILD, 0, 0, 0]);
    let symlink = |link, target: &str, target_unreadable| {
        Body::FileSymlink(FileSymlink { link, target: target.into(), target_unreadable })
    };
    let done = symlink(named(dir.join("l")), "../..//x", false);
    told(&[], vec![(linked, done), (wild, symlink(unreadable(), "", true))])
}

pub fn file_mkdir() -> Told {
    let (_dir, dir) = temp();
    let path = c(dir.join("d"));
    let (made, _) = one(Kind::FileMkdir, libc::SYS_mkdirat, [CWD, path.as_ptr() as usize, 0o751, 0, 0, 0]);
    let (wild, _) = one(Kind::FileMkdir, libc::SYS_mkdirat, [CWD, WILD, 0o700, 0, 0, 0]);
    let mkdir = |target, mode| Body::FileMkdir(FileMkdir { target, mode });
    told(&[], vec![(made, mkdir(named(dir.join("d")), 0o751)), (wild, mkdir(unreadable(), 0o700))])
}

pub fn file_mknod() -> Told {
    let (_dir, dir) = temp();
    let path = c(dir.join("n"));
    let null = libc::makedev(1, 3) as usize;
    let args = [CWD, path.as_ptr() as usize, 0o20_666, null, 0, 0];
    let (made, _) = one(Kind::FileMknod, libc::SYS_mknodat, args);
    let (wild, _) = one(Kind::FileMknod, libc::SYS_mknodat, [CWD, WILD, 0o10_600, 0, 0, 0]);
    let mknod = |target, mode, rdev| Body::FileMknod(FileMknod { target, mode, rdev });
    told(
        &[],
        vec![
            (made, mknod(named(dir.join("n")), 0o20_666, null as u32)),
            (wild, mknod(unreadable(), 0o10_600, 0)),
        ],
    )
}
