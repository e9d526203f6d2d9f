//! Putting the agent together: what is opened first, and who is connected with whom.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_enrich::{Enricher, ProcSource, Source as _, TICK_NS};
use sentinel_event::{KindSet, Process};
use sentinel_rules::forward::ForwardRules;
use sentinel_sink::Outputs;
use sentinel_wire::{EventIds, Node};
use tracing::{debug, warn};

use super::{Agent, Mailbox, Remote};
use crate::{
    AgentError, AlertObserver, Capture, Config, Control, Rules, Sink,
    alerts::{AlertHop, Alerts},
    config::{BUILTIN, StreamMode},
    consumers::{self, Consumer, Output},
    detect::{Judge, Rulebook, seen},
    hops::{Ended, Hop, spawn},
    http::{Facts, Ports, Server, View},
    identity::{Registry, host_id},
    ledger::Ledger,
    meters::Meters,
    notify::Notify,
    outlet::{Exits, Push, Target},
    pipeline::{Pipeline, ReaderThread, Shared},
    queue,
    status::{Board, Identity},
    waiting::Waiting,
    watch,
};

/// Events between reader and pipeline: some 1 MiB, 13 ms at 150,000 events a second; the ring, where they are smaller,
/// takes the rest.
const QUEUED_EVENTS: usize = 2048;
/// Alerts between pipeline and observer.
const QUEUED_ALERTS: usize = 4096;
/// Their bytes.
const QUEUED_ALERT_BYTES: usize = 8 << 20;
/// Empty buffers that are kept for use again.
const SPARE: usize = 16;

/// What is checked and opened before the kernel is touched.
pub(super) struct Prepared {
    pub(super) rules: ForwardRules,
    pub(super) book: Rulebook,
    hostname: String,
    ports: Option<Ports>,
    /// Standard output, a descriptor or an observer, if events go there.
    target: Option<Target>,
    /// Events go where `stream.mode` says, besides.
    streams: bool,
    outputs: Outputs,
    observer: Option<Box<dyn AlertObserver>>,
    pub(super) output: Output,
    /// Of processes that run already, the arguments: read before our own reading is observed.
    running: Vec<Process>,
}

impl Prepared {
    pub(super) fn new(
        config: &Config,
        rules: &Rules,
        sink: Sink,
        observer: Option<Box<dyn AlertObserver>>,
        listen: bool,
    ) -> Result<Self, AgentError> {
        let (rules, hostname) = (rules.load()?, hostname());
        let book = Rulebook::load(&config.detection, config.capture.buffers, &hostname, None)?;
        let ports = if listen { Some(Ports::open(config)?) } else { None };
        let streams = matches!(sink, Sink::Streams | Sink::Observer(_));
        let (target, output) = match sink {
            Sink::Streams | Sink::Stdout => {
                let copy = copy(&io::stdout())?;
                let output = Output::of(&[&copy, &io::stderr()]);
                let wanted =
                    matches!(sink, Sink::Stdout) || config.stream.mode.0.contains(&StreamMode::Stdout);
                (wanted.then_some(Target::Descriptor(copy)), output)
            }
            Sink::Descriptor(file) => {
                let output = Output::of(&[&file, &io::stderr()]);
                (Some(Target::Descriptor(file)), output)
            }
            // A view draws on standard output.
            Sink::Observer(observer) => {
                (Some(Target::Observer(observer)), Output::of(&[&io::stdout(), &io::stderr()]))
            }
        };
        let mut wanted = config.detection.outputs.clone();
        if observer.is_some() {
            wanted.stdout = None;
        }
        let outputs = Outputs::start(&wanted, &config.detection.suppression(), &hostname)?;
        let running = ProcSource::default().processes();
        Ok(Self { rules, book, hostname, ports, target, streams, outputs, observer, output, running })
    }
}

/// Another descriptor of the same output.
fn copy(of: &impl AsFd) -> Result<File, AgentError> {
    let copy = of.as_fd().try_clone_to_owned();
    copy.map(File::from).map_err(|source| AgentError::System { what: "standard output", source })
}

