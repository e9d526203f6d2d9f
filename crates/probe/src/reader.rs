//! The receiving end of the ring.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt, io, mem,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use libbpf_rs::{MapCore as _, MapFlags, MapHandle, RingBuffer};
use nix::time::{ClockId, clock_gettime};
use sentinel_event::{Body, Event, Head, Kind, Loss, LossCause, Stage};
use zerocopy::IntoBytes as _;

use crate::{
    ProbeError,
    counters::{self, Shared},
    decode::{Content, DecodeError, Record, decode},
    filter::Judge,
    ledger::{Entry, Ledger},
};

/// While events keep coming the reader naps instead of being woken for each: a wake-up costs ten events. The first nap
/// is short, for what follows a program's start at once; each further one is twice as long, to [`LONGEST_NAP`].
const NAP: Duration = Duration::from_micros(250);
/// Under a steady load the reader and all behind it wake up this seldom; an alert is late by as much.
const LONGEST_NAP: Duration = Duration::from_micros(500);
/// Longest sleep. Bounds the delay of the one record in a million that is submitted while the reader
/// goes to sleep and does not wake it.
const SLEEP: Duration = Duration::from_millis(20);
/// Records taken at once: more of them wait in the ring, where they are small.
const BATCH: usize = 1024;
/// How often losses are reported.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);

/// The receiving end of the ring.
pub struct Reader {
    ring: RingBuffer<'static>,
    /// Records that were taken from the ring and are no events yet.
    inbox: Vec<Record>,
    ledger: Ledger,
    shared: Arc<Shared>,
    asleep: MapHandle,
    open_files: MapHandle,
    counts: MapHandle,
    places: MapHandle,
    /// How many times in a row there were events.
    busy: u32,
    /// The last batch was full: there is no time to nap.
    more: bool,
    sweep: Duration,
    next_sweep: Instant,
    next_loss: Instant,
    /// Losses already reported, by kind, and malformed records.
    reported: Vec<u64>,
    reported_malformed: u64,
    reported_skipped: BTreeMap<Option<Kind>, u64>,
    /// Unix epoch minus boot, nanoseconds.
    epoch_ns: u64,
    /// Events that the self-test met.
    kept: Vec<Event>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("busy", &self.busy)
            .field("files", &self.ledger.len())
            .finish_non_exhaustive()
    }
}

/// The maps a reader works with.
pub(crate) struct Maps {
    pub(crate) asleep: MapHandle,
    pub(crate) open_files: MapHandle,
    pub(crate) counts: MapHandle,
    pub(crate) places: MapHandle,
}

impl Reader {
    pub(crate) fn new(
        events: &dyn libbpf_rs::MapCore,
        maps: Maps,
        shared: Arc<Shared>,
        sweep: Duration,
    ) -> Result<Self, ProbeError> {
        let mut builder = libbpf_rs::RingBufferBuilder::new();
        let counts = Arc::clone(&shared);
        builder
            .add(events, move |bytes| {
                receive(bytes, &counts);
                0
            })
            .map_err(ProbeError::refused("the ring"))?;
        let ring = builder.build().map_err(ProbeError::refused("the ring"))?;
        let now = Instant::now();
        Ok(Self {
            ring,
            inbox: Vec::with_capacity(1024),
            ledger: Ledger::default(),
            shared,
            asleep: maps.asleep,
            open_files: maps.open_files,
            counts: maps.counts,
            places: maps.places,
            busy: 0,
            more: false,
            sweep,
            next_sweep: now + sweep,
            next_loss: now + LOSS_INTERVAL,
            reported: vec![0; Kind::ALL.len()],
            reported_malformed: 0,
            reported_skipped: BTreeMap::new(),
            epoch_ns: epoch_ns(),
            kept: Vec::new(),
        })
    }

