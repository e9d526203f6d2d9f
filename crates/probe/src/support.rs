//! Facts about this kernel and our privileges, found by trying, not by version numbers.

mod btf;

use std::{fs, io, path::Path};

use libbpf_rs::ProgramType;

use self::btf::{kfunc, vmlinux_btf};
use crate::capabilities;

/// The name of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Privileges,
    Lockdown,
    Btf,
    RingBuffer,
    TpBtf,
    Tracefs,
    PerfEvents,
    BpfLoop,
    TaskPtRegs,
    RdonlyCast,
    Syscall,
    Uring,
    UringSubmitReq,
    UringEntry,
    Fentry,
    SecurityPath,
    BpfLsm,
    /// Not a fact of the kernel: 32-bit calls are wanted.
    Compat,
}

/// What this kernel and these privileges offer.
#[derive(Debug, Clone)]
pub struct Support {
    /// The facts, in the order in which they matter.
    pub facts: Vec<Fact>,
}

/// One thing that a kernel may or may not offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Short name: `btf`, `tp_btf`, `fentry`, `bpf_lsm`, `tracefs` …
    pub name: &'static str,
    /// It is there.
    pub available: bool,
    /// Without it the probe does not work at all.
    pub required: bool,
    /// What was found, e.g. an errno or a path.
    pub detail: String,
    /// What to do when it is missing.
    pub remedy: &'static str,
}

/// The facts that decide what is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts(Vec<Name>);

impl Facts {
    pub(crate) fn has(&self, name: Name) -> bool {
        self.0.contains(&name)
    }

    #[cfg(test)]
    pub(crate) fn of(names: &[Name]) -> Self {
        Self(names.to_vec())
    }

    /// What the choice of programs depends on. Typed tracepoints are not tried beforehand, which takes a while:
    /// without them nothing loads at all, and the report says why.
    /// One is not found but chosen: whether 32-bit calls are looked at.
    pub(crate) fn detect(compat: bool) -> Self {
        let there = |check: &&Check| check.decides && (check.name == Name::TpBtf || (check.test)().0);
        let chosen = (compat && cfg!(target_arch = "x86_64")).then_some(Name::Compat);
        Self(CHECKS.iter().filter(there).map(|check| check.name).chain(chosen).collect())
    }
}

impl Support {
    /// Finds out what this kernel and these privileges offer. Loads a few empty programs, and attaches one
    /// of them for a moment.
    pub fn detect() -> Self {
        crate::load::quiet_libbpf();
        Self {
            facts: CHECKS
                .iter()
                .map(|check| {
                    let (available, detail) = (check.test)();
                    Fact {
                        name: check.name.label(),
                        available,
                        required: check.required,
                        detail,
                        remedy: check.remedy,
                    }
                })
                .collect(),
        }
    }

    /// Whether everything required is there.
    pub fn works(&self) -> bool {
        self.facts.iter().all(|fact| fact.available || !fact.required)
    }
}

impl Name {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Privileges => "privileges",
            Self::Lockdown => "lockdown",
            Self::Btf => "btf",
            Self::RingBuffer => "ringbuf",
            Self::TpBtf => "tp_btf",
            Self::Tracefs => "tracefs",
            Self::PerfEvents => "perf_events",
            Self::BpfLoop => "bpf_loop",
            Self::TaskPtRegs => "task_pt_regs",
            Self::RdonlyCast => "rdonly_cast",
            Self::Syscall => "syscall_prog",
            Self::Uring => "io_uring",
            Self::UringSubmitReq => "io_uring_submit_req",
            Self::UringEntry => "io_uring_cqe",
            Self::Fentry => "fentry",
            Self::SecurityPath => "security_path",
            Self::BpfLsm => "bpf_lsm",
            Self::Compat => "compat",
        }
    }
}

