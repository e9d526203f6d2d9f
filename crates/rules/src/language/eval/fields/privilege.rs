//! What a thread may do: `thread.cap_*`.

use sentinel_event::{Body, Capabilities};

use super::{Row, built, or_missing};
use crate::language::eval::{
    value::{Scratch, Value},
    view::View,
};

pub(super) const FIELDS: &[Row] = &[
    built("thread.cap_effective", |view, _, scratch| names(view, |all| all.effective, scratch)),
    built("thread.cap_inheritable", |view, _, scratch| names(view, |all| all.inheritable, scratch)),
    built("thread.cap_permitted", |view, _, scratch| names(view, |all| all.permitted, scratch)),
];

/// By the number of the bit, as in `linux/capability.h`.
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// What the event itself gives, else what is known of the process.
fn known(view: &View<'_>) -> Option<Capabilities> {
    match &view.observation.event.body {
        Body::Exec(exec) if exec.capabilities.is_some() => exec.capabilities,
        Body::Capset(capset) => Some(capset.after.capabilities()),
        _ => view.process()?.capabilities,
    }
}

fn names<'a>(view: &View<'a>, of: fn(Capabilities) -> u64, scratch: &mut Scratch) -> Value<'a> {
    or_missing(known(view), |all| {
        let bits = of(all);
        scratch.build(|out| {
            let has = NAMES.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            for (at, (_, name)) in has.enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(name.as_bytes());
            }
        })
    })
}
