//! Where events come from, as the agent sees it. The probe is one such source.

use std::error::Error;

use sentinel_enrich::Births;
use sentinel_event::{CallInterest, Event, FileInterest, KindSet, Process};
use sentinel_probe::{Counters, HookFault, HookStatus, Probe, Reader};

use crate::identity::Book;

/// What went wrong in a source of events.
pub type CaptureError = Box<dyn Error + Send + Sync>;

/// The receiving end: one thread of its own polls it.
pub trait Capture: Send {
    /// Waits for events, some 20 ms at most, and appends them to `events`.
    ///
    /// # Errors
    /// When no more events can come. The agent ends.
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError>;

    /// Appends what is there now, sums included: the last words of a source that was told to stop.
    ///
    /// # Errors
    /// As [`Self::poll`].
    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError>;
}

/// The controlling end: it stays on the main thread.
pub trait Control {
    /// Captures these kinds and no others.
    ///
    /// # Errors
    /// When the kernel refuses; what was captured before may have changed.
    fn set_kinds(&mut self, kinds: KindSet) -> Result<(), CaptureError>;

    /// Captures nothing any more; called once, when the agent stops.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn stop(&mut self) -> Result<(), CaptureError> {
        self.set_kinds(KindSet::NONE)
    }

    /// Tests that what is captured comes, while another thread polls; [`Self::hooks`] tells.
    fn verify(&mut self) {}

    /// Opens of files that do not matter need not be captured. A source that cannot tell captures them all.
    ///
    /// # Errors
    /// When the kernel refuses; more is captured then, never less.
    fn set_file_interest(&mut self, interest: &FileInterest) -> Result<(), CaptureError> {
        let _ = interest;
        Ok(())
    }

    /// Calls that do not matter need not be captured. A source that cannot tell captures them all.
    ///
    /// # Errors
    /// When the kernel refuses; more is captured then, never less.
    fn set_calls(&mut self, calls: &CallInterest) -> Result<(), CaptureError> {
        let _ = calls;
        Ok(())
    }

    /// Calls that are events of kind `syscall`, by name, from the next [`Self::set_kinds`] on. A source that
    /// knows no such events leaves them out.
    fn set_syscalls(&mut self, names: Vec<String>) {
        drop(names);
    }

    /// Whether starts of programs carry the environment, from the next [`Self::set_kinds`] on.
    fn set_environment(&mut self, wanted: bool) {
        let _ = wanted;
    }

    /// Whether reads, writes and messages carry data, from the next [`Self::set_kinds`] on.
    fn set_buffers(&mut self, wanted: bool) {
        let _ = wanted;
    }

    /// What the source counts.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    fn counters(&self) -> Result<Counters, CaptureError>;

    /// Every process alive.
    ///
    /// # Errors
    /// When they cannot be listed; the agent then reads `/proc`.
    fn processes(&self) -> Result<Vec<Process>, CaptureError>;

    /// Processes that store our output: their reads and writes are always summed.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn set_consumers(&mut self, tgids: &[u32]) -> Result<(), CaptureError>;

    /// Who remembers the paths of cgroups that have gone; none: nobody.
    fn births(&self) -> Option<Box<dyn Births>> {
        None
    }

    /// Every hook and its state.
    fn hooks(&self) -> Vec<HookStatus>;

    /// Tests that the source still tells what it promises. Returns what has gone wrong since the last look; called
    /// every second or so, from the thread that made the source.
    fn look(&mut self) -> Vec<HookFault> {
        Vec::new()
    }
}

/// Looks, says loudly what is wrong, and returns it.
pub(crate) fn look(control: &mut dyn Control) -> Vec<HookFault> {
    let faults = control.look();
    for HookFault { program, hook, reason } in &faults {
        tracing::error!(
            program,
            hook,
            reason,
            "Capturing does not work as it did: somebody may have tampered with it."
        );
    }
    faults
}

impl Capture for Reader {
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError> {
        Ok(Reader::poll(self, events)?)
    }

    fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), CaptureError> {
        Ok(Reader::drain(self, events)?)
    }
}

impl Control for Probe {
    fn set_kinds(&mut self, kinds: KindSet) -> Result<(), CaptureError> {
        Ok(Probe::set_kinds(self, kinds)?)
    }

    fn stop(&mut self) -> Result<(), CaptureError> {
        Ok(Probe::stop(self)?)
    }

    fn verify(&mut self) {
        Probe::verify(self);
    }

    fn set_file_interest(&mut self, interest: &FileInterest) -> Result<(), CaptureError> {
        Ok(Probe::set_file_interest(self, interest)?)
    }

    fn set_syscalls(&mut self, names: Vec<String>) {
        Probe::set_syscalls(self, names);
    }

    fn set_environment(&mut self, wanted: bool) {
        Probe::set_environment(self, wanted);
    }

    fn set_calls(&mut self, calls: &CallInterest) -> Result<(), CaptureError> {
        Ok(Probe::set_calls(self, calls)?)
    }

    fn set_buffers(&mut self, wanted: bool) {
        Probe::set_buffers(self, wanted);
    }

    fn counters(&self) -> Result<Counters, CaptureError> {
        Ok(Probe::counters(self)?)
    }

    fn processes(&self) -> Result<Vec<Process>, CaptureError> {
        Ok(Probe::processes(self)?)
    }

    fn set_consumers(&mut self, tgids: &[u32]) -> Result<(), CaptureError> {
        Ok(Probe::set_consumers(self, tgids)?)
    }

    fn births(&self) -> Option<Box<dyn Births>> {
        Some(Box::new(Book(self.cgroups().ok()?)))
    }

    fn hooks(&self) -> Vec<HookStatus> {
        Probe::hooks(self)
    }

    fn look(&mut self) -> Vec<HookFault> {
        Probe::look(self)
    }
}
