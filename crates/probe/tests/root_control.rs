//! prctl, signals, bpf, userfaultfd, io_uring, process_vm_writev, and calls that only rules name. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::io;

use harness::{call, capture, of, owned};
use sentinel_event::{
    AnyCall, Body, Bpf, Comm, Event, IoUringSetup, Kind, KindSet, Prctl, ProcessVmWrite, Signal, Userfaultfd,
};

fn errno(result: &io::Result<usize>) -> i64 {
    match result {
        Ok(value) => *value as i64,
        Err(error) => -i64::from(error.raw_os_error().unwrap()),
    }
}

/// The one event of `kind` that the call makes, its result checked.
fn one(kind: Kind, number: libc::c_long, args: [usize; 6]) -> (Event, io::Result<usize>) {
    let mut result = Ok(0);
    let events = capture().during(|| result = call(number, args));
    let [event] = of(&events, kind)[..] else { panic!("{kind}: {events:?}") };
    assert_eq!((event.head.result, event.head.syscall.unwrap().0), (errno(&result), number as u16));
    (event.clone(), result)
}

#[test]
fn options_of_prctl_that_matter() {
    let name = *b"a name of sixteen";
    let pointer = name.as_ptr() as usize;
    let option = |option: usize, arg: usize| one(Kind::Prctl, libc::SYS_prctl, [option, arg, 0, 0, 0, 0]).0;
    let prctl = |option, arg, name| Body::Prctl(Prctl { option, args: [arg, 0, 0, 0], name });
    let event = option(15, pointer);
    assert_eq!(event.body, prctl(15, pointer as u64, Some(Comm::from("a name of sixtee"))));
    assert_eq!(event.head.comm, Comm::from("a name of sixtee"));
    let event = option(15, 8);
    assert_eq!((event.body, event.head.result), (prctl(15, 8, None), -i64::from(libc::EFAULT)));
    for (number, arg, result) in [
        (4, 1, 0),                            // SET_DUMPABLE
        (38, 0, -i64::from(libc::EINVAL)),    // SET_NO_NEW_PRIVS: there is no way back
        (36, 0, 0),                           // SET_CHILD_SUBREAPER
        (22, 9999, -i64::from(libc::EINVAL)), // SET_SECCOMP
        (24, 9999, -i64::from(libc::EINVAL)), // CAPBSET_DROP
    ] {
        let event = option(number, arg);
        assert_eq!((event.body, event.head.result), (prctl(number as u64, arg as u64, None), result));
    }
    // PR_GET_DUMPABLE only asks.
    let events = capture().during(|| drop(call(libc::SYS_prctl, [3, 0, 0, 0, 0, 0])));
    assert!(of(&events, Kind::Prctl).is_empty());
}

#[test]
fn every_way_to_send_a_signal() {
    let (pid, tid) = (std::process::id() as usize, nix::unistd::gettid().as_raw() as usize);
    let signal = |target_pid: usize, target_tid: usize, signal| Signal {
        target_pid: target_pid as i32,
        target_tid: target_tid as i32,
        signal,
        pidfd: -1,
    };
    let nobody = i32::MAX as usize;
    let no_process = -i64::from(libc::ESRCH);
    let bad_address = -i64::from(libc::EFAULT);
    for (number, args, want, result) in [
        (libc::SYS_kill, [pid, 0, 0, 0], signal(pid, 0, 0), 0),
        (libc::SYS_kill, [nobody, 9, 0, 0], signal(nobody, 0, 9), no_process),
        (
            libc::SYS_kill,
            [-1_000_000_i32 as usize, 15, 0, 0],
            signal(-1_000_000_i32 as usize, 0, 15),
            no_process,
        ),
        (libc::SYS_tkill, [tid, 0, 0, 0], signal(0, tid, 0), 0),
        (libc::SYS_tgkill, [pid, tid, 0, 0], signal(pid, tid, 0), 0),
        (libc::SYS_rt_sigqueueinfo, [pid, 10, 8, 0], signal(pid, 0, 10), bad_address),
        (libc::SYS_rt_tgsigqueueinfo, [pid, tid, 10, 8], signal(pid, tid, 10), bad_address),
    ] {
        let [a, b, c, d] = args;
        let (event, _) = one(Kind::Signal, number, [a, b, c, d, 0, 0]);
        assert_eq!((event.body, event.head.result), (Body::Signal(want), result));
    }
}

#[test]
fn a_signal_by_descriptor_tells_the_process() {
    let pidfd = owned(call(libc::SYS_pidfd_open, [std::process::id() as usize, 0, 0, 0, 0, 0]).unwrap());
    let fd = std::os::fd::AsRawFd::as_raw_fd(&pidfd);
    let (event, _) = one(Kind::Signal, libc::SYS_pidfd_send_signal, [fd as usize, 0, 0, 0, 0, 0]);
    let target_pid = event.head.process.tgid as i32;
    assert_eq!(event.body, Body::Signal(Signal { target_pid, target_tid: 0, signal: 0, pidfd: fd }));
    let (event, _) = one(Kind::Signal, libc::SYS_pidfd_send_signal, [0, 9, 0, 0, 0, 0]);
    assert_eq!(event.body, Body::Signal(Signal { target_pid: 0, target_tid: 0, signal: 9, pidfd: 0 }));
    assert_eq!(event.head.result, -i64::from(libc::EBADF));
}

