//! Starting on this kernel: nothing is attached that nobody reads.

use std::{sync::atomic::Ordering, time::Instant};

use sentinel_event::KindSet;
use sentinel_probe::{Options, Probe};
use tracing::{debug, info, warn};

use super::{Agent, Mailbox, assemble::Prepared};
use crate::{
    AgentError, Config, Job,
    rules::{calls, captured, file_interest, named_calls},
    signals,
};

/// Loads the probe and runs until SIGINT, SIGTERM, a closed output or a failure. Blocks; call it from the main
/// thread, once. Logging must be set up before ([`crate::init_logging`]).
///
/// # Errors
/// [`AgentError`]; its [`AgentError::exit_code`] is what the program should exit with.
pub fn run(config: &Config, job: Job) -> Result<(), AgentError> {
    let began = Instant::now();
    for warning in config.warnings() {
        warn!("{warning}");
    }
    let prepared = Prepared::new(config, &job.rules, job.sink, job.alerts, job.listen)?;
    debug!(after = ?began.elapsed(), "Rules and outputs are ready.");
    let options = Options {
        kinds: captured(&prepared.rules, &prepared.book, config.capture.dns),
        syscalls: named_calls(&prepared.book),
        environment: prepared.book.engine.asks_environment(),
        buffers: prepared.book.engine.asks_buffers(),
        compat: config.capture.compat,
        aggregate: config.capture.aggregate,
        ring_bytes: config.capture.ring_bytes,
        own_fds: prepared.output.descriptors.clone(),
        ..Options::default()
    };
    for mount in sentinel_probe::mount_missing() {
        match mount.result {
            Ok(()) => info!(target = mount.target, "Mounted {}, which was missing.", mount.kind),
            Err(error) => {
                warn!(%error, target = mount.target, "Cannot mount {}, which is missing.", mount.kind)
            }
        }
    }
    let (mut probe, reader) = Probe::open(&options)?;
    debug!(after = ?began.elapsed(), "The programs are loaded.");
    // Events flow from here on: whoever ends us now ends us in order, a moment later.
    let mailbox = Mailbox::default();
    signals::obey(mailbox.remote())?;
    // Who starts and who ends, from before the list of processes is made: nobody falls between. The rest waits
    // until somebody reads.
    probe.set_kinds(KindSet::NONE)?;
    let (control, capture) = (Box::new(probe), Box::new(reader));
    let mut agent = Agent::assemble(config, prepared, job.rules, control, capture, mailbox)?;
    debug!(after = ?began.elapsed(), "The ring is read.");
    agent.capture(options.kinds)?;
    debug!(after = ?began.elapsed(), "Everything is attached and tested.");
    agent.run()
}

impl Agent {
    /// Attaches everything, now that events are read, and tests it.
    fn capture(&mut self, kinds: KindSet) -> Result<(), AgentError> {
        let interest = file_interest(&self.rules.get(), &self.books.get());
        self.choose_files(&interest);
        let calls = calls(&self.rules.get(), &self.books.get());
        self.choose_calls(&calls);
        if let Err(error) = self.control.set_kinds(kinds) {
            // Nothing was promised yet.
            let _ = self.stop();
            return Err(AgentError::Capture(error));
        }
        self.control.verify();
        self.begun();
        Ok(())
    }

    /// Ready, from now on.
    pub(super) fn begun(&mut self) {
        self.meters.started.store(true, Ordering::Release);
    }
}
