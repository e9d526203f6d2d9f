//! The life of the agent: the main thread starts the others, obeys signals and stops everything in the order
//! in which events flow.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::fd::AsFd as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use sentinel_enrich::{Enricher, ProcSource, Source as _, TICK_NS};
use sentinel_event::{KindSet, Process};
use sentinel_probe::{Options, Probe};
use sentinel_rules::forward::ForwardRules;
use sentinel_wire::Node;
use tracing::{debug, error, info, warn};

use crate::{
    AgentError, Capture, Config, Control, Job, Rules, Sink,
    consumers::{self, Consumer, Output},
    hops::{Ended, Hop, spawn},
    http::{Ports, Server, View},
    ledger::Ledger,
    meters::Meters,
    notify::Notify,
    outlet::{Ending, Outlet, Target},
    parcel::Packer,
    pipeline::{Pipeline, ReaderThread, Shared},
    queue,
    rules::captured,
    signals,
};

/// Events between reader and pipeline: some 4 MiB, 50 ms at 150,000 events a second.
const QUEUED_EVENTS: usize = 8192;
/// Bytes between pipeline and outlet.
const QUEUED_BYTES: usize = 8 << 20;
/// Empty buffers that are kept for use again.
const SPARE: usize = 16;
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
    meters: Arc<Meters>,
    server: Option<Server>,
    notify: Notify,
    searched: Instant,
    complained: (Instant, u64),
}

/// What is checked and opened before the kernel is touched.
struct Prepared {
    rules: ForwardRules,
    ports: Option<Ports>,
    target: Target,
    output: Output,
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
    let (probe, reader) = Probe::load(&options)?;
    let agent = Agent::assemble(config, prepared, job.rules, Box::new(probe), Box::new(reader))?;
    signals::obey(agent.remote())?;
    agent.run()
}

impl Prepared {
    fn new(config: &Config, sink: Sink, rules: &Rules, listen: bool) -> Result<Self, AgentError> {
        let rules = rules.load()?;
        let ports = if listen { Some(Ports::open(config)?) } else { None };
        let (target, output) = match sink {
            Sink::Stdout => {
                let copy = io::stdout().as_fd().try_clone_to_owned();
                let copy = copy.map_err(|source| AgentError::System { what: "standard output", source })?;
                let output = Output::of(&[&copy, &io::stderr()]);
                (Target::Descriptor(File::from(copy)), output)
            }
            Sink::Descriptor(file) => {
                let output = Output::of(&[&file, &io::stderr()]);
                (Target::Descriptor(file), output)
            }
            // A view draws on standard output.
            Sink::Observer(observer) => {
                (Target::Observer(observer), Output::of(&[&io::stdout(), &io::stderr()]))
            }
        };
        Ok(Self { rules, ports, target, output })
    }
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

