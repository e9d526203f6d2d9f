//! Reader and pipeline: the two threads between the probe and the outlet.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sentinel_enrich::Enricher;
use sentinel_event::{Body, Event, LossCause, Observation, Stage};
use sentinel_rules::forward::ForwardRules;
use sentinel_wire::EventIds;

use crate::{
    Capture, CaptureError, ages,
    consumers::Consumer,
    detect::Judge,
    fold::{Fold, Offer, Out},
    ledger::{Ledger, report_in},
    meters::Meters,
    outlet::Way,
    queue::{Received, Receiver, Refused, Sender},
    waiting::Waiting,
};

/// A value that the main thread replaces while a thread uses it.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    value: Mutex<Arc<T>>,
    generation: AtomicU64,
}

impl<T> Shared<T> {
    /// The first generation.
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(Arc::new(value)), generation: AtomicU64::new(1) }
    }

    /// Replaces the value.
    pub(crate) fn set(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The value.
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many values there have been.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

/// Polls the source. Waits for the pipeline a little, for nothing else.
pub(crate) struct ReaderThread {
    pub(crate) capture: Box<dyn Capture>,
    pub(crate) output: Sender<Vec<Event>>,
    pub(crate) empties: Receiver<Vec<Event>>,
    /// Drain, then end.
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) meters: Arc<Meters>,
}

impl ReaderThread {
    /// Runs until told to stop, or until the source fails.
    pub(crate) fn run(mut self) -> Result<(), CaptureError> {
        prefer();
        let mut ledger = Ledger::default();
        let result = self.poll_all(&mut ledger);
        let last = ledger.report_all();
        let weight = last.len();
        if weight > 0 {
            // A pipeline that has gone has counted for itself.
            let _ = self.output.force(last, weight);
        }
        result
    }

    fn poll_all(&mut self, ledger: &mut Ledger) -> Result<(), CaptureError> {
        loop {
            let stop = self.stop.load(Ordering::Acquire);
            let mut events = match self.empties.receive(Duration::ZERO) {
                Received::Item(events) => events,
                Received::Nothing | Received::Closed => Vec::new(),
            };
            let result = if stop { self.capture.drain(&mut events) } else { self.capture.poll(&mut events) };
            self.meters.polled();
            let now = Instant::now();
            for event in &events {
                self.meters.decoded.add(event.kind(), 1);
            }
            events.extend(ledger.report(now));
            if !events.is_empty() && !self.pass_on(events, ledger) {
                return Ok(());
            }
            result?;
            if stop {
                return Ok(());
            }
        }
    }

    /// False when nobody listens any more.
    fn pass_on(&mut self, events: Vec<Event>, ledger: &mut Ledger) -> bool {
        let weight = events.len();
        match self.output.send_within(events, weight, PATIENCE) {
            Ok(()) => true,
            Err((events, refused)) => {
                let cause = match refused {
                    Refused::Full => LossCause::Full,
                    Refused::Closed => LossCause::Closed,
                };
                for event in &events {
                    ledger.lose(event.kind(), report_in(event), Stage::Queue, cause, &self.meters);
                }
                refused == Refused::Full
            }
        }
    }
}

/// Enriches, judges, matches, folds, packs.
pub(crate) struct Pipeline {
    pub(crate) enricher: Enricher,
    pub(crate) judge: Judge,
    pub(crate) rules: Arc<Shared<ForwardRules>>,
    pub(crate) consumers: Arc<Shared<Vec<Consumer>>>,
    /// Set when the consumers may have changed.
    pub(crate) suspect: Arc<AtomicBool>,
    pub(crate) input: Receiver<Vec<Event>>,
    pub(crate) empties: Sender<Vec<Event>>,
    pub(crate) ways: Vec<Way>,
    /// Events of containers about which something is asked.
    pub(crate) waiting: Waiting,
    /// Most events in a parcel.
    pub(crate) batch_size: usize,
    /// Shared with the outlet, which loses events too.
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) meters: Arc<Meters>,
}

/// Lets the calling thread run before others: what it does not read in time is lost. Takes CAP_SYS_NICE;
/// without it the thread is as good as any.
pub(crate) fn prefer() {
    if let Err(error) = rustix::process::setpriority_process(None, -10) {
        tracing::debug!(%error, "The thread keeps its ordinary priority.");
    }
}

/// How long the reader waits for the pipeline: until that hangs. The ring holds more than the queue, counts exactly
/// what it cannot hold, and keeps room for what is rare; nothing behind the pipeline can make it wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the pipeline waits for events before it looks at its own timers.
const IDLE: Duration = Duration::from_millis(50);
/// The same, while events wait for an answer.
const IMPATIENT: Duration = Duration::from_millis(2);
/// Vectors of more events than this are not kept: a burst must not hold memory for good.
const KEPT: usize = 4096;

