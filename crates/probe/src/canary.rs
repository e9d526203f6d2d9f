//! Is what is attached still attached, and does it still fire? Every look asks one program to report an act of our
//! own, one after the other, and looks at the links and at what we have written into the kernel's maps. What does not
//! answer has been tampered with, or the ring is full: both are worth an alert.
//!
//! The events of these acts are nobody else's business: the reader takes them out.

use std::{
    ptr,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use nix::unistd;
use sentinel_event::{Event, Kind};

use crate::{
    HookFault, Probe,
    attach::Attached,
    reader::boot_ns,
    selftest::{self, Test, Trigger},
};

/// An act and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Canary(Mutex<Option<Act>>);

#[derive(Debug)]
struct Act {
    asked: Vec<Asked>,
    /// Our process as the kernel counts it, and the thread that acts.
    tgid: u32,
    tid: u32,
    /// Nanoseconds since boot; `until` is 0 while the act goes on.
    since: u64,
    until: u64,
    /// Records lost before.
    lost: u64,
}

/// A job that must report the act.
#[derive(Debug)]
struct Asked {
    /// Its index.
    job: usize,
    seen_by: fn(&Event) -> bool,
    certain: bool,
    seen: bool,
}

impl Act {
    fn is_seen(&self) -> bool {
        self.until > 0 && self.asked.iter().all(|asked| asked.seen || !asked.certain)
    }

    /// Whether the reader has come so far that it must have met what the act caused.
    fn is_read(&self, caught_up: u64) -> bool {
        self.until > 0 && caught_up > self.until
    }
}

/// How long an event may be on its way, nanoseconds.
const PATIENCE: u64 = 10_000_000_000;

impl Canary {
    fn lock(&self) -> MutexGuard<'_, Option<Act>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything that is bound to come has come.
    pub(crate) fn is_seen(&self) -> bool {
        self.lock().as_ref().is_none_or(Act::is_seen)
    }

    /// Takes the events of the act out of `events`. Returns their kinds.
    pub(crate) fn take(&self, events: &mut Vec<Event>, from: usize) -> Vec<Kind> {
        let mut taken = Vec::new();
        let mut act = self.lock();
        let Some(act) = act.as_mut() else { return taken };
        let mut at = 0;
        events.retain(|event| {
            at += 1;
            let head = &event.head;
            // The act's own thread, and the child that an act may need.
            let ours = (head.tid == act.tid && head.process.tgid == act.tgid) || head.parent.tgid == act.tgid;
            let then = head.boot_ns >= act.since && (act.until == 0 || head.boot_ns <= act.until);
            let act_of_ours = at > from && ours && then && event.kind() != Kind::Loss;
            if act_of_ours {
                for asked in &mut act.asked {
                    asked.seen |= (asked.seen_by)(event);
                }
                taken.push(event.kind());
            }
            !act_of_ours
        });
        taken
    }
}

impl Probe {
    /// Asks the next program whether it still fires, and tells what was found wrong since the last look: programs that
    /// did not answer, that are no longer attached, and settings that somebody else has changed, which are put right.
    /// [`Probe::hooks`] shows the same from then on. Call it every few seconds, from the thread that made the probe.
    pub fn look(&mut self) -> Vec<HookFault> {
        let mut faults: Vec<_> = self.jobs_mut().iter_mut().flat_map(Attached::lose).collect();
        faults.extend(self.compare());
        faults.extend(self.intruders());
        self.look_for_skipped();
        let caught_up = self.caught_up();
        let waiting = |act: &Act| {
            !act.is_seen() && (!act.is_read(caught_up) || boot_ns() < act.until.saturating_add(PATIENCE))
        };
        if self.shared().canary.lock().as_ref().is_some_and(waiting) {
            return faults;
        }
        faults.extend(self.settle());
        self.ask();
        faults
    }

    /// What came of the last act so far? Returns the programs that were not known to be silent. The act stays, for
    /// what it caused and is still on its way.
    pub(crate) fn settle(&mut self) -> Vec<HookFault> {
        let caught_up = self.caught_up();
        let (answers, before, read): (Vec<_>, _, _) = match &*self.shared().canary.lock() {
            Some(act) => (
                act.asked.iter().map(|asked| (asked.job, asked.seen, asked.certain)).collect(),
                act.lost,
                act.is_read(caught_up),
            ),
            None => return Vec::new(),
        };
        // An event that found the ring full is lost, not withheld; one that waits there may yet be read.
        let excused = !read || self.lost() > before;
        let mut faults = Vec::new();
        for (index, seen, certain) in answers {
            let Some(job) = self.jobs_mut().get_mut(index).filter(|job| job.is_attached()) else {
                continue;
            };
            if seen {
                job.verified = Some(true);
            } else if certain && !excused && job.verified != Some(false) {
                job.verified = Some(false);
                let program = job.program().unwrap_or_default();
                let reason = "attached, but it did not report an act of our own".into();
                faults.push(HookFault { program, hook: None, reason });
            }
        }
        faults
    }

    /// When the reader last had read everything there was, nanoseconds since boot.
    fn caught_up(&self) -> u64 {
        self.shared().caught_up.load(Ordering::Relaxed)
    }

    /// Records that found the ring full, of all kinds.
    fn lost(&self) -> u64 {
        self.counters().map_or(0, |counters| counters.kinds.iter().map(|kind| kind.lost).sum())
    }

    /// The act of the next job that is attached and has one.
    fn ask(&mut self) {
        let jobs = self.jobs().len();
        let next = (1..=jobs).map(|step| (self.asked + step) % jobs).find_map(|index| {
            let job = self.jobs().get(index).filter(|job| job.is_attached())?;
            Some((index, selftest::test_of(job.program()?)?))
        });
        let Some((index, test)) = next else { return };
        self.asked = index;
        self.act(&[(index, test)]);
    }

    /// Acts so that these jobs, by index, must report it.
    pub(crate) fn act(&mut self, tests: &[(usize, &'static Test)]) {
        let tgid = self.own_tgid();
        // In a pid namespace the numbers differ; the first thread has the process's.
        let tid = if tgid.cast_signed() == unistd::getpid().as_raw() {
            unistd::gettid().as_raw().cast_unsigned()
        } else {
            tgid
        };
        let asked = tests.iter().map(|(job, test)| Asked {
            job: *job,
            seen_by: test.seen,
            certain: test.certain,
            seen: false,
        });
        let act = Act { asked: asked.collect(), tgid, tid, since: boot_ns(), until: 0, lost: self.lost() };
        *self.shared().canary.lock() = Some(act);
        let mut done: Vec<(Trigger, bool)> = Vec::new();
        for (job, test) in tests {
            // Several programs report the same act.
            let known = done.iter().find(|(act, _)| ptr::fn_addr_eq(*act, test.trigger));
            let works = known.map(|(_, works)| *works).unwrap_or_else(|| {
                let result = (test.trigger)();
                if let Err(error) = &result {
                    tracing::debug!(program = test.program, %error, "Cannot test this program here.");
                }
                done.push((test.trigger, result.is_ok()));
                result.is_ok()
            });
            let mut act = self.shared().canary.lock();
            let asked = act.iter_mut().flat_map(|act| &mut act.asked).find(|asked| asked.job == *job);
            if let Some(asked) = asked {
                asked.certain &= works;
            }
        }
        if let Some(act) = self.shared().canary.lock().as_mut() {
            act.until = boot_ns();
        }
    }
}
