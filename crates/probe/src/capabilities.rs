//! Privileges: which of them this process lacks, and the one that it may not need.

use std::{fs, io};

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Name and number of what loading and attaching take; CAP_SYS_ADMIN stands for both.
const NEEDED: [(&str, u32); 2] = [("CAP_BPF", 39), ("CAP_PERFMON", 38)];
const SYS_ADMIN: u32 = 21;

/// The missing capabilities, e.g. `CAP_BPF and CAP_PERFMON (uid 1000)`; none when all are there, or nobody says.
pub(crate) fn missing() -> Option<String> {
    missing_in(&fs::read_to_string("/proc/self/status").ok()?)
}

fn missing_in(status: &str) -> Option<String> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let effective = u64::from_str_radix(field("CapEff:")?, 16).ok()?;
    let has = |number: u32| effective & (1 << number) != 0 || effective & (1 << SYS_ADMIN) != 0;
    let missing: Vec<_> = NEEDED.iter().filter(|(_, number)| !has(*number)).map(|(name, _)| *name).collect();
    let uid = field("Uid:").and_then(|uids| uids.split_ascii_whitespace().nth(1)).unwrap_or("unknown");
    (!missing.is_empty()).then(|| format!("{} (uid {uid})", missing.join(" and ")))
}

/// Level of `kernel.perf_event_paranoid` from which the kernels of some distributions (Debian, Ubuntu) refuse perf events
/// to everybody without CAP_SYS_ADMIN. Linux itself has none above 2, and takes CAP_PERFMON at each.
const LOCKED: i32 = 3;

/// `kernel.perf_event_paranoid`; none where it cannot be read.
pub(crate) fn paranoia() -> Option<i32> {
    fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

/// Whether this kernel may want CAP_SYS_ADMIN for perf events, which attach programs to system calls.
pub(crate) fn perf_takes_admin() -> bool {
    paranoia().is_none_or(|level| level >= LOCKED)
}

/// What became of CAP_SYS_ADMIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// This process never had it.
    Absent,
    /// It has been given up, for good.
    GivenUp,
    /// It stays: the kernel attaches nothing to system calls without it.
    Needed,
    /// It stays: CAP_BPF and CAP_PERFMON, for which it stands, are not both there.
    Alone,
    /// It stays: who may load modules into the kernel would lose nothing with it.
    Root,
}

/// Gives CAP_SYS_ADMIN up where attaching does not need it. Of the calling thread and those it starts from then on: call
/// it before there are others, and after [`crate::mount_missing`], which may need it.
///
/// # Errors
/// When the kernel, or a seccomp profile, refuses capget(2) or capset(2).
pub fn give_up_admin() -> io::Result<Admin> {
    let mut sets = capabilities(None)?;
    let had = sets.permitted | sets.effective;
    if !had.contains(CapabilitySet::SYS_ADMIN) {
        return Ok(Admin::Absent);
    }
    if had.contains(CapabilitySet::SYS_MODULE) {
        return Ok(Admin::Root);
    }
    if !had.contains(CapabilitySet::BPF | CapabilitySet::PERFMON) {
        return Ok(Admin::Alone);
    }
    if perf_takes_admin() {
        return Ok(Admin::Needed);
    }
    for set in [&mut sets.permitted, &mut sets.effective, &mut sets.inheritable] {
        set.remove(CapabilitySet::SYS_ADMIN);
    }
    set_capabilities(None, sets)?;
    Ok(Admin::GivenUp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let status = |uid: u32, bits: u64| {
            format!("Name:\tx\nUid:\t9\t{uid}\t9\t9\nCapEff:\t{bits:016x}\nSeccomp:\t0\n")
        };
        let check =
            |bits, expected: Option<&str>| assert_eq!(missing_in(&status(7, bits)).as_deref(), expected);
        check(0, Some("CAP_BPF and CAP_PERFMON (uid 7)"));
        check(1 << 39, Some("CAP_PERFMON (uid 7)"));
        check(1 << 39 | 1 << 38, None);
        check(1 << SYS_ADMIN, None);
        assert_eq!(missing_in("CapEff: no number\n"), None);
    }

    /// Rights are a thread's own: this one's end with it.
    #[test]
    fn admin_goes_where_the_kernel_does_not_ask_for_it() {
        let thread = std::thread::spawn(|| {
            let admin = || capabilities(None).unwrap().permitted.contains(CapabilitySet::SYS_ADMIN);
            if !admin() {
                assert_eq!(give_up_admin().unwrap(), Admin::Absent);
                return;
            }
            let mut sets = capabilities(None).unwrap();
            if sets.permitted.contains(CapabilitySet::SYS_MODULE) {
                assert_eq!(give_up_admin().unwrap(), Admin::Root);
                assert!(admin());
            }
            sets.permitted.remove(CapabilitySet::SYS_MODULE);
            sets.effective.remove(CapabilitySet::SYS_MODULE);
            set_capabilities(None, sets).unwrap();
            let needed = perf_takes_admin();
            let expected = if needed { Admin::Needed } else { Admin::GivenUp };
            assert_eq!((give_up_admin().unwrap(), admin()), (expected, needed));
        });
        thread.join().unwrap();
    }

    #[test]
    fn admin_stays_where_it_stands_for_others() {
        let thread = std::thread::spawn(|| {
            let mut sets = capabilities(None).unwrap();
            for gone in [CapabilitySet::SYS_MODULE, CapabilitySet::PERFMON] {
                sets.permitted.remove(gone);
                sets.effective.remove(gone);
            }
            set_capabilities(None, sets).unwrap();
            let expected =
                if sets.permitted.contains(CapabilitySet::SYS_ADMIN) { Admin::Alone } else { Admin::Absent };
            assert_eq!((give_up_admin().unwrap(), capabilities(None).unwrap()), (expected, sets));
        });
        thread.join().unwrap();
    }
}
