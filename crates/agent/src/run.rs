//! The life of the agent: the main thread starts the others, obeys signals and stops everything in the order
//! in which events flow.

mod assemble;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use sentinel_event::KindSet;
use sentinel_probe::{Options, Probe};
use sentinel_rules::forward::ForwardRules;
use tracing::{error, info, warn};

use self::assemble::{Prepared, find_consumers};
use crate::{
    AgentError, Capture, Config, Control, Job, Rules,
    consumers::{Consumer, Output},
    hops::{Ended, Hop},
    http::{Server, View},
    meters::Meters,
    notify::Notify,
    outlet::Ending,
    pipeline::Shared,
    rules::captured,
    signals,
};

/// How long the last events may take to leave.
const STOP: Duration = Duration::from_secs(5);
/// How often the main thread looks around.
const TICK: Duration = Duration::from_secs(1);
/// How often the consumers of our output are looked for, when they may have changed.
const SEARCH: Duration = Duration::from_secs(30);
/// How often losses are logged.
const COMPLAIN: Duration = Duration::from_secs(10);
/// A reader that has not polled for this long hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// What the main thread is told.
pub(crate) enum Message {
    /// Stop in the direction of the flow.
    Stop,
    /// Read the rules again.
    Reload,
    /// Somebody wants to see the counters of the source.
    Look(tokio::sync::oneshot::Sender<View>),
    /// A thread has ended.
    Ended(Ended),
}

/// Controls a running agent from any thread.
#[derive(Clone)]
pub struct Remote(mpsc::Sender<Message>);

impl Remote {
    /// As SIGTERM: stops gracefully. A second time, at once.
    pub fn stop(&self) {
        // An agent that has ended needs no orders.
        let _ = self.0.send(Message::Stop);
    }

    /// As SIGHUP: reads the forward rules again.
    pub fn reload(&self) {
        let _ = self.0.send(Message::Reload);
    }
}

/// A started agent.
pub struct Agent {
    messages: mpsc::Receiver<Message>,
    remote: Remote,
    control: Box<dyn Control>,
    source: Rules,
    rules: Arc<Shared<ForwardRules>>,
    consumers: Arc<Shared<Vec<Consumer>>>,
    output: Output,
    suspect: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    running: Vec<Hop>,
    meters: Arc<Meters>,
    server: Option<Server>,
    notify: Notify,
    searched: Instant,
    complained: (Instant, u64),
}

