//! Privileges, mounts, security modules, ports and memory.

use std::fs;
use std::net::TcpListener;

use nix::unistd::Uid;
use sentinel_agent::Config;

use super::{Check, Section};

/// File systems that are used, where they belong, and what for.
const MOUNTS: [(&str, &str, &str); 3] = [
    ("tracefs", "/sys/kernel/tracing", "system call tracepoints"),
    ("bpf", "/sys/fs/bpf", "pinned maps; not needed yet"),
    ("securityfs", "/sys/kernel/security", "lockdown mode and list of security modules"),
];

/// What the agent needs besides the ring: tables, programs, code.
const MEMORY_BYTES: u64 = 32 << 20;

/// Looks at this host with the eyes of an agent that has this configuration.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut found = vec![privileges(Uid::effective().is_root(), &read("/proc/self/status"))];
    let mounts = read("/proc/self/mounts");
    found.extend(MOUNTS.iter().map(|(kind, place, purpose)| mount(&mounts, kind, place, purpose)));
    found.extend(security_modules(read("/sys/kernel/security/lsm").trim()));
    found.push(port("health port", &config.health.address, config.health.port));
    if config.metrics.enabled {
        found.push(port("metrics port", &config.metrics.address, config.metrics.port));
    }
    found.push(memory(&read("/proc/meminfo"), config.capture.ring_bytes.into()));
    found.push(compat(config.capture.compat));
    found
}

fn check(name: &str, available: bool, required: bool, detail: impl Into<String>, remedy: &str) -> Check {
    Check {
        section: Section::Host,
        name: name.to_owned(),
        available,
        required,
        detail: detail.into(),
        remedy: remedy.to_owned(),
    }
}

/// Capabilities, linux/capability.h: number, name, and whether the agent cannot do without (CAP_SYS_ADMIN
/// stands in for those).
const CAPABILITIES: [(u32, &str, bool); 4] = [
    (39, "CAP_BPF", true),
    (38, "CAP_PERFMON", true),
    (19, "CAP_SYS_PTRACE", false),
    (2, "CAP_DAC_READ_SEARCH", false),
];
const CAP_SYS_ADMIN: u32 = 21;

fn privileges(root: bool, status: &str) -> Check {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or_default();
    let has = |number: u32| effective >> number & 1 == 1;
    let missing =
        |required: bool| CAPABILITIES.iter().filter(move |(n, _, need)| *need == required && !has(*n));
    let (needed, useful): (Vec<_>, Vec<_>) = (missing(true).collect(), missing(false).collect());
    let user = if root { "root" } else { "not root" };
    let names =
        |list: &[&(u32, &str, bool)]| list.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    let detail = match (needed.is_empty(), useful.is_empty()) {
        (true, true) => format!("{user}, with every capability that is used"),
        (true, false) => format!("{user}, without {} (other users' /proc is not seen)", names(&useful)),
        (false, _) => format!("{user}, without {}", names(&[needed.clone(), useful].concat())),
    };
    let available = needed.is_empty() || has(CAP_SYS_ADMIN);
    check("capabilities", available, true, detail, "run it with sudo, or give the service these capabilities")
}

fn mount(mounts: &str, kind: &str, place: &str, purpose: &str) -> Check {
    let at = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, fs) = (fields.next()?, fields.next()?);
        (fs == kind).then(|| point.to_owned())
    });
    let detail = at.clone().unwrap_or_else(|| format!("not mounted; used for {purpose}"));
    check(&format!("{kind} mount"), at.is_some(), false, detail, &format!("mount -t {kind} {kind} {place}"))
}

/// None when securityfs is not mounted, which is a finding of its own.
fn security_modules(active: &str) -> Option<Check> {
    (!active.is_empty()).then(|| check("security modules", true, false, active, ""))
}

fn port(name: &str, address: &str, port: u16) -> Check {
    let at = format!("{address}:{port}");
    let bound = address
        .parse::<std::net::IpAddr>()
        .map_err(std::io::Error::other)
        .and_then(|ip| TcpListener::bind((ip, port)));
    let remedy = format!(
        "when it is not the agent itself that listens there, set another port in the configuration ({name})"
    );
    match bound {
        Ok(_) => check(name, true, false, format!("{at} is free"), &remedy),
        Err(error) => check(name, false, false, format!("{at}: {error}"), &remedy),
    }
}

fn memory(meminfo: &str, ring_bytes: u64) -> Check {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib: Option<u64> = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    let need = ring_bytes.saturating_add(MEMORY_BYTES);
    let available = kib.is_none_or(|kib| kib.saturating_mul(1024) >= need);
    let have = kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{} MiB", kib / 1024));
    let detail = format!(
        "{have} available; the ring takes {} MiB, the agent up to {} MiB",
        ring_bytes >> 20,
        MEMORY_BYTES >> 20
    );
    check("memory", available, false, detail, "free memory, or set a smaller capture.ringBytes")
}

/// A blind spot of whatever is attached to single calls: design.md, section 5.
fn compat(seen: bool) -> Check {
    let offered = cfg!(target_arch = "x86_64") && fs::exists("/proc/sys/abi/vsyscall32").unwrap_or(false);
    let detail = match (offered, seen) {
        (false, _) => "not offered by the kernel, so nothing is missed",
        (true, true) => "the kernel takes them; seen, since capture.compat is on",
        (true, false) => {
            "the kernel takes them, and the tracepoints of single calls do not see them: starts of programs are seen, \
             with fentry opens too"
        }
    };
    let remedy = "set capture.compat to true, which every system call pays for; or boot with ia32_emulation=0 when no \
                  32-bit programs are used";
    check("32-bit system calls", !offered || seen, false, detail, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_capabilities_are_named() {
        let cases = [
            ("CapEff:\t000001ffffffffff\n", true, "root, with every capability that is used"),
            (
                "CapEff:\t000000c000000000\n",
                true,
                "root, without CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH (other users' /proc is not seen)",
            ),
            (
                "CapEff:\t0000000000200000\n",
                true,
                "root, without CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH",
            ),
            ("CapEff:\t0000004000080004\n", false, "root, without CAP_BPF"),
            ("", false, "root, without CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH"),
        ];
        for (status, available, detail) in cases {
            let found = privileges(true, status);
            assert_eq!((found.available, found.detail.as_str()), (available, detail), "{status}");
        }
    }

    #[test]
    fn mounts_are_found_by_kind_not_by_place() {
        let mounts = "proc /proc proc rw 0 0\nnodev /tracing tracefs rw 0 0\n";
        let found = |kind| mount(mounts, kind, "/sys/x", "y");
        assert_eq!((found("tracefs").available, found("tracefs").detail.as_str()), (true, "/tracing"));
        assert_eq!(
            (found("bpf").available, found("bpf").remedy.as_str()),
            (false, "mount -t bpf bpf /sys/x")
        );
    }

    #[test]
    fn a_taken_port_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = port("health port", "127.0.0.1", listener.local_addr().unwrap().port());
        assert!(!taken.available && !taken.required && taken.detail.contains("in use"), "{taken:?}");
        assert!(port("health port", "127.0.0.1", 0).available);
    }

    #[test]
    fn memory_counts_the_ring() {
        assert!(memory("MemAvailable:   65536 kB\n", 8 << 20).available);
        assert!(!memory("MemAvailable:   65536 kB\n", 64 << 20).available);
        assert!(memory("", 8 << 20).available);
    }
}
