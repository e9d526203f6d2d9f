//! Memory that can be run, files without names, and tracing. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    process::Command,
};

use harness::{c, call, capture_of, of, owned};
use sentinel_event::{Body, Kind, MmapExec};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::MemfdCreate, Kind::MmapExec, Kind::MprotectExec, Kind::Ptrace];

const PAGE: usize = 4096;
const RX: usize = (libc::PROT_READ | libc::PROT_EXEC) as usize;
const ANONYMOUS: usize = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;

fn unmap(addr: usize) {
    call(libc::SYS_munmap, [addr, PAGE, 0, 0, 0, 0]).unwrap();
}

#[test]
fn executable_mappings_tell_file_and_place() {
    let exe = fs::canonicalize("/bin/true").unwrap();
    let file = File::open(&exe).unwrap();
    let fd = file.as_raw_fd() as usize;
    let cases = [
        (
            [0, PAGE, RX, libc::MAP_PRIVATE as usize, fd, 0],
            exe.to_str().unwrap(),
            fs::metadata(&exe).unwrap().ino(),
        ),
        ([0, PAGE, RX | libc::PROT_WRITE as usize, ANONYMOUS, usize::MAX, 0], "", 0),
    ];
    for (args, path, ino) in cases {
        let mut addr = 0;
        let events = capture_of(KINDS).during(|| {
            addr = call(libc::SYS_mmap, args).unwrap();
            unmap(addr);
        });
        let [event] = of(&events, Kind::MmapExec)[..] else { panic!("{events:?}") };
        let Body::MmapExec(map) = &event.body else { unreachable!() };
        assert_eq!(map.path.bytes, path);
        let (prot, flags) = (args[2] as u32, args[3] as u32);
        let want = MmapExec { path: map.path.clone(), ino, addr: addr as u64, len: 4096, prot, flags };
        assert_eq!(*map, want);
    }
}

#[test]
fn a_failed_mapping_is_seen_and_one_that_cannot_run_is_not() {
    let events = capture_of(KINDS)
        .during(|| assert!(call(libc::SYS_mmap, [0, 0, RX, ANONYMOUS, usize::MAX, 0]).is_err()));
    assert_eq!(of(&events, Kind::MmapExec)[0].head.result, -i64::from(libc::EINVAL));
    let events = capture_of(KINDS).during(|| {
        let addr =
            call(libc::SYS_mmap, [0, PAGE, libc::PROT_READ as usize, ANONYMOUS, usize::MAX, 0]).unwrap();
        call(libc::SYS_mprotect, [addr, PAGE, libc::PROT_WRITE as usize, 0, 0, 0]).unwrap();
        unmap(addr);
    });
    assert!(of(&events, Kind::MmapExec).is_empty() && of(&events, Kind::MprotectExec).is_empty());
}

#[test]
fn both_variants_of_mprotect_are_seen() {
    let no_key = usize::MAX;
    for (number, key) in [(libc::SYS_mprotect, 0), (libc::SYS_pkey_mprotect, no_key)] {
        let mut place = 0;
        let events = capture_of(KINDS).during(|| {
            place =
                call(libc::SYS_mmap, [0, PAGE, libc::PROT_READ as usize, ANONYMOUS, usize::MAX, 0]).unwrap();
            call(number, [place, PAGE, RX, key, 0, 0]).unwrap();
            unmap(place);
        });
        let [event] = of(&events, Kind::MprotectExec)[..] else { panic!("{events:?}") };
        let Body::MprotectExec(protect) = &event.body else { unreachable!() };
        assert_eq!((protect.addr, protect.len, protect.prot), (place as u64, 4096, RX as u32));
        assert_eq!(event.head.syscall.unwrap().0, number as u16);
    }
}

#[test]
fn memfd_tells_its_name() {
    for name in ["plain", "with/slash", "", "a\nb"] {
        let text = c(name);
        let events = capture_of(KINDS).during(|| {
            drop(owned(call(libc::SYS_memfd_create, [text.as_ptr() as usize, 1, 0, 0, 0, 0]).unwrap()));
        });
        let [event] = of(&events, Kind::MemfdCreate)[..] else { panic!("{events:?}") };
        let Body::MemfdCreate(memfd) = &event.body else { unreachable!() };
        assert_eq!((memfd.name.as_slice(), memfd.flags), (name.as_bytes(), 1));
    }
    let name = c("failed");
    let events = capture_of(KINDS).during(|| {
        assert!(call(libc::SYS_memfd_create, [name.as_ptr() as usize, 0x8000_0000, 0, 0, 0, 0]).is_err());
    });
    let event = of(&events, Kind::MemfdCreate)[0];
    assert_eq!(event.head.result, -i64::from(libc::EINVAL));
    assert!(matches!(&event.body, Body::MemfdCreate(memfd) if memfd.name == "failed"));
}

#[test]
fn tracing_another_process_is_seen() {
    use nix::{sys::ptrace, sys::wait::waitpid, unistd::Pid};
    // Before the child: to another test its start would be an executable mapping.
    let mut capture = capture_of(KINDS);
    let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    let pid = Pid::from_raw(child.id() as i32);
    let events = capture.during(|| {
        ptrace::attach(pid).unwrap();
        waitpid(pid, None).unwrap();
        ptrace::detach(pid, None).unwrap();
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // PTRACE_ATTACH is 16; detaching does nothing to the other and is no event.
    let [event] = of(&events, Kind::Ptrace)[..] else { panic!("{events:?}") };
    let Body::Ptrace(trace) = &event.body else { unreachable!() };
    assert_eq!((trace.request, trace.target_pid, event.head.result), (16, child.id(), 0));
}

#[test]
fn a_failed_attach_and_seize_are_seen() {
    for (request, target) in [(16, i32::MAX as usize), (0x4206, i32::MAX as usize)] {
        let events = capture_of(KINDS)
            .during(|| assert!(call(libc::SYS_ptrace, [request, target, 0, 0, 0, 0]).is_err()));
        let [event] = of(&events, Kind::Ptrace)[..] else { panic!("{events:?}") };
        assert_eq!(event.head.result, -i64::from(libc::ESRCH));
        assert!(matches!(&event.body, Body::Ptrace(trace) if trace.request == request as u64));
    }
}
