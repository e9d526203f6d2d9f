//! Is what is attached still attached, and does it still fire? Every look asks one program to report an act of our
//! own, one after the other, and looks at the links and at what we have written into the kernel's maps. What does not
//! answer has been tampered with, or the ring is full: both are worth an alert.
//!
//! The events of these acts are nobody else's business: the reader takes them out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::unistd;
use sentinel_event::{Event, Kind};

use crate::{HookFault, Probe, attach::Attached, reader::boot_ns, selftest};

/// An act and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Canary(Mutex<Option<Act>>);

#[derive(Debug)]
struct Act {
    /// Index of the job that must report it.
    job: usize,
    seen_by: fn(&Event) -> bool,
    certain: bool,
    /// Our process as the kernel counts it, and the thread that acts.
    tgid: u32,
    tid: u32,
    /// Nanoseconds since boot; `until` is 0 while the act goes on.
    since: u64,
    until: u64,
    seen: bool,
    /// Records lost before.
    lost: u64,
}

/// How long an event may be on its way, nanoseconds.
const PATIENCE: u64 = 3_000_000_000;

impl Canary {
    fn lock(&self) -> MutexGuard<'_, Option<Act>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
                act.seen |= (act.seen_by)(event);
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
        let waiting = |act: &Act| !act.seen && boot_ns() < act.until.saturating_add(PATIENCE);
        let settled = self.shared().canary.lock().take_if(|act| !waiting(act));
        if let Some(act) = settled {
            faults.extend(self.settle(&act));
        } else if self.shared().canary.lock().is_some() {
            return faults;
        }
        self.ask();
        faults
    }

    /// What came of the last act?
    fn settle(&mut self, act: &Act) -> Option<HookFault> {
        // An event that found the ring full is lost, not withheld.
        let lost = self.lost() > act.lost;
        let job = self.jobs_mut().get_mut(act.job).filter(|job| job.is_attached())?;
        if act.seen {
            job.verified = Some(true);
        }
        if act.seen || !act.certain || lost || job.verified == Some(false) {
            return None;
        }
        job.verified = Some(false);
        let program = job.program().unwrap_or_default();
        Some(HookFault {
            program,
            hook: None,
            reason: "attached, but it did not report an act of our own".into(),
        })
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
        let tgid = self.own_tgid();
        // In a pid namespace the numbers differ; the first thread has the process's.
        let tid = if tgid.cast_signed() == unistd::getpid().as_raw() {
            unistd::gettid().as_raw().cast_unsigned()
        } else {
            tgid
        };
        let act = Act {
            job: index,
            seen_by: test.seen,
            certain: test.certain,
            tgid,
            tid,
            since: boot_ns(),
            until: 0,
            seen: false,
            lost: self.lost(),
        };
        *self.shared().canary.lock() = Some(act);
        let done = (test.trigger)();
        let mut act = self.shared().canary.lock();
        if let Some(act) = act.as_mut() {
            act.until = boot_ns();
            act.certain &= done.is_ok();
        }
    }
}
