//! Changed ids and capabilities. Needs root: each test changes its own thread alone, and changes it back.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::fs;

use harness::{call, capture_of, of};
use sentinel_event::{Body, Capset, Credentials, Event, Kind, Setuid};

/// What is loaded.
const KINDS: &[Kind] = &[Kind::Setuid, Kind::Capset];

const SAME: usize = u32::MAX as usize;

/// What /proc says of this thread.
fn now() -> Credentials {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = |key: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let ids = |key| line(key).iter().map(|id| id.parse().unwrap()).collect::<Vec<u32>>();
    let cap = |key| u64::from_str_radix(&line(key)[0], 16).unwrap();
    let (uid, gid) = (ids("Uid:"), ids("Gid:"));
    Credentials {
        uid: uid[0],
        euid: uid[1],
        suid: uid[2],
        fsuid: uid[3],
        gid: gid[0],
        egid: gid[1],
        sgid: gid[2],
        fsgid: gid[3],
        inheritable: cap("CapInh:"),
        permitted: cap("CapPrm:"),
        effective: cap("CapEff:"),
    }
}

fn setuid(event: &Event) -> &Setuid {
    match &event.body {
        Body::Setuid(setuid) => setuid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_tells_before_after_and_who_asked() {
    let root = now();
    assert_eq!((root.uid, root.euid), (0, 0), "these tests need root");
    let events = capture_of(KINDS).during(|| {
        call(libc::SYS_setresuid, [SAME, 1000, SAME, 0, 0, 0]).unwrap();
        // Without privileges another user cannot be taken on.
        assert!(call(libc::SYS_setresuid, [4242, SAME, SAME, 0, 0, 0]).is_err());
        call(libc::SYS_setresuid, [SAME, 0, SAME, 0, 0, 0]).unwrap();
    });
    let [dropped, refused, back] = of(&events, Kind::Setuid)[..] else { panic!("{events:?}") };
    let user = Credentials { euid: 1000, fsuid: 1000, effective: 0, ..root };
    let asked = |ids: [u32; 3], before, after| Setuid { before: Some(before), after, asked: ids };
    assert_eq!(*setuid(dropped), asked([u32::MAX, 1000, u32::MAX], root, user));
    assert_eq!(*setuid(refused), asked([4242, u32::MAX, u32::MAX], user, user));
    assert_eq!(*setuid(back), asked([u32::MAX, 0, u32::MAX], user, root));
    // The head is who asked.
    let who = |event: &Event| (event.head.uid, event.head.euid, event.head.gid, event.head.egid);
    assert_eq!((who(dropped), who(refused), who(back)), ((0, 0, 0, 0), (0, 1000, 0, 0), (0, 1000, 0, 0)));
    assert_eq!((dropped.head.result, refused.head.result), (0, -i64::from(libc::EPERM)));
}

#[test]
fn groups_are_told_too() {
    let root = now();
    let events = capture_of(KINDS).during(|| {
        call(libc::SYS_setresgid, [SAME, 1000, SAME, 0, 0, 0]).unwrap();
        call(libc::SYS_setresgid, [SAME, 0, SAME, 0, 0, 0]).unwrap();
    });
    let [event, _] = of(&events, Kind::Setuid)[..] else { panic!("{events:?}") };
    let after = Credentials { egid: 1000, fsgid: 1000, ..root };
    assert_eq!(*setuid(event), Setuid { before: Some(root), after, asked: [u32::MAX, 1000, u32::MAX] });
    assert_eq!(event.head.syscall.unwrap().0, libc::SYS_setresgid as u16);
}

#[test]
fn every_call_of_the_family_is_seen() {
    let root = now();
    let same = u32::MAX;
    for (number, args, asked, result) in [
        (libc::SYS_setuid, [0, 0, 0], vec![0], 0),
        (libc::SYS_setgid, [0, 0, 0], vec![0], 0),
        (libc::SYS_setreuid, [SAME, SAME, 0], vec![same, same], 0),
        (libc::SYS_setregid, [SAME, SAME, 0], vec![same, same], 0),
        (libc::SYS_setresuid, [SAME, SAME, SAME], vec![same, same, same], 0),
        (libc::SYS_setresgid, [SAME, SAME, SAME], vec![same, same, same], 0),
        (libc::SYS_setfsuid, [SAME, 0, 0], vec![same], 0),
        (libc::SYS_setfsgid, [SAME, 0, 0], vec![same], 0),
        (libc::SYS_setgroups, [70_000, 0, 0], vec![70_000], -i64::from(libc::EINVAL)),
    ] {
        let [a, b, c] = args;
        let events = capture_of(KINDS).during(|| drop(call(number, [a, b, c, 0, 0, 0])));
        let [event] = of(&events, Kind::Setuid)[..] else { panic!("{number}: {events:?}") };
        let told = setuid(event);
        assert_eq!((told.before, told.after), (Some(root), root));
        assert_eq!(told.asked[..asked.len()], asked);
        assert_eq!((event.head.result, event.head.syscall.unwrap().0), (result, number as u16));
    }
}

#[test]
fn capabilities_given_up_and_taken_back() {
    const VERSION_3: u64 = 0x2008_0522;
    const NICE: u64 = 1 << 23;
    let root = now();
    let header = VERSION_3.to_ne_bytes();
    let data = |effective: u64| -> Vec<u8> {
        let word = |value: u64, at: u32| ((value >> (32 * at)) as u32).to_ne_bytes();
        let words =
            (0..2).flat_map(|at| [word(effective, at), word(root.permitted, at), word(root.inheritable, at)]);
        words.flatten().collect()
    };
    let (less, all) = (data(root.effective & !NICE), data(root.effective));
    let set =
        |data: &[u8]| call(libc::SYS_capset, [header.as_ptr() as usize, data.as_ptr() as usize, 0, 0, 0, 0]);
    let events = capture_of(KINDS).during(|| {
        set(&less).unwrap();
        set(&all).unwrap();
        assert!(call(libc::SYS_capset, [header.as_ptr() as usize, 8, 0, 0, 0, 0]).is_err());
    });
    let told: Vec<_> = of(&events, Kind::Capset)
        .iter()
        .map(|event| match &event.body {
            Body::Capset(capset) => (*capset, event.head.result),
            other => panic!("{other:?}"),
        })
        .collect();
    let without = Credentials { effective: root.effective & !NICE, ..root };
    let change = |before, after| Capset { before: Some(before), after };
    let fault = -i64::from(libc::EFAULT);
    assert_eq!(told, [(change(root, without), 0), (change(without, root), 0), (change(root, root), fault)]);
}