/// Loads the probe and runs until SIGINT, SIGTERM, a closed output or a failure. Blocks; call it from the main
/// thread, once. Logging must be set up before ([`crate::init_logging`]).
///
/// # Errors
/// [`AgentError`]; its [`AgentError::exit_code`] is what the program should exit with.
pub fn run(config: &Config, job: Job) -> Result<(), AgentError> {
    let prepared = Prepared::new(config, job.sink, &job.rules, job.listen)?;
    let options = Options {
        kinds: captured(&prepared.rules),
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
    let (probe, reader) = Probe::load(&options)?;
    let agent = Agent::assemble(config, prepared, job.rules, Box::new(probe), Box::new(reader))?;
    signals::obey(agent.remote())?;
    agent.run()
}

impl Agent {
    /// Starts with a given source of events instead of the probe: for tests, and for replaying. `job.rules`'
    /// kinds must be captured already.
    ///
    /// # Errors
    /// [`AgentError`] when the rules are wrong or a port is in use.
    pub fn start(
        config: &Config,
        job: Job,
        control: Box<dyn Control>,
        capture: Box<dyn Capture>,
    ) -> Result<Self, AgentError> {
        let prepared = Prepared::new(config, job.sink, &job.rules, job.listen)?;
        Self::assemble(config, prepared, job.rules, control, capture)
    }

    /// Controls this agent from elsewhere.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Addresses of the health port.
    pub fn health(&self) -> &[std::net::SocketAddr] {
        self.server.as_ref().map_or(&[], |server| &server.health)
    }

    /// Addresses of the metrics port.
    pub fn metrics(&self) -> &[std::net::SocketAddr] {
        self.server.as_ref().map_or(&[], |server| &server.metrics)
    }

    /// Runs until it is told to stop, until nobody takes events any more, or until something fails.
    ///
    /// # Errors
    /// [`AgentError`], of the kinds that can happen at run time.
    pub fn run(mut self) -> Result<(), AgentError> {
        info!(version = env!("CARGO_PKG_VERSION"), "Started.");
        self.notify.ready("Capturing events.");
        loop {
            let patience = self.notify.patience().unwrap_or(TICK).min(TICK);
            match self.messages.recv_timeout(patience) {
                Ok(Message::Stop) => {
                    info!("Told to stop.");
                    return self.stop();
                }
                Ok(Message::Reload) => self.reload(),
                Ok(Message::Look(reply)) => self.look(reply),
                Ok(Message::Ended(ended)) => {
                    self.running.retain(|hop| *hop != ended.hop());
                    match ended {
                        Ended::Outlet(Ending::Closed) => {
                            info!("Nobody takes events any more.");
                            return self.stop();
                        }
                        Ended::Reader(Err(error)) => {
                            if let Err(error) = self.stop() {
                                error!(%error, "Not everything was delivered.");
                            }
                            return Err(AgentError::Capture(error));
                        }
                        Ended::Died(hop) => return Err(AgentError::Died(hop.name())),
                        Ended::Reader(Ok(())) => return Err(AgentError::Died(Hop::Reader.name())),
                        // They end after the hop before them, whose message is on its way.
                        Ended::Pipeline | Ended::Outlet(Ending::Drained) => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(AgentError::Died("main")),
            }
            self.tick(Instant::now());
        }
    }

    /// Detach, drain the ring, let everything out, end.
    fn stop(&mut self) -> Result<(), AgentError> {
        self.notify.stopping();
        if let Err(error) = self.control.set_kinds(KindSet::NONE) {
            warn!(%error, "Cannot detach; events go on while the rest drains.");
        }
        self.stop.store(true, Ordering::Release);
        let deadline = Instant::now() + STOP;
        // Each hop ends when the one before it has ended and its queue is empty.
        while !self.running.is_empty() {
            match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Message::Ended(ended)) => {
                    self.running.retain(|hop| *hop != ended.hop());
                    match ended {
                        Ended::Died(hop) => return Err(AgentError::Died(hop.name())),
                        Ended::Reader(Err(error)) => warn!(%error, "The ring was not read to its end."),
                        Ended::Reader(Ok(())) | Ended::Pipeline | Ended::Outlet(_) => {}
                    }
                }
                Ok(Message::Reload) => {}
                Ok(Message::Look(reply)) => self.look(reply),
                Ok(Message::Stop) => break,
                // Something waits for a receiver that does not take, or hangs.
                Err(_) => return Err(AgentError::Undelivered(self.meters.under_way())),
            }
        }
        let left = self.meters.under_way();
        info!(delivered = self.meters.delivered.sum(), lost = self.meters.lost.sum(), "Stopped.");
        if left > 0 { Err(AgentError::Undelivered(left)) } else { Ok(()) }
    }

    /// The whole new set, or nothing changes.
    fn reload(&mut self) {
        if let Rules::Fixed(_) = self.source {
            info!("Told to reload, but there is no rules file.");
            return;
        }
        self.notify.reloading();
        let refused = match self.source.load() {
            Err(error) => Some(error.to_string()),
            Ok(new) => match self.control.set_kinds(captured(&new)) {
                Err(error) => {
                    if let Err(error) = self.control.set_kinds(captured(&self.rules.get())) {
                        error!(%error, "Cannot attach what the old rules need.");
                    }
                    Some(error.to_string())
                }
                Ok(()) => {
                    self.rules.set(new);
                    None
                }
            },
        };
        match refused {
            None => {
                self.meters.reloads.fetch_add(1, Ordering::Relaxed);
                info!(generation = self.rules.generation(), "New forward rules are in force.");
            }
            Some(error) => {
                self.meters.reloads_refused.fetch_add(1, Ordering::Relaxed);
                warn!(%error, generation = self.rules.generation(), "New forward rules refused; the old ones stay.");
            }
        }
        self.notify.ready("Capturing events.");
    }

    fn look(&self, reply: tokio::sync::oneshot::Sender<View>) {
        // The one who asked may have gone.
        let _ = reply.send(View { counters: self.control.counters().ok(), hooks: self.control.hooks() });
    }

    fn tick(&mut self, now: Instant) {
        if self.meters.since_poll() < HANGS {
            let meters = &self.meters;
            self.notify.alive(now, || {
                format!("{} events delivered, {} lost.", meters.delivered.sum(), meters.lost.sum())
            });
        }
        if now.duration_since(self.searched) >= SEARCH && self.suspect.swap(false, Ordering::Relaxed) {
            self.searched = now;
            let found = find_consumers(&self.output, &mut *self.control, &self.meters);
            self.consumers.set(found);
        }
        let lost = self.meters.lost.sum();
        if lost > self.complained.1 && now.duration_since(self.complained.0) >= COMPLAIN {
            error!(lost = lost - self.complained.1, "Events were lost; the metrics tell where and why.");
            self.complained = (now, lost);
        }
    }
}
