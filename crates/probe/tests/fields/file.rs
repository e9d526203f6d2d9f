//! Files that are opened, read, written, changed and mapped.

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::PathBuf,
};

use sentinel_event::{
    Body, FileChmod, FileChown, FileClose, FileIo, FileOpen, FileTarget, FileTruncate, Kind, MemfdCreate,
    MmapExec, MprotectExec, Path, UserPath,
};

use super::{
    acting::{Told, all, asked, device, named, one, shared, temp, told},
    harness::{c, call, owned},
    name::unreadable,
};

const CWD: usize = libc::AT_FDCWD as usize;
/// The same number everywhere; `libc` does not know it on arm64.
const FCHMODAT2: libc::c_long = 452;

/// A file of three bytes.
struct Place {
    _dir: tempfile::TempDir,
    path: PathBuf,
    file: File,
    ino: u64,
    dev: u32,
}

impl Place {
    fn new() -> Self {
        let (dir, base) = temp();
        let path = base.join("f\x01");
        fs::write(&path, "abc").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let about = file.metadata().unwrap();
        Self { _dir: dir, path, file, ino: about.ino(), dev: device(about.dev()) }
    }

    fn fd(&self) -> i32 {
        self.file.as_raw_fd()
    }
}

pub fn file_open() -> Told {
    let (_dir, dir) = temp();
    let path = dir.join("new\n");
    let name = c(&path);
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC;
    let args = [CWD, name.as_ptr() as usize, flags as usize, 0o640, 0, 0];
    let (made, result) = one(Kind::FileOpen, libc::SYS_openat, args);
    let about = File::from(owned(result as usize)).metadata().unwrap();
    let want = FileOpen {
        path: shared(&path),
        asked: asked(&path),
        flags: flags as u32,
        mode: 0o640,
        dev: device(about.dev()),
        ino: about.ino(),
        created: true,
    };
    let (wild, _) = one(Kind::FileOpen, libc::SYS_openat, [CWD, 8, 0, 0, 0, 0]);
    let nothing = FileOpen {
        path: Path::default(),
        asked: unreadable(),
        flags: 0,
        mode: 0,
        dev: 0,
        ino: 0,
        created: false,
    };
    told(&[], vec![(made, Body::FileOpen(want)), (wild, Body::FileOpen(nothing))])
}

/// What the kernel's side keeps of the first bytes.
pub fn data(bytes: &str) -> sentinel_event::Text {
    if data_is_told() { bytes.into() } else { "".into() }
}

/// Since 5.17, which has `bpf_loop`.
pub fn data_is_told() -> bool {
    sentinel_probe::Support::detect().facts.iter().any(|fact| fact.name == "bpf_loop" && fact.available)
}

pub fn file_read() -> Told {
    let place = Place::new();
    let mut buffer = [0u8; 9];
    let args = [place.fd() as usize, buffer.as_mut_ptr() as usize, 9, 0, 0, 0];
    let (read, result) = one(Kind::FileRead, libc::SYS_read, args);
    assert_eq!((result, &buffer[..3]), (3, &b"abc"[..]));
    told(io_never(), vec![(read, Body::FileRead(moved(&place, 3, "abc")))])
}

pub fn file_write() -> Told {
    let place = Place::new();
    let args = [place.fd() as usize, b"hello".as_ptr() as usize, 5, 0, 0, 0];
    let (wrote, result) = one(Kind::FileWrite, libc::SYS_write, args);
    assert_eq!(result, 5);
    told(io_never(), vec![(wrote, Body::FileWrite(moved(&place, 5, "hello")))])
}

fn io_never() -> &'static [&'static str] {
    if data_is_told() { &[] } else { &["data"] }
}

fn moved(place: &Place, bytes: u64, text: &str) -> FileIo {
    let path = shared(&place.path);
    FileIo { path, bytes, calls: 1, fd: place.fd(), dev: place.dev, ino: place.ino, data: data(text) }
}

pub fn file_close() -> Told {
    let place = Place::new();
    let fd = place.fd() as usize;
    let (path, dev, ino) = (place.path.clone(), place.dev, place.ino);
    let events = all(Kind::FileClose, || {
        for _ in 0..3 {
            call(libc::SYS_write, [fd, b"hello".as_ptr() as usize, 5, 0, 0, 0]).unwrap();
        }
        drop(place.file);
    });
    let [event] = &events[..] else { panic!("{events:?}") };
    let want = FileClose { path: shared(&path), bytes: 15, calls: 3, dev, ino };
    told(&[], vec![(event.body.clone(), Body::FileClose(want))])
}

/// The file as a call by descriptor tells it, as one by name, and by a pointer that leads nowhere.
fn targets(place: &Place) -> [FileTarget; 3] {
    let nobody = UserPath::default();
    let by_name = |asked| FileTarget { path: Path::default(), asked, ino: 0, dev: 0, fd: -1 };
    let by_fd = FileTarget {
        path: shared(&place.path),
        asked: nobody,
        ino: place.ino,
        dev: place.dev,
        fd: place.fd(),
    };
    [by_fd, by_name(named(&place.path)), by_name(unreadable())]
}