#[test]
fn bpf_tells_what_is_made_and_not_what_is_asked() {
    let mut attr = [0u8; 128];
    for (at, value) in [(0, 2u32), (4, 4), (8, 4), (12, 1)] {
        attr[at..at + 4].copy_from_slice(&value.to_ne_bytes()); // array, key, value, entries
    }
    attr[28..43].copy_from_slice(b"sentinel_tests_");
    let pointer = attr.as_ptr() as usize;
    let (event, result) = one(Kind::Bpf, libc::SYS_bpf, [0, pointer, attr.len(), 0, 0, 0]);
    let map = owned(result.unwrap());
    let made = Bpf { cmd: 0, object_type: 2, name: "sentinel_tests_".into() };
    assert_eq!(event.body, Body::Bpf(made));
    let empty = [0u8; 128];
    let (event, result) = one(Kind::Bpf, libc::SYS_bpf, [5, empty.as_ptr() as usize, 128, 0, 0, 0]);
    assert!(result.is_err());
    assert_eq!(event.body, Body::Bpf(Bpf { cmd: 5, ..Bpf::default() }));
    // BPF_MAP_LOOKUP_ELEM
    let events = capture().during(|| drop(call(libc::SYS_bpf, [1, empty.as_ptr() as usize, 128, 0, 0, 0])));
    assert!(of(&events, Kind::Bpf).is_empty());
    drop(map);
}

#[test]
fn userfaultfd_tells_its_flags() {
    for flags in [libc::O_NONBLOCK as usize, 0x8000] {
        let (event, result) = one(Kind::Userfaultfd, libc::SYS_userfaultfd, [flags, 0, 0, 0, 0, 0]);
        assert_eq!(event.body, Body::Userfaultfd(Userfaultfd { flags: flags as u32 }));
        assert_eq!(result.map(owned).is_ok(), flags != 0x8000);
    }
}

#[test]
fn an_io_uring_tells_its_size() {
    let mut params = [0u32; 30];
    params[2] = 1 << 3; // IORING_SETUP_CQSIZE
    params[1] = 64;
    let (event, result) =
        one(Kind::IoUringSetup, libc::SYS_io_uring_setup, [5, params.as_mut_ptr() as usize, 0, 0, 0, 0]);
    drop(owned(result.unwrap()));
    let want = IoUringSetup {
        entries: 5,
        flags: 8,
        sq_entries: 8,
        cq_entries: 64,
        features: params[5],
        ..IoUringSetup::default()
    };
    assert_eq!(event.body, Body::IoUringSetup(want));
    assert!(params[5] != 0);
    let (event, _) = one(Kind::IoUringSetup, libc::SYS_io_uring_setup, [5, 8, 0, 0, 0, 0]);
    let want = IoUringSetup { entries: 5, unreadable: true, ..IoUringSetup::default() };
    assert_eq!((event.body, event.head.result), (Body::IoUringSetup(want), -i64::from(libc::EFAULT)));
}

#[test]
fn writing_to_another_process_tells_where() {
    let (text, mut place) = (*b"abc", [0u8; 3]);
    let local = [text.as_ptr() as usize, 3];
    let remote = [place.as_mut_ptr() as usize, 3];
    for (pid, result) in [(std::process::id() as usize, 3), (i32::MAX as usize, -i64::from(libc::ESRCH))] {
        let args = [pid, local.as_ptr() as usize, 1, remote.as_ptr() as usize, 1, 0];
        let (event, _) = one(Kind::ProcessVmWrite, libc::SYS_process_vm_writev, args);
        let want = ProcessVmWrite { target_pid: pid as u32, addr: remote[0] as u64, pieces: 1 };
        assert_eq!((event.body, event.head.result), (Body::ProcessVmWrite(want), result));
    }
    assert_eq!(place, text);
}

#[test]
fn a_call_is_an_event_while_somebody_names_it() {
    let args = [0, 2, 3, 4, 5, usize::MAX];
    let told = |capture: &mut harness::Capture| {
        let events = capture.during(|| drop(call(libc::SYS_getpgid, args)));
        of(&events, Kind::Syscall).into_iter().cloned().collect::<Vec<_>>()
    };
    let mut capture = capture();
    assert!(told(&mut capture).is_empty());
    capture.probe.set_syscalls(vec!["getpgid".into(), "no_such_call".into()]);
    capture.probe.set_kinds(KindSet::all()).unwrap();
    let seen = told(&mut capture);
    let hooks = capture.probe.hooks();
    capture.probe.set_syscalls(Vec::new());
    capture.probe.set_kinds(KindSet::all()).unwrap();
    assert!(told(&mut capture).is_empty());
    let [event] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(event.body, Body::Syscall(AnyCall { args: [0, 2, 3, 4, 5, u64::MAX] }));
    assert_eq!(event.head.syscall.unwrap().0, libc::SYS_getpgid as u16);
    // 0 where nobody has ever made a group.
    assert_eq!(event.head.result, call(libc::SYS_getpgid, args).unwrap() as i64);
    let states: Vec<_> =
        hooks.iter().filter(|hook| hook.program == "syscall").map(|hook| &hook.state).collect();
    let attached = sentinel_probe::HookState::Attached { verified: false };
    assert_eq!(states, [&attached, &sentinel_probe::HookState::Absent]);
}
