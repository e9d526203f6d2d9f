//! Hooks follow wishes: what somebody needs is attached, the rest is not.

use std::thread;

use libbpf_rs::{Link, ProgramMut, TracepointCategory};
use sentinel_event::KindSet;

use crate::{
    plan::{Hook, JOBS, Job, Variant},
    support::{Facts, tracefs},
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
    JOBS.iter()
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

/// Detaches. Each tracepoint waits some 50 ms for the processors to leave it; side by side they wait once.
pub(crate) fn release(links: Vec<Link>) {
    thread::scope(|scope| {
        for link in links {
            scope.spawn(move || drop(link));
        }
    });
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
        Hook::Typed(_) => program.attach_trace(),
    };
    match result {
        Ok(link) => State::Attached(link),
        Err(error) => State::Failed(format!("{error:#}")),
    }
}
