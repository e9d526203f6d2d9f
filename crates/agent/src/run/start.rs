//! Starting on this kernel: nothing is attached that nobody reads.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Instant};

use sentinel_event::KindSet;
use sentinel_probe::{Admin, HookState, HookStatus, Options, Probe};
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
    // Before there are other threads, which would keep what this one gives up.
    mount_and_give_up();
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

/// Mounts what the programs need, then lets go of the right to.
fn mount_and_give_up() {
    for mount in sentinel_probe::mount_missing() {
        match mount.result {
            Ok(()) => info!(target = mount.target, "Mounted {}, which was missing.", mount.kind),
            Err(error) => {
                warn!(%error, target = mount.target, "Cannot mount {}, which is missing.", mount.kind)
            }
        }
    }
    match sentinel_probe::give_up_admin() {
        Ok(Admin::GivenUp) => debug!("CAP_SYS_ADMIN is given up: this kernel does not ask for it."),
        Ok(Admin::Needed) => info!(
            "CAP_SYS_ADMIN stays: kernel.perf_event_paranoid is above 2, and this kernel attaches nothing to system calls \
             without it. Set it to 2, and it is given up."
        ),
        Ok(Admin::Absent | Admin::Alone | Admin::Root) => {}
        Err(error) => warn!(%error, "Cannot give CAP_SYS_ADMIN up."),
    }
}

/// As many hooks of those that do not work are named; `sentinel doctor --attached` and the metrics name all.
const NAMED: usize = 4;

/// Hooks of these kinds that do not work, by reason.
fn broken(hooks: &[HookStatus], kinds: KindSet) -> BTreeMap<&str, Vec<&str>> {
    let mut broken: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for hook in hooks.iter().filter(|hook| hook.kinds.intersects(kinds)) {
        if let HookState::Degraded(reason) = &hook.state {
            broken.entry(reason.trim_end()).or_default().push(&hook.hook);
        }
    }
    broken
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
        self.admit(kinds);
        self.begun();
        Ok(())
    }

    /// Says which hooks of what is wanted do not work.
    pub(super) fn admit(&self, kinds: KindSet) {
        for (reason, hooks) in broken(&self.control.hooks(), kinds) {
            let first = hooks.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
            warn!(reason, count = hooks.len(), first, "Hooks do not work: what they see is missing.");
        }
    }

    /// Ready, from now on.
    pub(super) fn begun(&mut self) {
        self.meters.started.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use sentinel_event::Kind;

    use super::*;

    #[test]
    fn what_does_not_work_is_told_by_reason() {
        let hook = |kind: Kind, hook: &str, state| HookStatus {
            program: "p",
            hook: hook.to_owned(),
            kinds: [kind].into_iter().collect(),
            state,
        };
        let degraded = |reason: &str| HookState::Degraded(reason.to_owned());
        let hooks = [
            hook(Kind::Exec, "exec", HookState::Attached { verified: true }),
            hook(Kind::FileOpen, "open", degraded("refused\n")),
            hook(Kind::FileOpen, "openat", degraded("refused\n")),
            hook(Kind::FileOpen, "creat", HookState::Absent),
            hook(Kind::Exec, "execve", degraded("silent")),
            hook(Kind::Connect, "connect", degraded("not wanted")),
        ];
        let found = broken(&hooks, [Kind::Exec, Kind::FileOpen].into_iter().collect());
        let expected = [("refused", vec!["open", "openat"]), ("silent", vec!["execve"])];
        assert_eq!(found, expected.into_iter().collect());
    }
}