pub fn file_chmod() -> Told {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let [by_fd, by_name, wild] = targets(&place);
    let chmod =
        |file: &FileTarget, mode, flags| Body::FileChmod(FileChmod { file: file.clone(), mode, flags });
    let args = [place.fd() as usize, 0o2640, 0, 0, 0, 0];
    let mut pairs = vec![
        (one(Kind::FileChmod, libc::SYS_fchmod, args).0, chmod(&by_fd, 0o2640, 0)),
        (
            one(Kind::FileChmod, libc::SYS_fchmodat, [CWD, name, 0o4755, 0, 0, 0]).0,
            chmod(&by_name, 0o4755, 0),
        ),
        (one(Kind::FileChmod, libc::SYS_fchmodat, [CWD, 8, 0o700, 0, 0, 0]).0, chmod(&wild, 0o700, 0)),
    ];
    // A call since Linux 6.6.
    let args = [CWD, name, 0o600, 0x100, 0, 0];
    let absent = call(FCHMODAT2, args).is_err_and(|error| error.raw_os_error() == Some(libc::ENOSYS));
    if !absent {
        pairs.push((one(Kind::FileChmod, FCHMODAT2, args).0, chmod(&by_name, 0o600, 0x100)));
    }
    told(if absent { &["flags"] } else { &[] }, pairs)
}

pub fn file_chown() -> Told {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let [by_fd, by_name, wild] = targets(&place);
    let chown = |file: &FileTarget, uid, gid, flags| {
        Body::FileChown(FileChown { file: file.clone(), uid, gid, flags })
    };
    let fd = place.fd() as usize;
    let pairs = vec![
        (one(Kind::FileChown, libc::SYS_fchown, [fd, 4, 5, 0, 0, 0]).0, chown(&by_fd, 4, 5, 0)),
        (
            one(Kind::FileChown, libc::SYS_fchownat, [CWD, name, 6, 7, 0x100, 0]).0,
            chown(&by_name, 6, 7, 0x100),
        ),
        (one(Kind::FileChown, libc::SYS_fchownat, [CWD, 8, 1, 2, 0, 0]).0, chown(&wild, 1, 2, 0)),
    ];
    told(&[], pairs)
}

pub fn file_truncate() -> Told {
    let place = Place::new();
    let path = c(&place.path);
    let name = path.as_ptr() as usize;
    let [by_fd, by_name, wild] = targets(&place);
    let truncate = |file: &FileTarget, size| Body::FileTruncate(FileTruncate { file: file.clone(), size });
    let fd = place.fd() as usize;
    let pairs = vec![
        (one(Kind::FileTruncate, libc::SYS_ftruncate, [fd, 11, 0, 0, 0, 0]).0, truncate(&by_fd, 11)),
        (one(Kind::FileTruncate, libc::SYS_truncate, [name, 12, 0, 0, 0, 0]).0, truncate(&by_name, 12)),
        (one(Kind::FileTruncate, libc::SYS_truncate, [8, 1, 0, 0, 0, 0]).0, truncate(&wild, 1)),
    ];
    told(&[], pairs)
}

pub fn memfd_create() -> Told {
    let name = c("with/slash");
    let (made, result) =
        one(Kind::MemfdCreate, libc::SYS_memfd_create, [name.as_ptr() as usize, 1, 0, 0, 0, 0]);
    drop(owned(result as usize));
    told(&[], vec![(made, Body::MemfdCreate(MemfdCreate { name: "with/slash".into(), flags: 1 }))])
}

pub fn mmap_exec() -> Told {
    let place = Place::new();
    let (prot, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE);
    let args = [0, 4096, prot as usize, flags as usize, place.fd() as usize, 0];
    let (mapped, addr) = one(Kind::MmapExec, libc::SYS_mmap, args);
    call(libc::SYS_munmap, [addr as usize, 4096, 0, 0, 0, 0]).unwrap();
    let want = MmapExec {
        path: shared(&place.path),
        ino: place.ino,
        addr: addr as u64,
        len: 4096,
        prot: prot as u32,
        flags: flags as u32,
    };
    told(&[], vec![(mapped, Body::MmapExec(want))])
}

pub fn mprotect_exec() -> Told {
    let anonymous = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
    let addr = call(libc::SYS_mmap, [0, 4096, 1, anonymous, usize::MAX, 0]).unwrap();
    let prot = (libc::PROT_READ | libc::PROT_EXEC) as u32;
    let (made, _) = one(Kind::MprotectExec, libc::SYS_mprotect, [addr, 4096, prot as usize, 0, 0, 0]);
    call(libc::SYS_munmap, [addr, 4096, 0, 0, 0, 0]).unwrap();
    told(&[], vec![(made, Body::MprotectExec(MprotectExec { addr: addr as u64, len: 4096, prot }))])
}