    /// Waits until there are events (20 ms at most), appends them to `events` in the order of the ring.
    /// Losses come as events of kind `loss`, at most one a second for each stage, cause and kind.
    ///
    /// # Errors
    /// When the ring cannot be polled.
    pub fn poll(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        if !self.kept.is_empty() {
            events.append(&mut self.kept);
            return Ok(());
        }
        if self.busy > 0 && !self.more {
            thread::sleep(NAP.saturating_mul(1 << (self.busy - 1).min(8)).min(LONGEST_NAP));
        }
        let begun = boot_ns();
        self.more = self.consume()?;
        if self.inbox.is_empty() && !self.due() {
            // Said first, looked at once more, then slept: no record submitted meanwhile is missed.
            self.set_asleep()?;
            self.consume()?;
            if self.inbox.is_empty() {
                self.with_inbox(|ring| ring.poll(SLEEP))
                    .or_else(interrupted)
                    .map_err(ProbeError::refused("the ring"))?;
            }
        }
        self.busy = if self.take(events) { self.busy.saturating_add(1) } else { 0 };
        if !self.more {
            self.shared.caught_up.store(begun, Ordering::Relaxed);
        }
        self.housekeeping(events)
    }

    /// Reads what is in the ring now, and the sums of every file still open: the last words of a probe
    /// that stops.
    ///
    /// # Errors
    /// As [`Reader::poll`].
    pub fn drain(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        let begun = boot_ns();
        while self.consume()? {}
        self.take(events);
        self.shared.caught_up.store(begun, Ordering::Relaxed);
        self.sweep_files(events)?;
        self.report_losses(events)
    }

    /// Hands back events for the next poll.
    pub(crate) fn put_back(&mut self, events: Vec<Event>) {
        self.kept.extend(events);
    }

    /// Takes what is in the ring, at most [`BATCH`] records: a burst waits there, where it is small.
    /// Returns whether there may be more.
    fn consume(&mut self) -> Result<bool, ProbeError> {
        match usize::try_from(self.with_inbox(|ring| ring.consume_raw_n(BATCH))) {
            Ok(taken) => Ok(taken >= BATCH),
            // A negated errno, which libbpf leaves behind as well.
            Err(_) => interrupted(io::Error::last_os_error().into())
                .map(|()| true)
                .map_err(ProbeError::refused("the ring")),
        }
    }