impl Agent {
    pub(super) fn assemble(
        config: &Config,
        prepared: Prepared,
        source: Rules,
        mut control: Box<dyn Control>,
        capture: Box<dyn Capture>,
        mailbox: Mailbox,
    ) -> Result<Self, AgentError> {
        let Mailbox { sender, messages } = mailbox;
        let node = Node { hostname: prepared.hostname.clone() };
        let meters = Arc::new(Meters::default());
        let rules = Arc::new(Shared::new(prepared.rules));
        let books = Arc::new(Shared::new(prepared.book));
        let found = find_consumers(&prepared.output, &mut *control, &meters);
        // Whoever stores our output may not have started yet.
        let suspect = Arc::new(AtomicBool::new(prepared.output.has_consumers() && found.len() < 2));
        let consumers = Arc::new(Shared::new(found));
        let stop = Arc::new(AtomicBool::new(false));
        let ledger = Arc::new(Mutex::new(Ledger::default()));

        let registry = Registry::start(&config.enrichment, &prepared.hostname);
        let host = ProcSource::default().with_births(control.births());
        let options = sentinel_enrich::Options {
            host: host_id(&prepared.hostname),
            ..sentinel_enrich::Options::default()
        };
        let mut enricher = Enricher::new(&options, Box::new(host)).with_directory(Box::new(registry.clone()));
        match control.processes() {
            Ok(processes) => enricher.fill(with_arguments(processes, prepared.running)),
            Err(error) => {
                debug!(%error, "The kernel does not list its processes; reading /proc.");
                enricher.fill_from_source();
            }
        }

        let (event_sender, event_receiver) = queue::bounded(QUEUED_EVENTS, QUEUED_EVENTS);
        // Empty ones are weighed by their room: together they hold no more than the queue does.
        let (events_back, spare_events) = queue::bounded(SPARE, QUEUED_EVENTS);
        let outputs = Arc::new(prepared.outputs);
        let (alert_sender, alert_receiver) = queue::bounded(QUEUED_ALERTS, QUEUED_ALERT_BYTES);
        let hop = prepared.observer.map(|observer| AlertHop {
            observer,
            input: alert_receiver,
            meters: Arc::clone(&meters),
        });
        let reports = prepared.streams
            && config.stream.mode.0.iter().any(|mode| matches!(mode, StreamMode::Grpc | StreamMode::Nats));
        let (hub_sender, hub_receiver) = queue::bounded(QUEUED_ALERTS, QUEUED_ALERT_BYTES);
        let alerts = Arc::new(Alerts {
            outputs: Arc::clone(&outputs),
            observer: hop.is_some().then_some(alert_sender),
            hub: reports.then_some(hub_sender),
            meters: Arc::clone(&meters),
        });
        let exits = Exits { config, node: &node, ledger: &ledger, meters: &meters, outputs: &outputs };
        let exits = exits.open(prepared.target, prepared.streams)?;
        let facts = Arc::new(Facts {
            meters: Arc::clone(&meters),
            books: Arc::clone(&books),
            outputs: Arc::clone(&outputs),
            events: event_sender.gauge(),
            parcels: exits.gauges(),
            registry,
            main: sender.clone(),
        });
        let identity = Identity::new(prepared.hostname);
        let view = View { counters: None, hooks: control.hooks(), captured: KindSet::NONE };
        let board = reports.then(|| Arc::new(Board::new(identity.status(&facts, &view))));
        let server = match prepared.ports {
            Some(ports) => Some(Server::start(ports, Arc::clone(&facts))?),
            None => None,
        };

        let pipeline = Pipeline {
            enricher,
            judge: Judge::new(Arc::clone(&books), Arc::clone(&alerts)),
            rules: Arc::clone(&rules),
            consumers: Arc::clone(&consumers),
            suspect: Arc::clone(&suspect),
            input: event_receiver,
            empties: events_back,
            ways: exits.ways,
            waiting: Waiting::new(Duration::from_millis(config.enrichment.wait_milliseconds)),
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
        let mut running = vec![Hop::Reader, Hop::Pipeline];
        for (hop, work) in exits.threads {
            running.push(hop);
            spawn(hop, &sender, work)?;
        }
        if let Some(hop) = hop {
            running.push(Hop::Alerts);
            spawn(Hop::Alerts, &sender, move || {
                hop.run();
                Ended::Alerts
            })?;
        }
        if let Some(board) = &board {
            let push = Push {
                config: config.grpc.clone(),
                hostname: identity.hostname.clone(),
                input: hub_receiver,
                board: Arc::clone(board),
                meters: Arc::clone(&meters),
            };
            running.push(Hop::Push);
            spawn(Hop::Push, &sender, move || {
                push.run();
                Ended::Push
            })?;
        }
        spawn(Hop::Pipeline, &sender, move || {
            pipeline.run();
            Ended::Pipeline
        })?;
        meters.polled();
        spawn(Hop::Reader, &sender, move || Ended::Reader(reader.run()))?;

        if config.detection.watch {
            let named = config.detection.rules.iter().filter(|source| *source != BUILTIN).map(PathBuf::from);
            let paths: Vec<_> = source.path().map(Path::to_owned).into_iter().chain(named).collect();
            watch::start(&paths, sender.clone());
        }
        let now = Instant::now();
        Ok(Self {
            seen: seen(source.path(), &config.detection.rules),
            messages,
            remote: Remote(sender),
            control,
            source,
            rules,
            detection: config.detection.clone(),
            dns: config.capture.dns,
            buffers: config.capture.buffers,
            identity,
            facts,
            board,
            reported: now,
            books,
            consumers,
            output: prepared.output,
            suspect,
            stop,
            running,
            outputs,
            meters,
            server,
            notify: Notify::new(),
            searched: now,
            complained: (now, 0),
            alerts: Arc::downgrade(&alerts),
            ids: EventIds::default(),
        })
    }
}

pub(super) fn find_consumers(output: &Output, control: &mut dyn Control, meters: &Meters) -> Vec<Consumer> {
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
            (process.argv, process.cwd) = (found.argv, found.cwd);
        }
    }
    // What the kernel's list hides, as some sandboxes do with their first process, is better than nothing.
    processes.extend(arguments.into_values());
    processes
}

/// NODE_NAME, which Kubernetes sets, else the host's name.
fn hostname() -> String {
    let given = std::env::var("NODE_NAME").ok().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| {
        nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    })
}
