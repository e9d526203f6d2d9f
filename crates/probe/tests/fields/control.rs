//! Credentials, prctl, signals, bpf, userfaultfd, io_uring, process_vm_writev, and calls that only rules name.

use sentinel_event::{
    AnyCall, Body, Bpf, Capset, Comm, Credentials, IoUringSetup, Kind, Prctl, ProcessVmWrite, Setuid, Signal,
    Userfaultfd,
};

use super::{
    acting::{Told, capabilities, ids, one, told},
    harness::{call, owned},
};

const THREAD: &str = "/proc/thread-self";
const SAME: usize = u32::MAX as usize;
/// `CAP_SYS_NICE`
const NICE: u64 = 1 << 23;

/// What /proc says of this thread.
fn now() -> Credentials {
    let [uid, euid, suid, fsuid] = ids(THREAD, "Uid:");
    let [gid, egid, sgid, fsgid] = ids(THREAD, "Gid:");
    let set = capabilities(THREAD);
    Credentials {
        uid,
        euid,
        suid,
        fsuid,
        gid,
        egid,
        sgid,
        fsgid,
        inheritable: set.inheritable,
        permitted: set.permitted,
        effective: set.effective,
    }
}

/// The two arguments of capset that give this thread these capabilities beside those permitted.
fn sets(inheritable: u64, effective: u64) -> (u64, Vec<u8>) {
    let permitted = now().permitted;
    let word = |value: u64, at: u32| ((value >> (32 * at)) as u32).to_ne_bytes();
    let words = (0..2).flat_map(|at| [word(effective, at), word(permitted, at), word(inheritable, at)]);
    (0x2008_0522, words.flatten().collect())
}

/// Has programs that this thread starts keep a capability, or not.
pub fn inherit(nice: bool) {
    let (header, data) = sets(if nice { NICE } else { 0 }, now().effective);
    call(libc::SYS_capset, [&raw const header as usize, data.as_ptr() as usize, 0, 0, 0, 0]).unwrap();
}

pub fn setuid() -> Told {
    // The kernel changes this thread alone, which ends with the test.
    let root = now();
    inherit(true);
    let start = now();
    let (groups, group_result) = one(Kind::Setuid, libc::SYS_setresgid, [1, 2, 3, 0, 0, 0]);
    let grouped = now();
    let (users, user_result) = one(Kind::Setuid, libc::SYS_setresuid, [4, 5, 6, 0, 0, 0]);
    let dropped = now();
    // Without privileges a third one cannot be taken on.
    let (refused, refusal) = one(Kind::Setuid, libc::SYS_setresuid, [4242, SAME, SAME, 0, 0, 0]);
    assert_eq!((group_result, user_result, refusal), (0, 0, -i64::from(libc::EPERM)));
    let expected = Credentials {
        uid: 4,
        euid: 5,
        suid: 6,
        fsuid: 5,
        gid: 1,
        egid: 2,
        sgid: 3,
        fsgid: 2,
        inheritable: NICE,
        permitted: 0,
        effective: 0,
    };
    assert_eq!((root.uid, start.inheritable, dropped), (0, NICE, expected));
    let change = |before, after, asked| Body::Setuid(Setuid { before: Some(before), after, asked });
    told(
        &[],
        vec![
            (groups, change(start, grouped, [1, 2, 3])),
            (users, change(grouped, dropped, [4, 5, 6])),
            (refused, change(dropped, dropped, [4242, u32::MAX, u32::MAX])),
        ],
    )
}

pub fn capset() -> Told {
    let root = now();
    let mut pairs = Vec::new();
    let mut set = |inheritable, effective, want: Credentials| {
        let before = now();
        let (header, data) = sets(inheritable, effective);
        let args = [&raw const header as usize, data.as_ptr() as usize, 0, 0, 0, 0];
        let (body, result) = one(Kind::Capset, libc::SYS_capset, args);
        assert_eq!(result, 0);
        pairs.push((body, Body::Capset(Capset { before: Some(before), after: want })));
    };
    // Groups and users of the thread that are not nought; it keeps its capabilities, and ends with this test.
    call(libc::SYS_prctl, [libc::PR_SET_KEEPCAPS as usize, 1, 0, 0, 0, 0]).unwrap();
    call(libc::SYS_setresgid, [1, 2, 3, 0, 0, 0]).unwrap();
    call(libc::SYS_setresuid, [4, 5, 6, 0, 0, 0]).unwrap();
    let user = |inheritable, effective| Credentials {
        uid: 4,
        euid: 5,
        suid: 6,
        fsuid: 5,
        gid: 1,
        egid: 2,
        sgid: 3,
        fsgid: 2,
        inheritable,
        permitted: root.permitted,
        effective,
    };
    set(NICE, NICE, user(NICE, NICE));
    set(0, root.permitted, user(0, root.permitted));
    told(&[], pairs)
}

