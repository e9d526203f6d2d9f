//! Which privileges this process lacks, by name.

use std::fs;

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
}
