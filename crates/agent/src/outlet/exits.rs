//! Which ways out there are.

use std::sync::{Arc, Mutex, atomic::Ordering};

use sentinel_event::Stage;
use sentinel_sink::Outputs;
use sentinel_wire::Node;

use super::{Courier, Log, Outlet, Target, Way};
use crate::{
    AgentError, Config, StreamMode,
    hops::{Ended, Hop},
    ledger::Ledger,
    meters::Meters,
    parcel::{Form, Packer, Parcel},
    queue::{self, Gauge, Receiver, Sender},
};

/// Bytes between the pipeline and each outlet.
const QUEUED_BYTES: usize = 4 << 20;
/// Empty buffers that are kept for use again.
const SPARE: usize = 16;

/// What the outlets are made from.
pub(crate) struct Exits<'a> {
    pub(crate) config: &'a Config,
    pub(crate) node: &'a Node,
    pub(crate) ledger: &'a Arc<Mutex<Ledger>>,
    pub(crate) meters: &'a Arc<Meters>,
    pub(crate) outputs: &'a Arc<Outputs>,
}

/// A thread's work.
type Work = Box<dyn FnOnce() -> Ended + Send>;

/// The outlets: for the pipeline, and for the threads.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) ways: Vec<Way>,
    pub(crate) threads: Vec<(Hop, Work)>,
}

impl Opened {
    /// What waits before each outlet.
    pub(crate) fn gauges(&self) -> Vec<(Stage, Gauge<Parcel>)> {
        self.ways.iter().map(|way| (way.stage, way.output.gauge())).collect()
    }
}

impl Exits<'_> {
    /// Opens what `target` is and, with `streams`, what the configuration says besides.
    pub(crate) fn open(&self, target: Option<Target>, streams: bool) -> Result<Opened, AgentError> {
        let mut opened = Opened::default();
        if let Some(target) = target {
            let packer = match &target {
                Target::Descriptor(_) => Packer::bytes(Form::Line, self.node),
                Target::Observer(_) => Packer::Observations,
            };
            let (input, empties) = self.way(&mut opened, Stage::Stdout, packer);
            let (ledger, meters) = (Arc::clone(self.ledger), Arc::clone(self.meters));
            let outlet = Outlet { target, input, empties, ledger, meters };
            opened.threads.push((Hop::Outlet, Box::new(move || Ended::Outlet(outlet.run()))));
        }
        if streams && self.config.stream.mode.0.contains(&StreamMode::File) {
            let ends = self.way(&mut opened, Stage::File, Packer::bytes(Form::Record, self.node));
            let counts = (Arc::clone(self.ledger), Arc::clone(self.meters));
            let log = Log::new(&self.config.stream.file, ends, counts);
            let work = move || {
                log.run();
                Ended::Log
            };
            opened.threads.push((Hop::Log, Box::new(work)));
        }
        if streams && self.config.stream.mode.0.contains(&StreamMode::Grpc) {
            let ends = self.way_back(&mut opened, Stage::Grpc);
            let counts = (Arc::clone(self.ledger), Arc::clone(self.meters));
            let (outputs, meters) = (Arc::clone(self.outputs), Arc::clone(self.meters));
            let on_anomaly = Box::new(move |alert| {
                meters.alerts.raised.fetch_add(1, Ordering::Relaxed);
                outputs.send(&alert);
            });
            let courier = Courier::grpc(self.config, ends, counts, on_anomaly)?;
            let work = move || {
                courier.run();
                Ended::Grpc
            };
            opened.threads.push((Hop::Grpc, Box::new(work)));
        }
        if streams && self.config.stream.mode.0.contains(&StreamMode::Nats) {
            let ends = self.way_back(&mut opened, Stage::Nats);
            let counts = (Arc::clone(self.ledger), Arc::clone(self.meters));
            let courier = Courier::nats(self.config, ends, counts)?;
            let work = move || {
                courier.run();
                Ended::Nats
            };
            opened.threads.push((Hop::Nats, Box::new(work)));
        }
        Ok(opened)
    }

    /// A way of messages, and a look at what waits there.
    fn way_back(
        &self,
        opened: &mut Opened,
        stage: Stage,
    ) -> (Receiver<Parcel>, Sender<Parcel>, Gauge<Parcel>) {
        let (output, input) = queue::bounded(self.config.stream.queue_length, QUEUED_BYTES);
        let gauge = output.gauge();
        let empties = self.open_way(opened, stage, Packer::bytes(Form::Message, self.node), output);
        (input, empties, gauge)
    }

    /// A way for the pipeline; what is left is for the outlet's thread.
    fn way(&self, opened: &mut Opened, stage: Stage, packer: Packer) -> (Receiver<Parcel>, Sender<Parcel>) {
        let (output, input) = queue::bounded(self.config.stream.queue_length, QUEUED_BYTES);
        (input, self.open_way(opened, stage, packer, output))
    }

    fn open_way(
        &self,
        opened: &mut Opened,
        stage: Stage,
        packer: Packer,
        output: Sender<Parcel>,
    ) -> Sender<Parcel> {
        let (empties, returned) = queue::bounded(SPARE, usize::MAX);
        let parcel = packer.empty();
        opened.ways.push(Way { stage, packer, output, returned, parcel });
        self.meters.outlet(stage).active.store(true, Ordering::Relaxed);
        empties
    }
}
