//! Hooks follow wishes: what somebody needs is attached, the rest is not.

use std::{fs, os::fd::AsFd as _, path::Path, process};

use libbpf_rs::{Link, ProgramMut, TracepointCategory};
use nix::fcntl::{FcntlArg, fcntl};
use sentinel_event::KindSet;

use crate::{
    plan::{Hook, JOBS, Job, Variant},
    support::{Facts, Name, tracefs},
};

/// One hook: a program at one place in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookStatus {
    /// Name of the program in `bpf/`.
    pub program: &'static str,
    /// Where it is attached, e.g. `tracepoint/syscalls/sys_exit_openat`.
    pub hook: String,
    /// Kinds it reports.
    pub kinds: KindSet,
    /// Whether it is attached, and why not.
    pub state: HookState,
}

/// Whether a hook works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookState {
    /// Attached.
    Attached {
        /// The self-test triggered its job and saw an event of it.
        verified: bool,
    },
    /// Nothing needs it.
    Idle,
    /// This architecture has no such system call, or this kernel no such tracepoint: nothing to see.
    Absent,
    /// The kernel or our privileges refuse it; the reason.
    Degraded(String),
}

/// Something that worked and does not any more, or that somebody has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFault {
    /// Name of the program in `bpf/`; empty when it is about all of them.
    pub program: &'static str,
    /// The one hook of it; none when it is about all of them.
    pub hook: Option<String>,
    /// What is wrong, a phrase.
    pub reason: String,
}

/// A job and what became of it.
pub(crate) struct Attached {
    pub(crate) job: &'static Job,
    variant: Result<&'static Variant, String>,
    hooks: Vec<(Hook, State)>,
    pub(crate) verified: Option<bool>,
}

enum State {
    Idle,
    Absent,
    Attached(Link),
    Failed(String),
}

/// Every job with its variant chosen and nothing attached.
pub(crate) fn jobs(facts: &Facts) -> Vec<Attached> {
    let chosen = |job: &&Job| {
        facts.has(Name::Compat) || job.variants.iter().all(|variant| !variant.needs.contains(&Name::Compat))
    };
    JOBS.iter()
        .filter(chosen)
        .map(|job| {
            let variant = job.choose(facts).map_err(|missing| format!("needs {}", missing.label()));
            let hooks = variant.as_ref().map_or_else(
                |_| job.variants.last().map_or(&[][..], |last| last.hooks),
                |variant| variant.hooks,
            );
            let hooks = hooks.iter().map(|hook| (hook.clone(), State::Idle)).collect();
            Attached { job, variant, hooks, verified: None }
        })
        .collect()
}

