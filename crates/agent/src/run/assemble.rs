//! Putting the agent together: what is opened first, and who is connected with whom.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::fd::AsFd as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Instant,
};

use sentinel_enrich::{Enricher, ProcSource, Source as _, TICK_NS};
use sentinel_event::Process;
use sentinel_rules::forward::ForwardRules;
use sentinel_wire::Node;
use tracing::{debug, warn};

use super::{Agent, Remote};
use crate::{
    AgentError, Capture, Config, Control, Rules, Sink,
    consumers::{self, Consumer, Output},
    hops::{Ended, Hop, spawn},
    http::{Ports, Server},
    ledger::Ledger,
    meters::Meters,
    notify::Notify,
    outlet::{Outlet, Target},
    parcel::Packer,
    pipeline::{Pipeline, ReaderThread, Shared},
    queue,
};

/// Events between reader and pipeline: some 2 MiB, 25 ms at 150,000 events a second; the ring takes the rest.
const QUEUED_EVENTS: usize = 4096;
/// Bytes between pipeline and outlet.
const QUEUED_BYTES: usize = 4 << 20;
/// Empty buffers that are kept for use again.
const SPARE: usize = 16;

/// What is checked and opened before the kernel is touched.
pub(super) struct Prepared {
    pub(super) rules: ForwardRules,
    ports: Option<Ports>,
    target: Target,
    pub(super) output: Output,
    /// Of processes that run already, the arguments: read before our own reading is observed.
    running: Vec<Process>,
}

impl Prepared {
    pub(super) fn new(config: &Config, sink: Sink, rules: &Rules, listen: bool) -> Result<Self, AgentError> {
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
        let running = ProcSource::default().processes();
        Ok(Self { rules, ports, target, output, running })
    }
}

impl Agent {
    pub(super) fn assemble(
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
            Ok(processes) => enricher.fill(with_arguments(processes, prepared.running)),
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
            running: vec![Hop::Reader, Hop::Pipeline, Hop::Outlet],
            meters,
            server,
            notify: Notify::new(),
            searched: now,
            complained: (now, 0),
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
            process.argv = found.argv;
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