    /// Lets libbpf call back, into our inbox.
    fn with_inbox<T>(&mut self, work: impl FnOnce(&RingBuffer<'static>) -> T) -> T {
        ARRIVED.with_borrow_mut(|arrived| mem::swap(arrived, &mut self.inbox));
        let result = work(&self.ring);
        ARRIVED.with_borrow_mut(|arrived| mem::swap(arrived, &mut self.inbox));
        result
    }

    fn due(&self) -> bool {
        let now = Instant::now();
        now >= self.next_sweep || now >= self.next_loss
    }

    fn set_asleep(&self) -> Result<(), ProbeError> {
        self.asleep
            .update(0u32.as_bytes(), 1u32.as_bytes(), MapFlags::ANY)
            .map_err(ProbeError::refused("the map asleep"))
    }

    /// Records become events. Returns whether there were any.
    fn take(&mut self, events: &mut Vec<Event>) -> bool {
        let mut records = mem::take(&mut self.inbox);
        let any = !records.is_empty();
        let wanted = self.shared.wanted();
        let mut judge = Judge::new(self.shared.filter());
        let from = events.len();
        for record in records.drain(..) {
            let mut head = record.head;
            head.real_ns = head.boot_ns.wrapping_add(self.epoch_ns);
            match record.content {
                Content::Body(body) => {
                    if matches!(body, Body::Exit(_)) {
                        self.ledger.exit(head.process);
                    }
                    events.push(Event { head, body });
                }
                Content::Open(open, place) => {
                    if judge.wants(&open, head.result, place) {
                        events.push(Event { head, body: Body::FileOpen(open) });
                    }
                }
                Content::Io(io) => self.ledger.io(head, io, events),
                Content::Close(close) => self.ledger.close(head, &close, wanted, events),
            }
        }
        self.inbox = records;
        self.shared.canaries.count(&self.shared.canary.take(events, from));
        self.shared.filtered.fetch_add(judge.tell(&self.places), Ordering::Relaxed);
        any
    }

    fn housekeeping(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        let now = Instant::now();
        if now >= self.next_sweep {
            self.next_sweep = now + self.sweep;
            self.epoch_ns = epoch_ns();
            // What the table says must not overtake what the ring says.
            self.consume()?;
            self.take(events);
            self.sweep_files(events)?;
        }
        if now >= self.next_loss {
            self.next_loss = now + LOSS_INTERVAL;
            self.report_losses(events)?;
        }
        Ok(())
    }

    fn sweep_files(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        let boot_ns = boot_ns();
        let now = (boot_ns, boot_ns.wrapping_add(self.epoch_ns));
        let mut seen = 0;
        let entries = self
            .open_files
            .lookup_batch(512, MapFlags::ANY, MapFlags::ANY)
            .map_err(ProbeError::refused("the map open_files"))?
            .filter_map(|(key, value)| Entry::read(&key, &value))
            .inspect(|_| seen += 1);
        let delete = self.ledger.sweep(entries, now, self.shared.wanted(), events);
        self.shared.open_files.store(seen, Ordering::Relaxed);
        for (to, from) in self.shared.folded.iter().zip(self.ledger.folded) {
            to.store(from, Ordering::Relaxed);
        }
        for key in delete {
            // Gone already is as good.
            let _ = self.open_files.delete(key.wire().as_bytes());
        }
        Ok(())
    }

    fn report_losses(&mut self, events: &mut Vec<Event>) -> Result<(), ProbeError> {
        let mut report = |stage, cause, kind, count| {
            let boot_ns = boot_ns();
            let head = Head { boot_ns, real_ns: boot_ns.wrapping_add(self.epoch_ns), ..Head::default() };
            events.push(Event { head, body: Body::Loss(Loss { stage, cause, kind, count }) });
        };
        for (kind, reported) in Kind::ALL.iter().zip(&mut self.reported) {
            let lost = counters::of_kind(&self.counts, *kind)?.lost;
            if lost > *reported {
                report(Stage::Ring, LossCause::Full, Some(*kind), lost - *reported);
                *reported = lost;
            }
        }
        for (kind, skipped) in self.shared.skipped() {
            let reported = self.reported_skipped.entry(kind).or_default();
            if skipped > *reported {
                report(Stage::Hook, LossCause::Skipped, kind, skipped - *reported);
                *reported = skipped;
            }
        }
        let malformed = self.shared.malformed.load(Ordering::Relaxed);
        if malformed > self.reported_malformed {
            report(Stage::Decode, LossCause::Malformed, None, malformed - self.reported_malformed);
            self.reported_malformed = malformed;
        }
        Ok(())
    }
}

thread_local! {
    /// The inbox of the reader that is at work on this thread: libbpf calls back on the thread that asks it to, so no
    /// lock is needed.
    static ARRIVED: RefCell<Vec<Record>> = const { RefCell::new(Vec::new()) };
}

fn receive(bytes: &[u8], shared: &Shared) {
    match decode(bytes) {
        Ok(record) => ARRIVED.with_borrow_mut(|arrived| arrived.push(record)),
        Err(error) => malformed(&error, bytes.len(), shared),
    }
}

/// One bad record costs one record: counted, the first told.
fn malformed(error: &DecodeError, len: usize, shared: &Shared) {
    if shared.malformed.fetch_add(1, Ordering::Relaxed) == 0 {
        tracing::error!(%error, len, "Dropped a malformed record; more are only counted.");
    }
}

fn interrupted(error: libbpf_rs::Error) -> Result<(), libbpf_rs::Error> {
    if error.kind() == libbpf_rs::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}

fn clock(id: ClockId) -> u64 {
    let time = clock_gettime(id).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn boot_ns() -> u64 {
    clock(ClockId::CLOCK_BOOTTIME)
}

/// What to add to a boot time to get the time since the Unix epoch.
fn epoch_ns() -> u64 {
    clock(ClockId::CLOCK_REALTIME).wrapping_sub(boot_ns())
}
