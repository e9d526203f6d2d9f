//! 32-bit system calls of x86, made by `int 0x80`: with `capture.compat` they are told as the same calls of 64 bits are,
//! without it they are not seen. Needs root.

#![cfg(target_arch = "x86_64")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    arch::asm,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::{fd::AsRawFd as _, fd::OwnedFd, unix::ffi::OsStrExt as _, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::{self, Command},
    ptr,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use harness::{Capture, call, of, owned};
use sentinel_event::{Body, Event, Kind, KindSet, Socket};
use sentinel_probe::Options;

const KINDS: &[Kind] = &[
    Kind::FileOpen,
    Kind::FileWrite,
    Kind::FileClose,
    Kind::FileTruncate,
    Kind::FileUnlink,
    Kind::Connect,
    Kind::Send,
    Kind::MmapExec,
    Kind::Setuid,
];

fn load(compat: bool) -> Capture {
    let kinds: KindSet = KINDS.iter().copied().collect();
    Capture::load(&Options { kinds, compat, ring_bytes: 16 << 20, ..Options::default() })
}

/// The probe of all tests but one.
fn capture() -> MutexGuard<'static, Capture> {
    static SHARED: OnceLock<Mutex<Capture>> = OnceLock::new();
    SHARED.get_or_init(|| Mutex::new(load(true))).lock().unwrap_or_else(PoisonError::into_inner)
}

/// A 32-bit call with up to five arguments; a negated errno when it fails.
#[expect(unsafe_code, reason = "32-bit calls are what is tested")]
fn call32(number: u32, arguments: &[u32]) -> i32 {
    let argument = |n: usize| u64::from(arguments.get(n).copied().unwrap_or_default());
    let mut result = u64::from(number);
    // SAFETY: every pointer among the arguments is to memory of `Low`, which is never given back. The compiler keeps rbx
    // to itself: it has its value again when the call has ended.
    unsafe {
        asm!(
            "xchg {first}, rbx",
            "int 0x80",
            "xchg {first}, rbx",
            first = inout(reg) argument(0) => _,
            inout("rax") result,
            in("rcx") argument(1),
            in("rdx") argument(2),
            in("rsi") argument(3),
            in("rdi") argument(4),
            lateout("r8") _,
            lateout("r9") _,
            lateout("r10") _,
            lateout("r11") _,
        );
    }
    result as u32 as i32
}

/// Memory that a pointer of 32 bits leads to; never given back.
struct Low {
    at: u32,
}

impl Low {
    #[expect(unsafe_code, reason = "only raw calls give memory at such addresses")]
    fn new() -> Self {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT);
        // SAFETY: new memory, at no address of ours.
        let at = unsafe { libc::mmap(ptr::null_mut(), 1 << 16, protection, flags, -1, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        Self { at: u32::try_from(at as usize).unwrap() }
    }

    /// Where a copy of `bytes` lies, a NUL behind it.
    #[expect(unsafe_code, reason = "raw memory")]
    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.at;
        self.at += (bytes.len() as u32 / 8 + 1) * 8;
        // SAFETY: the tests put a few hundred bytes into 64 KiB that nobody else has.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at as usize as *mut u8, bytes.len()) };
        at
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        self.put(&words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>())
    }

    fn path(&mut self, path: &Path) -> u32 {
        self.put(path.as_os_str().as_bytes())
    }