struct Check {
    name: Name,
    required: bool,
    /// Looked at before loading; the others only for the report.
    decides: bool,
    test: fn() -> (bool, String),
    remedy: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        name: Name::Privileges,
        required: true,
        decides: false,
        test: privileges,
        remedy: "run as root (sudo), or with CAP_BPF and CAP_PERFMON, before Linux 5.11 also CAP_SYS_RESOURCE; in \
                 a container also allow bpf(2) in the seccomp profile",
    },
    // Before what it takes away: the kernel makes no tracefs then, and says no to programs.
    Check {
        name: Name::Lockdown,
        required: true,
        decides: false,
        test: lockdown,
        remedy: "boot without lockdown=confidentiality: it forbids BPF to read kernel memory",
    },
    Check {
        name: Name::Btf,
        required: true,
        decides: false,
        test: vmlinux_btf,
        remedy: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (every current distribution's is)",
    },
    Check {
        name: Name::RingBuffer,
        required: true,
        decides: false,
        test: || map_type(libbpf_rs::MapType::RingBuf),
        remedy: "use Linux 5.8 or newer; Sentinel is tested from 5.10 on",
    },
    Check {
        name: Name::TpBtf,
        required: true,
        decides: true,
        test: || trace("tp_btf"),
        remedy: "use a kernel with BTF and CONFIG_BPF_EVENTS=y",
    },
    Check {
        name: Name::Tracefs,
        required: true,
        decides: true,
        test: syscall_tracepoints,
        remedy: "mount -t tracefs tracefs /sys/kernel/tracing; the kernel needs CONFIG_FTRACE_SYSCALLS=y",
    },
    Check {
        name: Name::PerfEvents,
        required: true,
        decides: false,
        test: perf_events,
        remedy: "give it CAP_SYS_ADMIN too, as our units do, or set kernel.perf_event_paranoid to 2 in /etc/sysctl.d; until \
                 then no system call is seen",
    },
    Check {
        name: Name::BpfLoop,
        required: false,
        decides: true,
        test: || helper(libbpf_rs::libbpf_sys::BPF_FUNC_loop),
        remedy: "Linux 5.17: without it paths of more than 24 components lose their top",
    },
    Check {
        name: Name::TaskPtRegs,
        required: false,
        decides: true,
        test: || helper(libbpf_rs::libbpf_sys::BPF_FUNC_task_pt_regs),
        remedy: "Linux 5.15: without it arguments are found by the layout of the kernel stack",
    },
    Check {
        name: Name::RdonlyCast,
        required: false,
        decides: true,
        test: || kfunc("bpf_rdonly_cast"),
        remedy: "Linux 6.2: without it every kernel field costs a call",
    },
    Check {
        name: Name::Syscall,
        required: false,
        decides: true,
        test: || program_type(ProgramType::Syscall),
        remedy: "Linux 5.14: without it the ring's fill level is not known",
    },
    Check {
        name: Name::Uring,
        required: false,
        decides: true,
        test: crate::uring::followed,
        remedy: "Linux 6.2: until then what is done through io_uring is not seen, only that a ring was made",
    },
    Check {
        name: Name::UringSubmitReq,
        required: false,
        decides: true,
        test: crate::uring::submit_req,
        remedy: "Linux 6.4: until then another tracepoint is used, which sees the same",
    },
    Check {
        name: Name::UringEntry,
        required: false,
        decides: true,
        test: crate::uring::tells_entry,
        remedy: "Linux 6.16: until then the tracepoint has other arguments, which tell the same",
    },
    Check {
        name: Name::Fentry,
        required: false,
        decides: true,
        test: || trace("fexit"),
        remedy: "a kernel with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS that does not lock trampolines; until \
                 then opens are seen where single calls end, and those by 32-bit calls with capture.compat",
    },
    Check {
        name: Name::SecurityPath,
        required: false,
        decides: true,
        test: || trace("path"),
        remedy: "a kernel with fentry and CONFIG_SECURITY_PATH; until then it does not tell which file a name led to, \
                 and events about names that other threads may have rewritten say that they are not sure",
    },
    Check {
        name: Name::BpfLsm,
        required: false,
        decides: true,
        test: bpf_lsm,
        remedy: "a kernel with CONFIG_BPF_LSM that loads its programs, booted with bpf in lsm=; until then who opens our \
                 maps is noted where calls end, which a process can avoid that rewrites its arguments in time",
    },
];

