//! What a system call is called outside.

use sentinel_event::{Body, Event, Syscall};

/// Name of a system call on this architecture, as in the manual; none for a number this build has no name for.
pub fn syscall_name(syscall: Syscall) -> Option<&'static str> {
    syscall.name()
}

/// The rule field `evt.type`: the system call's name. Events that the scheduler reports have the call that
/// leads there, as Falco has it; none when the call's number has no name.
pub(crate) fn evt_type(event: &Event) -> Option<&'static str> {
    match (event.head.syscall, &event.body) {
        (Some(syscall), _) => syscall_name(syscall),
        (None, Body::Exec(_)) => Some("execve"),
        (None, Body::Fork(_)) => Some("clone"),
        (None, Body::Exit(_)) => Some("procexit"),
        (None, Body::Loss(_)) => Some("drop"),
        (None, _) => None,
    }
}
