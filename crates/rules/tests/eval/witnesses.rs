//! Files and addresses that the kernel and the caller tell differently.

use sentinel_event::{Body, FileUnlink, Observation, PathFlags, Source, UserPath};
use sentinel_rules::language::eval::{Memory, Witness};

use super::build::*;

/// An open that may have been raced.
fn raced(found: &str, named: &str) -> Observation {
    let mut raced = open(found, libc::O_RDONLY);
    let Body::FileOpen(body) = &mut raced.event.body else { panic!() };
    body.path.flags = PathFlags::SHARED;
    body.asked = asked(named, named);
    raced
}

fn witness(condition: &str, observation: &Observation) -> Option<Witness> {
    let mut found = None;
    let each = &mut |alert: sentinel_rules::language::eval::Alert<'_>| found = Some(alert.witness);
    engine(condition).evaluate(observation, &mut Memory::default(), each);
    found
}

#[test]
fn either_path_of_a_raced_open_fires() {
    let event = raced("/tmp/decoy", "/etc/shadow");
    for condition in ["fd.name = /etc/shadow", "fs.path.name = /etc/shadow", "evt.arg.name = /etc/shadow"] {
        assert_eq!(witness(condition, &event), Some(Witness::Caller), "{condition}");
    }
    assert_eq!(witness("fd.name = /tmp/decoy", &event), Some(Witness::Kernel));
    assert_eq!(witness("fd.name = /etc/passwd", &event), None);
}

#[test]
fn a_second_path_silences_nothing() {
    // Whatever is asked for beside it, the file in /etc is told of by one witness alone.
    let event = raced("/etc/shadow", "/usr/lib/x");
    assert!(holds("not fd.name startswith /usr", &event));
    assert!(holds("fd.name startswith /etc and not fd.name startswith /usr", &event));
    assert!(holds("fd.name != /usr/lib/x", &event));
    // One judgement does not mix the two.
    assert!(!holds("fd.directory = /etc and fd.filename = x", &event));
}

#[test]
fn a_path_that_no_other_thread_could_swap_is_the_only_one() {
    let mut event = raced("/tmp/decoy", "/etc/shadow");
    let Body::FileOpen(body) = &mut event.event.body else { panic!() };
    body.path.flags = PathFlags::default();
    assert!(!holds("fd.name = /etc/shadow", &event));
}

#[test]
fn what_was_asked_for_stands_where_no_file_was_found() {
    let mut event = open("", libc::O_RDONLY);
    event.event.head.result = -13;
    let Body::FileOpen(body) = &mut event.event.body else { panic!() };
    body.asked = asked("/etc/shadow", "../etc/shadow");
    check(
        &event,
        &[
            ("fd.name = /etc/shadow", true),
            ("fd.nameraw = ../etc/shadow", true),
            ("fd.directory = /etc", true),
            ("fd.typechar = f", true),
            ("fd.type exists", false),
            ("fd.num = -1", true),
            ("evt.rawres = -13", true),
            ("evt.arg.fd = EACCES", true),
            ("evt.res = EACCES", true),
        ],
    );
}

#[test]
fn either_address_of_a_raced_connect_fires() {
    let mut event = connect("10.1.1.1", 80);
    let body = socket(&mut event);
    body.shared = true;
    body.asked = end("203.0.113.9", 4444);
    body.asked.source = Source::User;
    assert_eq!(witness("fd.sip = 203.0.113.9 and fd.sport = 4444", &event), Some(Witness::Caller));
    assert_eq!(witness("fd.sip = 10.1.1.1", &event), Some(Witness::Kernel));
    assert!(holds("fd.sip != 10.1.1.1", &event) && holds("not fd.snet = 10.0.0.0/8", &event));
    assert!(!holds("fd.sip = 10.1.1.1 and fd.sport = 4444", &event));
}

/// A file that was removed by the name `named`.
fn removed(named: &str, second: &str, shared: bool) -> Observation {
    let mut removed = open(named, libc::O_RDONLY);
    let target = UserPath { shared, second: Some(Box::new(second.into())), ..asked(named, named) };
    removed.event.body = Body::FileUnlink(FileUnlink { target });
    removed.event.head.syscall = call(libc::SYS_unlinkat);
    removed
}

#[test]
fn either_path_of_a_name_fires() {
    // Through a symbolic link: the kernel is sure, and who asks about the link finds it as well.
    let through = removed("/var/run/x.sock", "/run/x.sock", false);
    for (condition, told) in [
        ("fs.path.name = /run/x.sock", Some(Witness::Kernel)),
        ("fs.path.name = /var/run/x.sock", Some(Witness::Caller)),
        ("evt.arg.name startswith /run", Some(Witness::Kernel)),
        ("fs.path.nameraw = /var/run/x.sock", Some(Witness::Kernel)),
        ("fs.path.name = /etc/passwd", None),
    ] {
        assert_eq!(witness(condition, &through), told, "{condition}");
    }
    // Rewritten while the call ran: what was there at its end, and what was there at its beginning.
    let rewritten = removed("/tmp/a", "/etc/passwd", true);
    assert_eq!(witness("fs.path.name = /tmp/a", &rewritten), Some(Witness::Kernel));
    assert_eq!(witness("fs.path.name = /etc/passwd", &rewritten), Some(Witness::Caller));
    assert!(holds("fs.path.name startswith /etc and not fs.path.name startswith /tmp", &rewritten));
}