fn verdict(result: Result<bool, libbpf_rs::Error>) -> (bool, String) {
    match result {
        Ok(true) => (true, String::new()),
        Ok(false) => (false, "not offered by this kernel".into()),
        Err(error) => (false, format!("{error:#}")),
    }
}

/// Why not is asked of us rather than of the kernel, which only says no.
fn privileges() -> (bool, String) {
    if ProgramType::Tracepoint.is_supported().is_ok_and(|works| works) {
        return (true, String::new());
    }
    let detail = match capabilities::missing() {
        Some(missing) => format!("the kernel refuses bpf(2): this process lacks {missing}"),
        None => {
            "bpf(2) is refused although the capabilities are there: a seccomp profile, a sandbox or lockdown \
                 forbids it"
                .into()
        }
    };
    (false, detail)
}

fn lockdown() -> (bool, String) {
    locked(&fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default())
}

/// `[none] integrity confidentiality`, the active one in brackets.
fn locked(modes: &str) -> (bool, String) {
    let mode = modes
        .split(['[', ']'])
        .nth(1)
        .unwrap_or("off, or not known: the kernel has none, or securityfs is not mounted");
    (mode != "confidentiality", mode.into())
}

fn program_type(kind: ProgramType) -> (bool, String) {
    verdict(kind.is_supported())
}

fn map_type(kind: libbpf_rs::MapType) -> (bool, String) {
    verdict(kind.is_supported())
}

fn helper(id: libbpf_rs::libbpf_sys::bpf_func_id) -> (bool, String) {
    verdict(ProgramType::Tracepoint.is_helper_supported(id))
}

/// Loads one empty program of the object `facts`.
fn trace(which: &str) -> (bool, String) {
    match crate::load::try_fact(which) {
        Ok(()) => (true, String::new()),
        Err(error) => (false, format!("load refused: {error:#}")),
    }
}

/// Where tracefs is, when system calls are traced there.
pub(crate) fn tracefs() -> Option<&'static Path> {
    ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]
        .into_iter()
        .map(Path::new)
        .find(|dir| dir.join("events/syscalls").is_dir())
}

fn syscall_tracepoints() -> (bool, String) {
    match tracefs() {
        Some(dir) => (true, dir.display().to_string()),
        None => (false, "no events/syscalls in /sys/kernel/tracing".into()),
    }
}

/// Programs at system calls are attached by perf events.
fn perf_events() -> (bool, String) {
    let level = capabilities::paranoia().map_or("unknown".into(), |level| level.to_string());
    let detail = format!("kernel.perf_event_paranoid is {level}");
    if !capabilities::perf_takes_admin() {
        return (true, detail);
    }
    match crate::load::try_fact("tracepoint") {
        Ok(()) => (true, detail),
        Err(error) => (false, format!("{detail}: {error:#}")),
    }
}

fn bpf_lsm() -> (bool, String) {
    let path = "/sys/kernel/security/lsm";
    match fs::read_to_string(path) {
        Ok(active) if active.trim().split(',').any(|lsm| lsm == "bpf") => {
            match crate::load::try_fact("lsm") {
                Ok(()) => (true, format!("active: {}", active.trim())),
                Err(error) => (false, format!("active ({}), but load refused: {error:#}", active.trim())),
            }
        }
        Ok(active) => (false, format!("not active: {}", active.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (false, format!("{path} is not mounted")),
        Err(error) => (false, format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_confidentiality_is_in_the_way() {
        for (modes, works) in [
            ("[none] integrity confidentiality", true),
            ("none [integrity] confidentiality", true),
            ("none integrity [confidentiality]\n", false),
            ("", true),
        ] {
            assert_eq!(locked(modes).0, works, "{modes}");
        }
    }
}