    fn address(&mut self, address: SocketAddr) -> u32 {
        let SocketAddr::V4(address) = address else { panic!("{address}") };
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
        bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        bytes[4..8].copy_from_slice(&address.ip().octets());
        self.put(&bytes)
    }
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

fn descriptor(result: i32) -> OwnedFd {
    owned(usize::try_from(result).unwrap_or_else(|_| panic!("{result}")))
}

fn only(events: &[Event], kind: Kind) -> &Event {
    let [event] = of(events, kind)[..] else { panic!("{kind}: {events:?}") };
    event
}

fn is_call(event: &Event, call: libc::c_long) {
    assert_eq!(event.head.syscall.map(|call| i64::from(call.0)), Some(call));
}

#[test]
fn opens_tell_the_file_and_the_call_of_64_bits() {
    let (_dir, dir) = temp();
    let path = dir.join("file");
    fs::write(&path, "x").unwrap();
    let mut low = Low::new();
    let (name, how) = (low.path(&path), low.words(&[libc::O_RDWR as u32, 0, 0, 0, 0, 0]));
    let rdwr = libc::O_RDWR as u32;
    let cwd = libc::AT_FDCWD as u32;
    for (number, arguments, call, flags) in [
        (5, &[name, rdwr][..], libc::SYS_open, libc::O_RDWR),
        (8, &[name, 0o640], libc::SYS_creat, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC),
        (295, &[cwd, name, rdwr], libc::SYS_openat, libc::O_RDWR),
        (437, &[cwd, name, how, 24], libc::SYS_openat2, libc::O_RDWR),
    ] {
        let mut fd = None;
        let events = capture().during(|| fd = Some(descriptor(call32(number, arguments))));
        let event = only(&events, Kind::FileOpen);
        let Body::FileOpen(open) = &event.body else { panic!("{event:?}") };
        assert_eq!(open.path.bytes, path.as_os_str().as_bytes(), "{number}");
        assert_eq!(open.flags as i32, flags, "{number}");
        assert_eq!(event.head.result, i64::from(fd.unwrap().as_raw_fd()), "{number}");
        is_call(event, call);
    }
}

#[test]
fn without_the_mode_they_are_not_seen() {
    let (_dir, dir) = temp();
    let mut low = Low::new();
    let name = low.path(&dir);
    let _one = capture(); // marks of two tests must not mix
    let mut blind = load(false);
    let events = blind.during(|| {
        drop(descriptor(call32(5, &[name, libc::O_RDONLY as u32])));
        assert_eq!(call32(215, &[u32::MAX]), 0);
    });
    let hooks = blind.probe.hooks();
    assert!(!hooks.iter().any(|hook| hook.hook.contains("raw_syscalls")));
    assert_eq!(of(&events, Kind::Setuid), Vec::<&Event>::new());
    // The functions of the kernel are the same for all.
    let by_function = hooks.iter().any(|hook| hook.hook.starts_with("fexit/"));
    assert_eq!(of(&events, Kind::FileOpen).len(), usize::from(by_function));
}

#[test]
fn what_failed_tells_what_was_asked_for() {
    let mut low = Low::new();
    let nowhere = low.path(Path::new("/proc/nowhere/at-all"));
    let events = capture().during(|| {
        assert_eq!(call32(5, &[nowhere, 0]), -libc::ENOENT);
        assert_eq!(call32(11, &[nowhere, 0, 0]), -libc::ENOENT);
    });
    let Body::FileOpen(open) = &only(&events, Kind::FileOpen).body else { panic!("{events:?}") };
    assert_eq!(open.asked.path, "/proc/nowhere/at-all");
    let event = only(&events, Kind::Exec);
    assert_eq!(event.head.result, -i64::from(libc::ENOENT));
    let Body::Exec(exec) = &event.body else { panic!("{event:?}") };
    assert_eq!(exec.filename, "/proc/nowhere/at-all");
    is_call(event, libc::SYS_execve);
}

#[test]
#[expect(unsafe_code, reason = "the child starts a program by itself")]
fn a_start_tells_program_and_arguments() {
    let mut low = Low::new();
    let (program, word) = (low.path(Path::new("/bin/sleep")), low.put(b"0"));
    let (arguments, environment) = (low.words(&[program, word, 0]), low.words(&[0]));
    let events = capture().during(|| {
        let mut command = Command::new("/proc/nowhere");
        let start = move || {
            call32(11, &[program, arguments, environment]);
            Ok(())
        };
        // SAFETY: the child makes one call, which takes nothing from its parent.
        let mut child = unsafe { command.pre_exec(start) }.spawn().unwrap();
        assert!(child.wait().unwrap().success());
    });
    let event = of(&events, Kind::Exec).into_iter().find(|event| !event.head.failed()).unwrap();
    let Body::Exec(exec) = &event.body else { panic!("{event:?}") };
    assert_eq!(exec.argv, ["/bin/sleep", "0"]);
    assert_eq!(event.head.parent.tgid, process::id());
}

fn socket(event: &Event) -> &Socket {
    match &event.body {
        Body::Connect(connect) => &connect.socket,
        Body::Send(message) => &message.socket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn connections_are_told_however_they_are_made() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = listener.local_addr().unwrap();
    let mut low = Low::new();
    let address = low.address(server);
    for by_socketcall in [false, true] {
        let client = owned(
            call(libc::SYS_socket, [libc::AF_INET as usize, libc::SOCK_STREAM as usize, 0, 0, 0, 0]).unwrap(),
        );
        let arguments = [client.as_raw_fd() as u32, address, 16];
        let words = low.words(&arguments);
        let events = capture().during(|| {
            let result = if by_socketcall { call32(102, &[3, words]) } else { call32(362, &arguments) };
            assert_eq!(result, 0);
        });
        let event = only(&events, Kind::Connect);
        let told = socket(event);
        assert_eq!((told.peer.ip, told.peer.port), (Some(server.ip()), server.port()));
        assert_eq!(
            (told.asked.ip, told.asked.port, told.fd),
            (Some(server.ip()), server.port(), arguments[0] as i32)
        );
        is_call(event, libc::SYS_connect);
    }
}

/// By a header whose fields are those of 32 bits, through socketcall().
#[test]
fn a_message_tells_its_peer_and_length() {
    let (from, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let mut low = Low::new();
    let peer = to.local_addr().unwrap();
    let (address, data) = (low.address(peer), low.put(b"hello"));
    let piece = low.words(&[data, 5]);
    let header = low.words(&[address, 16, piece, 1, 0, 0, 0]);
    let words = low.words(&[from.as_raw_fd() as u32, header, 0]);
    let events = capture().during(|| assert_eq!(call32(102, &[16, words]), 5));
    let event = only(&events, Kind::Send);
    assert_eq!((socket(event).asked.ip, socket(event).asked.port), (Some(peer.ip()), peer.port()));
    assert!(matches!(&event.body, Body::Send(message) if message.bytes == 5));
    is_call(event, libc::SYS_sendmsg);
}

#[test]
fn writes_are_summed_until_the_close() {
    let (_dir, dir) = temp();
    let path = dir.join("file");
    let mut low = Low::new();
    let (name, data) = (low.path(&path), low.put(b"hello"));
    let events = capture().during(|| {
        let fd = call32(8, &[name, 0o600]) as u32;
        for _ in 0..3 {
            assert_eq!(call32(4, &[fd, data, 5]), 5);
        }
        assert_eq!(call32(6, &[fd]), 0);
    });
    let Body::FileClose(close) = &only(&events, Kind::FileClose).body else { panic!("{events:?}") };
    assert_eq!((close.path.bytes.as_slice(), close.calls, close.bytes), (path.as_os_str().as_bytes(), 3, 15));
}

#[test]
fn sizes_in_two_registers_are_one() {
    let (_dir, dir) = temp();
    let path = dir.join("file");
    fs::write(&path, "").unwrap();
    let mut low = Low::new();
    let name = low.path(&path);
    let events = capture().during(|| assert_eq!(call32(193, &[name, 7, 1]), 0));
    let event = only(&events, Kind::FileTruncate);
    assert!(
        matches!(&event.body, Body::FileTruncate(truncate) if truncate.size == 7 + (1 << 32)),
        "{event:?}"
    );
    is_call(event, libc::SYS_truncate);
}

#[test]
fn memory_that_the_old_call_maps_is_told() {
    let mut low = Low::new();
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u32;
    let words = low.words(&[0, 8192, (libc::PROT_READ | libc::PROT_EXEC) as u32, flags, u32::MAX, 0]);
    let mut at = 0;
    let events = capture().during(|| at = call32(90, &[words]) as u32);
    let event = only(&events, Kind::MmapExec);
    let Body::MmapExec(mmap) = &event.body else { panic!("{event:?}") };
    assert_eq!((mmap.addr, mmap.len, mmap.flags), (at.into(), 8192, flags));
    is_call(event, libc::SYS_mmap);
}

#[test]
fn another_identity_tells_before_and_after() {
    let events = capture().during(|| assert_eq!(call32(215, &[u32::MAX]), 0));
    let event = only(&events, Kind::Setuid);
    let Body::Setuid(change) = &event.body else { panic!("{event:?}") };
    assert_eq!(change.before, Some(change.after));
    assert_eq!(change.asked[0], u32::MAX);
    is_call(event, libc::SYS_setfsuid);
}