pub fn prctl() -> Told {
    let name = *b"a name of sixteen";
    let at = name.as_ptr() as usize;
    let (named, _) = one(Kind::Prctl, libc::SYS_prctl, [15, at, 2, 3, 4, 0]);
    let (refused, result) = one(Kind::Prctl, libc::SYS_prctl, [22, 9999, 7, 8, 9, 0]);
    assert_eq!(result, -i64::from(libc::EINVAL));
    let prctl = |option, args, name| Body::Prctl(Prctl { option, args, name });
    told(
        &[],
        vec![
            (named, prctl(15, [at as u64, 2, 3, 4], Some(Comm::from("a name of sixtee")))),
            (refused, prctl(22, [9999, 7, 8, 9], None)),
        ],
    )
}

pub fn signal() -> Told {
    let (pid, tid) = (std::process::id() as usize, nix::unistd::gettid().as_raw() as usize);
    // SIGURG, which is ignored.
    let (thread, _) = one(Kind::Signal, libc::SYS_tgkill, [pid, tid, 23, 0, 0, 0]);
    let pidfd = owned(call(libc::SYS_pidfd_open, [pid, 0, 0, 0, 0, 0]).unwrap());
    let fd = std::os::fd::AsRawFd::as_raw_fd(&pidfd);
    let (process, _) = one(Kind::Signal, libc::SYS_pidfd_send_signal, [fd as usize, 23, 0, 0, 0, 0]);
    let signal =
        |target_tid, pidfd| Body::Signal(Signal { target_pid: pid as i32, target_tid, signal: 23, pidfd });
    told(&[], vec![(thread, signal(tid as i32, -1)), (process, signal(0, fd))])
}

pub fn bpf() -> Told {
    let mut attr = [0u8; 128];
    for (at, value) in [(0, 2u32), (4, 4), (8, 4), (12, 0)] {
        attr[at..at + 4].copy_from_slice(&value.to_ne_bytes()); // array, key, value, no entries: refused
    }
    attr[28..43].copy_from_slice(b"sentinel_tests_");
    let (map, result) = one(Kind::Bpf, libc::SYS_bpf, [0, attr.as_ptr() as usize, attr.len(), 0, 0, 0]);
    assert_eq!(result, -i64::from(libc::EINVAL));
    let empty = [0u8; 128];
    let (program, _) = one(Kind::Bpf, libc::SYS_bpf, [5, empty.as_ptr() as usize, 128, 0, 0, 0]);
    let bpf = |cmd, object_type, name: &str| Body::Bpf(Bpf { cmd, object_type, name: name.into() });
    told(&[], vec![(map, bpf(0, 2, "sentinel_tests_")), (program, bpf(5, 0, ""))])
}

pub fn userfaultfd() -> Told {
    let (refused, result) = one(Kind::Userfaultfd, libc::SYS_userfaultfd, [0x8000, 0, 0, 0, 0, 0]);
    assert_eq!(result, -i64::from(libc::EINVAL));
    told(&[], vec![(refused, Body::Userfaultfd(Userfaultfd { flags: 0x8000 }))])
}

pub fn io_uring_setup() -> Told {
    let mut params = [0u32; 30];
    params[1] = 64;
    params[2] = 1 << 3 | 1 << 1; // IORING_SETUP_CQSIZE, SQPOLL
    params[3] = 5; // of no use without SQ_AFF
    params[4] = 77;
    let (made, result) =
        one(Kind::IoUringSetup, libc::SYS_io_uring_setup, [5, params.as_mut_ptr() as usize, 0, 0, 0, 0]);
    let want = IoUringSetup {
        entries: 5,
        flags: 1 << 3 | 1 << 1,
        sq_entries: params[0],
        cq_entries: 64,
        sq_thread_cpu: params[3],
        sq_thread_idle: 77,
        features: params[5],
        unreadable: false,
    };
    assert_eq!(params[0], 8);
    drop(owned(result as usize));
    let (wild, _) = one(Kind::IoUringSetup, libc::SYS_io_uring_setup, [5, 8, 0, 0, 0, 0]);
    let nothing = IoUringSetup {
        entries: 5,
        flags: 0,
        sq_entries: 0,
        cq_entries: 0,
        sq_thread_cpu: 0,
        sq_thread_idle: 0,
        features: 0,
        unreadable: true,
    };
    told(&[], vec![(made, Body::IoUringSetup(want)), (wild, Body::IoUringSetup(nothing))])
}

pub fn process_vm_write() -> Told {
    let (text, mut place) = (*b"abc", [0u8; 3]);
    let local = [text.as_ptr() as usize, 3];
    let remote = [place.as_mut_ptr() as usize, 2, place.as_mut_ptr() as usize + 2, 1];
    let pid = std::process::id();
    let args = [pid as usize, local.as_ptr() as usize, 1, remote.as_ptr() as usize, 2, 0];
    let (body, result) = one(Kind::ProcessVmWrite, libc::SYS_process_vm_writev, args);
    assert_eq!((result, place), (3, text));
    let want = ProcessVmWrite { target_pid: pid, addr: remote[0] as u64, pieces: 2 };
    told(&[], vec![(body, Body::ProcessVmWrite(want))])
}

pub fn syscall() -> Told {
    let (body, _) = one(Kind::Syscall, libc::SYS_getpgid, [0, 2, 3, 4, 5, usize::MAX]);
    told(&[], vec![(body, Body::Syscall(AnyCall { args: [0, 2, 3, 4, 5, u64::MAX] }))])
}