impl Attached {
    /// The program to use, when there is one.
    pub(crate) fn program(&self) -> Option<&'static str> {
        self.variant.as_ref().ok().map(|variant| variant.program)
    }

    /// Its program does not load: there is nothing to attach, for good.
    pub(crate) fn refuse(&mut self, reason: String) {
        tracing::error!(program = self.program(), reason, "A program is missing.");
        self.variant = Err(reason);
    }

    /// Whether something of it could be attached and is not.
    pub(crate) fn lacks(&self) -> bool {
        self.hooks.iter().any(|(_, state)| matches!(state, State::Idle | State::Failed(_)))
    }

    /// Attaches what is not attached.
    pub(crate) fn attach(&mut self, program: &ProgramMut<'_>) {
        for (hook, state) in &mut self.hooks {
            if !matches!(state, State::Attached(_)) {
                *state = attach(program, hook);
            }
        }
    }

    /// Other hooks from now on. Those that stay keep their state; returns the links of the others.
    pub(crate) fn retarget(&mut self, hooks: impl Iterator<Item = Hook>) -> Vec<Link> {
        let mut old = std::mem::take(&mut self.hooks);
        for hook in hooks {
            let state = match old.iter().position(|(known, _)| *known == hook) {
                Some(at) => old.swap_remove(at).1,
                None => State::Idle,
            };
            self.hooks.push((hook, state));
        }
        let links = old.into_iter().filter_map(|(_, state)| match state {
            State::Attached(link) => Some(link),
            State::Idle | State::Absent | State::Failed(_) => None,
        });
        links.collect()
    }

    /// Gives up every hook. They are detached when the links are dropped: see [`release`].
    pub(crate) fn detach(&mut self) -> Vec<Link> {
        self.verified = None;
        let states = self.hooks.iter_mut().map(|(_, state)| std::mem::replace(state, State::Idle));
        states
            .filter_map(|state| match state {
                State::Attached(link) => Some(link),
                State::Idle | State::Absent | State::Failed(_) => None,
            })
            .collect()
    }

    /// Gives up hooks whose link is no longer what it was, and tells them.
    pub(crate) fn lose(&mut self) -> Vec<HookFault> {
        let program = self.program().unwrap_or_default();
        let mut lost = Vec::new();
        for (hook, state) in &mut self.hooks {
            let State::Attached(link) = state else { continue };
            // As long as we have the descriptor the kernel has the link: nobody else can take it away.
            if fcntl(link.as_fd(), FcntlArg::F_GETFD).is_err() {
                let reason = String::from("it is no longer attached");
                lost.push(HookFault { program, hook: Some(hook.name()), reason: reason.clone() });
                *state = State::Failed(reason);
            }
        }
        lost
    }

    /// The hooks that are attached, with the program.
    pub(crate) fn attached(&self) -> impl Iterator<Item = (&Hook, &'static str)> {
        let attached = self.hooks.iter().filter(|(_, state)| matches!(state, State::Attached(_)));
        attached.filter_map(|(hook, _)| Some((hook, self.program()?)))
    }

    /// Whether some hook of the job is attached.
    pub(crate) fn is_attached(&self) -> bool {
        self.hooks.iter().any(|(_, state)| matches!(state, State::Attached(_)))
    }

    /// Whether the job is wanted and something of it does not work.
    pub(crate) fn is_degraded(&self) -> bool {
        self.verified == Some(false) || self.hooks.iter().any(|(_, state)| matches!(state, State::Failed(_)))
    }

    /// For the report.
    pub(crate) fn status(&self) -> impl Iterator<Item = HookStatus> {
        let program =
            self.program().or_else(|| self.job.variants.last().map(|last| last.program)).unwrap_or_default();
        self.hooks.iter().map(move |(hook, state)| HookStatus {
            program,
            hook: hook.name(),
            kinds: self.job.kind_set(),
            state: match (&self.variant, state) {
                (Err(reason), _) => HookState::Degraded(reason.clone()),
                (_, State::Idle) => HookState::Idle,
                (_, State::Absent) => HookState::Absent,
                (_, State::Failed(reason)) => HookState::Degraded(reason.clone()),
                (_, State::Attached(_)) if self.verified == Some(false) => {
                    HookState::Degraded("attached, but the self-test saw no event".into())
                }
                (_, State::Attached(_)) => HookState::Attached { verified: self.verified == Some(true) },
            },
        })
    }
}

/// Detaches, one after the other: for each tracepoint the kernel waits some 35 ms, under a lock, until no processor
/// is in it.
pub(crate) fn release(links: Vec<Link>) {
    drop(links);
}

/// Where links lie that the kernel is to detach in its own time.
const DISCARDED: &str = "/sys/fs/bpf/sentinel-discarded";

/// The same, without waiting for it: a link whose last reference is not a descriptor but a pin is let go by a worker
/// of the kernel. Only for programs that nobody attaches again. Waits where links cannot be pinned (no bpffs, before
/// Linux 5.15).
pub(crate) fn abandon(links: Vec<Link>) {
    let dir = Path::new(DISCARDED);
    // Only for the time between two lines, unless somebody is killed there.
    // (Where a service may not make it, its installation has.)
    let made = fs::create_dir(dir).is_ok();
    let possible = made || dir.is_dir();
    for (number, mut link) in links.into_iter().enumerate() {
        let pin = dir.join(format!("{}-{number}", process::id()));
        let pinned = possible && link.pin(&pin).is_ok();
        drop(link);
        if pinned && let Err(error) = fs::remove_file(&pin) {
            tracing::warn!(pin = %pin.display(), %error, "A program stays attached: remove this file.");
        }
    }
    if made {
        let _ = fs::remove_dir(dir);
    }
}

/// Removes what a process left there that was killed while it stopped.
pub(crate) fn remove_abandoned() {
    for pin in fs::read_dir(DISCARDED).into_iter().flatten().flatten() {
        let _ = fs::remove_file(pin.path());
    }
}

fn attach(program: &ProgramMut<'_>, hook: &Hook) -> State {
    let result = match hook {
        Hook::Syscall(name) => {
            let known = tracefs().is_some_and(|dir| dir.join("events/syscalls").join(&**name).is_dir());
            if !known {
                return State::Absent;
            }
            program.attach_tracepoint(TracepointCategory::Syscalls, name)
        }
        Hook::Typed(_) | Hook::Called(_) | Hook::Returned(_) => program.attach_trace(),
        Hook::Security(_) => program.attach_lsm(),
        Hook::Every(name) => program.attach_tracepoint(TracepointCategory::RawSyscalls, name),
    };
    match result {
        Ok(link) => State::Attached(link),
        Err(error) => State::Failed(format!("{error:#}")),
    }
}
