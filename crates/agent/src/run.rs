//! The life of the agent: the main thread starts the others, obeys signals and stops everything in the order
//! in which events flow.

mod assemble;
mod mailbox;
mod start;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use sentinel_event::{CallInterest, FileInterest};
use sentinel_probe::HookFault;
use sentinel_rules::forward::ForwardRules;
use sentinel_sink::Outputs;
use sentinel_wire::EventIds;
use tracing::{debug, error, info, warn};

pub(crate) use self::mailbox::Message;
use self::{
    assemble::{Prepared, find_consumers},
    mailbox::Mailbox,
};
pub use self::{mailbox::Remote, start::run};
use crate::{
    AgentError, Capture, Config, Control, Job, Rules,
    alerts::Alerts,
    capture,
    config::Detection,
    consumers::{Consumer, Output},
    detect::{BLIND, Rulebook, seen},
    hops::{Ended, Hop},
    http::{Facts, Server, View},
    meters::Meters,
    notify::Notify,
    outlet::Ending,
    pipeline::Shared,
    rules::{calls, captured, file_interest, named_calls},
    status::{Board, Identity},
    tamper,
};

/// How long the last events may take to leave.
const STOP: Duration = Duration::from_secs(1);
/// How much longer the last alerts may take.
const STOP_ALERTS: Duration = Duration::from_millis(200);
/// How often the main thread looks around.
const TICK: Duration = Duration::from_secs(1);
/// How often the consumers of our output are looked for, when they may have changed.
const SEARCH: Duration = Duration::from_secs(30);
/// How often losses are logged.
const COMPLAIN: Duration = Duration::from_secs(10);
/// How often the state is reported.
const REPORT: Duration = Duration::from_secs(5);
/// A reader that has not polled for this long hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// A started agent.
pub struct Agent {
    messages: mpsc::Receiver<Message>,
    remote: Remote,
    control: Box<dyn Control>,
    source: Rules,
    rules: Arc<Shared<ForwardRules>>,
    detection: Detection,
    identity: Identity,
    facts: Arc<Facts>,
    /// Where reports of our state go; none when nobody wants them.
    board: Option<Arc<Board>>,
    reported: Instant,
    books: Arc<Shared<Rulebook>>,
    /// Whether answers about names may be looked at.
    dns: bool,
    /// Whether data of buffers may be looked at.
    buffers: bool,
    /// What the rule files said when they were read last, wrong or not.
    seen: String,
    consumers: Arc<Shared<Vec<Consumer>>>,
    output: Output,
    suspect: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    running: Vec<Hop>,
    outputs: Arc<Outputs>,
    meters: Arc<Meters>,
    server: Option<Server>,
    notify: Notify,
    searched: Instant,
    complained: (Instant, u64),
    /// Where alerts about ourselves go, for as long as the pipeline runs.
    alerts: Weak<Alerts>,
    ids: EventIds,
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
        let prepared = Prepared::new(config, &job.rules, job.sink, job.alerts, job.listen)?;
        let mut agent = Self::assemble(config, prepared, job.rules, control, capture, Mailbox::default())?;
        agent.choose_files(&file_interest(&agent.rules.get(), &agent.books.get()));
        agent.choose_calls(&calls(&agent.rules.get(), &agent.books.get()));
        agent.begun();
        Ok(agent)
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
        let book = self.books.get();
        told(&book);
        info!(
            version = env!("CARGO_PKG_VERSION"),
            rules = book.engine.rules().len(),
            hash = &*book.hash,
            "Started."
        );
        drop(book);
        self.notify.ready("Capturing events.");
        loop {
            let patience = self.notify.patience().unwrap_or(TICK).min(TICK);
            match self.messages.recv_timeout(patience) {
                Ok(Message::Stop) => {
                    info!("Told to stop.");
                    return self.stop();
                }
                Ok(Message::Reload) => self.reload(),
                Ok(Message::Changed) => self.changed(),
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
                        Ended::Pipeline
                        | Ended::Alerts
                        | Ended::Push
                        | Ended::Log
                        | Ended::Grpc
                        | Ended::Nats
                        | Ended::Outlet(Ending::Drained) => {}
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
        if let Err(error) = self.control.stop() {
            warn!(%error, "Cannot stop capturing; events go on while the rest drains.");
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
                        Ended::Reader(Ok(()))
                        | Ended::Pipeline
                        | Ended::Alerts
                        | Ended::Push
                        | Ended::Log
                        | Ended::Grpc
                        | Ended::Nats
                        | Ended::Outlet(_) => {}
                    }
                }
                Ok(Message::Reload | Message::Changed) => {}
                Ok(Message::Look(reply)) => self.look(reply),
                Ok(Message::Stop) => break,
                // Something waits for a receiver that does not take, or hangs.
                Err(_) => return Err(AgentError::Undelivered(self.meters.under_way())),
            }
        }
        // Whoever raises alerts has ended.
        self.outputs.stop(deadline.saturating_duration_since(Instant::now()) + STOP_ALERTS);
        let left = self.meters.under_way();
        let alerts = self.meters.alerts.raised.load(Ordering::Relaxed);
        let lost = self.lost();
        info!(delivered = self.meters.delivered(), alerts, lost, "Stopped.");
        if left > 0 { Err(AgentError::Undelivered(left)) } else { Ok(()) }
    }

    /// Reads the rules again, when the files say something else than before.
    fn changed(&mut self) {
        let seen = seen(self.source.path(), &self.detection.rules);
        if seen != self.seen {
            self.reload();
        }
    }

    /// The whole new set, or nothing changes.
    fn reload(&mut self) {
        self.notify.reloading();
        self.seen = seen(self.source.path(), &self.detection.rules);
        match self.try_reload() {
            Ok(()) => {
                self.meters.reloads.fetch_add(1, Ordering::Relaxed);
                let book = self.books.get();
                told(&book);
                let (generation, hash) = (self.books.generation(), &*book.hash);
                info!(generation, hash, rules = book.engine.rules().len(), "New rules are in force.");
            }
            Err(error) => {
                self.meters.reloads_refused.fetch_add(1, Ordering::Relaxed);
                let generation = self.books.generation();
                warn!(error, generation, "New rules refused; the old ones stay.");
            }
        }
        self.notify.ready("Capturing events.");
    }

    /// Everything is read, compiled and attached before anything is in force.
    fn try_reload(&mut self) -> Result<(), String> {
        let before = self.books.get();
        let rules = self.source.load().map_err(|error| error.to_string())?;
        let book = Rulebook::load(&self.detection, self.buffers, &self.identity.hostname, Some(&before));
        let book = book.map_err(|error| error.to_string())?;
        let (then, now) = (file_interest(&self.rules.get(), &before), file_interest(&rules, &book));
        let (calls_then, calls_now) = (calls(&self.rules.get(), &before), calls(&rules, &book));
        // Both sets get what is theirs while one takes the other's place.
        self.choose_files(&then.clone().or(now.clone()));
        self.choose_calls(&calls_then.clone().or(calls_now.clone()));
        self.ask(&book);
        if let Err(error) = self.control.set_kinds(captured(&rules, &book, self.dns)) {
            self.ask(&before);
            if let Err(error) = self.control.set_kinds(captured(&self.rules.get(), &before, self.dns)) {
                error!(%error, "Cannot attach what the old rules need.");
            }
            self.choose_files(&then);
            self.choose_calls(&calls_then);
            return Err(error.to_string());
        }
        self.rules.set(rules);
        self.books.set(book);
        self.choose_files(&now);
        self.choose_calls(&calls_now);
        self.admit(captured(&self.rules.get(), &self.books.get(), self.dns));
        Ok(())
    }

    /// What these rules want beside kinds of events, from the next choice of kinds on.
    fn ask(&mut self, book: &Rulebook) {
        self.control.set_syscalls(named_calls(book));
        self.control.set_environment(book.engine.asks_environment());
        self.control.set_buffers(book.engine.asks_buffers());
    }

    /// Opens that matter to nobody stay in the kernel.
    fn choose_files(&mut self, interest: &FileInterest) {
        if let Err(error) = self.control.set_file_interest(interest) {
            warn!(%error, "The kernel does not leave out opens of files that no rule can match.");
        }
    }

    /// Calls that matter to nobody stay in the kernel.
    fn choose_calls(&mut self, calls: &CallInterest) {
        if let Err(error) = self.control.set_calls(calls) {
            warn!(%error, "The kernel does not leave out calls that no rule can match.");
        }
    }

    /// What is wrong with the capture is an alert like every other.
    fn complain(&mut self, faults: &[HookFault]) {
        let Some(alerts) = self.alerts.upgrade() else { return };
        for fault in faults {
            alerts.send(tamper::alert(fault, &self.identity.hostname, &mut self.ids));
        }
    }

    fn look(&self, reply: tokio::sync::oneshot::Sender<View>) {
        // The one who asked may have gone.
        let _ = reply.send(self.view());
    }

    fn view(&self) -> View {
        View {
            counters: self.control.counters().ok(),
            hooks: self.control.hooks(),
            captured: captured(&self.rules.get(), &self.books.get(), self.dns),
        }
    }

    /// Events and alerts that were lost.
    fn lost(&self) -> u64 {
        let outputs = self.outputs.status();
        let alerts: u64 = outputs.iter().map(|output| output.counters.dropped_all()).sum();
        self.meters.lost.sum() + self.meters.alerts.lost() + alerts
    }

    fn tick(&mut self, now: Instant) {
        let faults = capture::look(&mut *self.control);
        self.complain(&faults);
        if self.meters.since_poll() < HANGS {
            let meters = &self.meters;
            self.notify.alive(now, || {
                format!("{} events delivered, {} lost.", meters.delivered(), meters.lost.sum())
            });
        }
        if now.duration_since(self.searched) >= SEARCH && self.suspect.swap(false, Ordering::Relaxed) {
            self.searched = now;
            let found = find_consumers(&self.output, &mut *self.control, &self.meters);
            self.consumers.set(found);
        }
        if let Some(board) = &self.board
            && now.duration_since(self.reported) >= REPORT
        {
            self.reported = now;
            board.set(self.identity.status(&self.facts, &self.view()));
        }
        let lost = self.lost();
        if lost > self.complained.1 && now.duration_since(self.complained.0) >= COMPLAIN {
            error!(
                lost = lost - self.complained.1,
                "Events or alerts were lost; the metrics tell where and why."
            );
            self.complained = (now, lost);
        }
    }
}

/// What is probably wrong with the rules; whoever wants to know asks the tool.
fn told(book: &Rulebook) {
    for warning in &book.warnings {
        debug!(warning, "A rule file is probably not what it should be.");
    }
    for rule in &book.blind {
        warn!(rule, "A rule is blind: {BLIND}.");
    }
    if !book.warnings.is_empty() {
        let warnings = book.warnings.len();
        info!(warnings, "The rule files have warnings; `sentinel rules check FILE…` lists them.");
    }
}