    fn assemble(
        config: &Config,
        prepared: Prepared,
        source: Rules,
        mut control: Box<dyn Control>,
        capture: Box<dyn Capture>,
    ) -> Result<Self, AgentError> {
        let (sender, messages) = mpsc::channel();
        let node = Node { hostname: hostname() };
        let meters = Arc::new(Meters::default());
        let rules = Arc::new(Shared::new(prepared.rules));
        let found = find_consumers(&prepared.output, &mut *control, &meters);
        // Whoever stores our output may not have started yet.
        let suspect = Arc::new(AtomicBool::new(prepared.output.has_consumers() && found.len() < 2));
        let consumers = Arc::new(Shared::new(found));
        let stop = Arc::new(AtomicBool::new(false));
        let ledger = Arc::new(Mutex::new(Ledger::default()));

        let mut enricher =
            Enricher::new(&sentinel_enrich::Options::default(), Box::new(ProcSource::default()));
        match control.processes() {
            Ok(processes) => enricher.fill(with_arguments(processes, ProcSource::default().processes())),
            Err(error) => {
                debug!(%error, "The kernel does not list its processes; reading /proc.");
                enricher.fill_from_source();
            }
        }

        let (event_sender, event_receiver) = queue::bounded(QUEUED_EVENTS, QUEUED_EVENTS);
        let (events_back, spare_events) = queue::bounded(SPARE, usize::MAX);
        let (parcel_sender, parcel_receiver) = queue::bounded(config.stream.queue_length, QUEUED_BYTES);
        let (parcels_back, spare_parcels) = queue::bounded(SPARE, usize::MAX);
        let server = match prepared.ports {
            Some(ports) => {
                let depths = (event_sender.gauge(), parcel_sender.gauge());
                Some(Server::start(ports, Arc::clone(&meters), Arc::clone(&rules), depths, sender.clone())?)
            }
            None => None,
        };

        let packer = match &prepared.target {
            Target::Descriptor(_) => Packer::lines(&node),
            Target::Observer(_) => Packer::Observations,
        };
        let outlet = Outlet {
            target: prepared.target,
            input: parcel_receiver,
            empties: parcels_back,
            ledger: Arc::clone(&ledger),
            meters: Arc::clone(&meters),
        };
        let pipeline = Pipeline {
            enricher,
            rules: Arc::clone(&rules),
            consumers: Arc::clone(&consumers),
            suspect: Arc::clone(&suspect),
            input: event_receiver,
            empties: events_back,
            output: parcel_sender,
            returned: spare_parcels,
            packer,
            batch_size: config.stream.batch_size,
            ledger,
            meters: Arc::clone(&meters),
        };
        let reader = ReaderThread {
            capture,
            output: event_sender,
            empties: spare_events,
            stop: Arc::clone(&stop),
            meters: Arc::clone(&meters),
        };
        // The last hop first: nobody sends to a thread that is not there.
        spawn(Hop::Outlet, &sender, move || Ended::Outlet(outlet.run()))?;
        spawn(Hop::Pipeline, &sender, move || {
            pipeline.run();
            Ended::Pipeline
        })?;
        meters.polled();
        spawn(Hop::Reader, &sender, move || Ended::Reader(reader.run()))?;
        meters.started.store(true, Ordering::Release);

        let now = Instant::now();
        Ok(Self {
            messages,
            remote: Remote(sender),
            control,
            source,
            rules,
            consumers,
            output: prepared.output,
            suspect,
            stop,
            meters,
            server,
            notify: Notify::new(),
            searched: now,
            complained: (now, 0),
        })
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
                Ok(Message::Ended(Ended::Outlet(Ending::Closed))) => {
                    info!("Nobody takes events any more.");
                    return self.stop();
                }
                Ok(Message::Ended(Ended::Reader(Err(error)))) => {
                    let stopped = self.stop();
                    if let Err(error) = stopped {
                        error!(%error, "Not everything was delivered.");
                    }
                    return Err(AgentError::Capture(error));
                }
                Ok(Message::Ended(Ended::Died(hop))) => return Err(AgentError::Died(hop.name())),
                Ok(Message::Ended(Ended::Reader(Ok(())))) => {
                    return Err(AgentError::Died(Hop::Reader.name()));
                }
                Ok(Message::Ended(Ended::Pipeline)) => return Err(AgentError::Died(Hop::Pipeline.name())),
                Ok(Message::Ended(Ended::Outlet(Ending::Drained))) => {
                    return Err(AgentError::Died(Hop::Outlet.name()));
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
        loop {
            match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Message::Ended(Ended::Outlet(_))) => break,
                Ok(Message::Ended(Ended::Died(hop))) => return Err(AgentError::Died(hop.name())),
                Ok(Message::Ended(Ended::Reader(Err(error)))) => {
                    warn!(%error, "The ring was not read to its end.")
                }
                Ok(Message::Ended(Ended::Reader(Ok(())) | Ended::Pipeline) | Message::Reload) => {}
                Ok(Message::Look(reply)) => self.look(reply),
                Ok(Message::Stop) | Err(_) => break,
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

fn find_consumers(output: &Output, control: &mut dyn Control, meters: &Meters) -> Vec<Consumer> {
    let found = consumers::find(output, Path::new("/proc"));
    let tgids: Vec<u32> = found.iter().map(|consumer| consumer.tgid).collect();
    debug!(?tgids, "These processes store our output.");
    if let Err(error) = control.set_consumers(&tgids) {
        warn!(%error, "The kernel does not sum what the processes do that store our output.");
    }
    meters.consumers.store(found.len(), Ordering::Relaxed);
    found
}

/// The kernel's list has exact start times, `/proc` has the arguments.
fn with_arguments(mut processes: Vec<Process>, from_proc: Vec<Process>) -> Vec<Process> {
    let mut arguments: HashMap<u32, Process> =
        from_proc.into_iter().map(|process| (process.key.tgid, process)).collect();
    for process in &mut processes {
        let same = |found: &Process| found.key.start_ns.abs_diff(process.key.start_ns) <= TICK_NS;
        if let Some(found) = arguments.remove(&process.key.tgid).filter(same)
            && process.argv.is_empty()
        {
            process.argv = found.argv;
        }
    }
    processes
}

/// NODE_NAME, which Kubernetes sets, else the host's name.
fn hostname() -> String {
    let given = std::env::var("NODE_NAME").ok().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| {
        nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    })
}