struct State {
    rules: Arc<ForwardRules>,
    rules_generation: u64,
    consumers: Arc<Vec<Consumer>>,
    consumers_generation: u64,
    fold: Fold,
    out: Vec<Out>,
    ids: EventIds,
    /// Of the events of one batch.
    times: Vec<u64>,
    told: Instant,
}

impl Pipeline {
    /// Runs until the reader has gone and everything is passed on.
    pub(crate) fn run(mut self) {
        prefer();
        let mut state = State {
            rules: self.rules.get(),
            rules_generation: 0,
            consumers: Arc::default(),
            consumers_generation: 0,
            fold: Fold::default(),
            out: Vec::new(),
            ids: EventIds::default(),
            times: Vec::new(),
            told: Instant::now(),
        };
        loop {
            let asked = Instant::now();
            let received = self.input.receive(if self.waiting.is_empty() { IDLE } else { IMPATIENT });
            self.refresh(&mut state);
            let now = Instant::now();
            match received {
                Received::Item(mut events) => {
                    self.enricher.prepare(&events);
                    ages::times(&events, &mut state.times);
                    for event in events.drain(..) {
                        self.take(event, now, &mut state);
                    }
                    self.meters.ages.add(&state.times);
                    let room = events.capacity();
                    if room > KEPT {
                        state.times = Vec::new();
                    } else {
                        let _ = self.empties.send(events, room);
                    }
                }
                Received::Nothing => self.enricher.rest(now.saturating_duration_since(asked)),
                Received::Closed => break,
            }
            for observation in self.waiting.due(now, &self.enricher) {
                self.decide(observation, now, &mut state);
            }
            let reports = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).report(now);
            for report in reports {
                self.take(report, now, &mut state);
            }
            state.fold.due(now, &mut state.out);
            self.let_out(&mut state);
            self.ship();
            if now.duration_since(state.told) > Duration::from_secs(1) {
                state.told = now;
                self.meters.impatient.store(self.waiting.impatient, Ordering::Relaxed);
                *self.meters.enrich.lock().unwrap_or_else(PoisonError::into_inner) = self.enricher.counters();
            }
        }
        for observation in self.waiting.drain(&self.enricher) {
            self.decide(observation, Instant::now(), &mut state);
        }
        state.fold.drain(&mut state.out);
        self.let_out(&mut state);
        self.ship();
        let reports = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).report_all();
        for report in reports {
            self.take(report, Instant::now(), &mut state);
        }
        self.last();
    }

    fn refresh(&mut self, state: &mut State) {
        if self.judge.refresh() {
            let generation = self.judge.generation();
            self.ways.iter_mut().for_each(|way| way.packer.judged_by(generation));
        }
        let generation = self.rules.generation();
        if state.rules_generation != generation {
            (state.rules, state.rules_generation) = (self.rules.get(), generation);
        }
        let generation = self.consumers.generation();
        if state.consumers_generation != generation {
            (state.consumers, state.consumers_generation) = (self.consumers.get(), generation);
            state.fold.set_consumers(state.consumers.to_vec());
        }
    }

    fn take(&mut self, event: Event, now: Instant, state: &mut State) {
        let changes_consumers = matches!(event.body, Body::Fork(_) | Body::Exec(_) | Body::Exit(_))
            && state.consumers.iter().any(|consumer| consumer.is(&event.head));
        if changes_consumers {
            self.suspect.store(true, Ordering::Relaxed);
        }
        let observation = self.enricher.observe(event);
        if let Some(observation) = self.waiting.hold(observation, now) {
            self.decide(observation, now, state);
        }
    }

    /// Alerts, and whether it is forwarded.
    fn decide(&mut self, observation: Observation, now: Instant, state: &mut State) {
        let kind = observation.event.kind();
        self.judge.judge(&observation);
        if !state.rules.matches(&observation) {
            self.meters.filtered.add(kind, 1);
            return;
        }
        self.meters.forwarded.add(kind, 1);
        match state.fold.offer(observation, now, &mut state.out) {
            Offer::Pass(observation) => self.pack(observation, 0, &mut state.ids),
            Offer::Held => {}
            Offer::Folded => self.meters.folded.add(kind, 1),
        }
        self.let_out(state);
    }

    fn let_out(&mut self, state: &mut State) {
        for (observation, folded) in state.out.drain(..) {
            self.pack(observation, folded, &mut state.ids);
        }
    }

    /// On every way, under one name.
    fn pack(&mut self, observation: Observation, folded: u64, ids: &mut EventIds) {
        let id = ids.next(observation.event.head.real_ns);
        let (counts, size) = ((&*self.ledger, &*self.meters), self.batch_size);
        let Some((last, others)) = self.ways.split_last_mut() else { return };
        for way in others {
            way.pack(id, observation.clone(), folded, size, counts);
        }
        last.pack(id, observation, folded, size, counts);
    }

    fn ship(&mut self) {
        for way in &mut self.ways {
            way.ship((&self.ledger, &self.meters));
        }
    }

    fn last(self) {
        for way in self.ways {
            way.last((&self.ledger, &self.meters));
        }
    }
}
