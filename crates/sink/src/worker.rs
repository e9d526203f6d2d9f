//! The thread of one output: takes alerts from its queue, delivers them in order, waits for receivers that are
//! away.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use sentinel_event::Alert;
use tracing::{error, info, warn};

use crate::{
    Backoff, Place, Spool,
    counters::{DropCause, Tally},
};

/// Alerts that wait for one output.
pub(crate) const QUEUE: usize = 2048;
/// Shortest and longest wait for a receiver that is away.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// How often losses are logged.
const COMPLAIN: Duration = Duration::from_secs(10);
/// Bytes that are read from a spool at once.
const SPOOL_READ: usize = 1 << 20;

/// One way out.
pub(crate) trait Output: Send {
    /// What goes out for an alert.
    fn render(&self, alert: &Alert) -> Vec<u8>;

    /// Most alerts that one delivery takes.
    fn batch(&self) -> usize {
        1
    }

    /// Delivers rendered alerts, all or none.
    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict;
}

/// What came of a delivery.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The receiver has it.
    Delivered,
    /// The receiver is away, for this reason; the same again later.
    Away(String),
    /// The receiver will never take it.
    Refused(String),
    /// There will never be a receiver again.
    Closed,
}

/// What an output and its thread share.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    pub(crate) tally: Tally,
}

#[derive(Debug, Default)]
struct State {
    alerts: VecDeque<Arc<Alert>>,
    /// Deliver what there is until then, and end.
    deadline: Option<Instant>,
    ended: bool,
}

impl Queue {
    /// Puts an alert in, or counts it. Never waits for more than another such call.
    pub(crate) fn send(&self, alert: Arc<Alert>) {
        self.tally.taken.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        let refused = match () {
            () if state.ended => Some(DropCause::Closed),
            () if state.alerts.len() >= QUEUE => Some(DropCause::Full),
            () => None,
        };
        match refused {
            Some(cause) => self.tally.drop(cause, 1),
            None => {
                state.alerts.push_back(alert);
                drop(state);
                self.changed.notify_all();
            }
        }
    }

    /// Tells the thread to end.
    pub(crate) fn stop(&self, deadline: Instant) {
        self.lock().deadline = Some(deadline);
        self.changed.notify_all();
    }

    /// Waits for the thread's end; what it has not delivered at the deadline is counted.
    pub(crate) fn join(&self, deadline: Instant) {
        let mut state = self.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // It hangs in a call of the system; the end of the program ends it.
                state.ended = true;
                self.tally.drop(DropCause::Stopped, state.alerts.drain(..).count());
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Alerts that wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().alerts.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to `most` alerts and the deadline, once there are any of them or `patience` is over.
    fn take(&self, most: usize, patience: Duration) -> (Vec<Arc<Alert>>, Option<Instant>) {
        let idle = |state: &mut State| state.alerts.is_empty() && state.deadline.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let count = state.alerts.len().min(most);
        (state.alerts.drain(..count).collect(), state.deadline)
    }

    /// Waits for a while, less when told to end meanwhile.
    fn sleep(&self, wait: Duration) {
        let running = |state: &mut State| state.deadline.is_none();
        drop(self.changed.wait_timeout_while(self.lock(), wait, running));
    }
}

/// The thread's work.
pub(crate) struct Worker {
    pub(crate) name: &'static str,
    pub(crate) output: Box<dyn Output>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) spool: Option<Spool>,
}

impl Worker {
    /// Runs until told to end, or until nobody will ever take alerts again.
    pub(crate) fn run(self) {
        let queue = Arc::clone(&self.queue);
        let mut running = Running {
            worker: self,
            batch: Vec::new(),
            places: Vec::new(),
            backoff: Backoff::new(WAITS.0, WAITS.1),
            again: None,
            ending: false,
            complained: None,
        };
        // Only a bug panics outside of a delivery; the queue must be closed all the same.
        let result = catch_unwind(AssertUnwindSafe(|| running.run()));
        if result.is_err() {
            error!(output = running.worker.name, "The output panicked; this is a bug worth a report.");
            queue.tally.down.store(true, Ordering::Relaxed);
        }
        let left = if running.places.is_empty() { running.batch.len() } else { 0 };
        queue.tally.drop(if result.is_ok() { DropCause::Stopped } else { DropCause::Failed }, left);
        // Whoever waits for the end may open the spool or the file anew.
        drop(running);
        let mut state = queue.lock();
        let cause = if state.deadline.is_some() { DropCause::Stopped } else { DropCause::Closed };
        queue.tally.drop(cause, state.alerts.drain(..).count());
        state.ended = true;
        drop(state);
        queue.changed.notify_all();
    }
}

struct Running {
    worker: Worker,
    /// What is to be delivered next.
    batch: Vec<Vec<u8>>,
    /// Where it lies in the spool; empty: nowhere.
    places: Vec<Place>,
    backoff: Backoff,
    /// The receiver is away; no attempt before this.
    again: Option<Instant>,
    /// Told to end.
    ending: bool,
    complained: Option<Instant>,
}

impl Running {
    fn run(&mut self) {
        loop {
            let deadline = self.intake();
            let now = Instant::now();
            if deadline.is_some() && !std::mem::replace(&mut self.ending, deadline.is_some()) {
                // One more attempt, whenever it was due.
                self.again = None;
                continue;
            }
            if deadline.is_some_and(|deadline| now >= deadline || (self.batch.is_empty() && !self.spooled()))
            {
                self.put_away();
                return;
            }
            if let Some(again) = self.again.filter(|again| *again > now) {
                if self.worker.spool.is_none() {
                    let until = deadline.map_or(again, |deadline| deadline.min(again));
                    match deadline {
                        // Told to end: the bell has rung already.
                        Some(_) => std::thread::sleep(until.saturating_duration_since(now)),
                        None => self.worker.queue.sleep(until.saturating_duration_since(now)),
                    }
                } else if deadline.is_some() {
                    // It keeps.
                    self.put_away();
                    return;
                }
                continue;
            }
            if !self.batch.is_empty() && !self.deliver() {
                return;
            }
        }
    }

    /// The next batch: from the spool, when there is something in it; else from the queue.
    fn intake(&mut self) -> Option<Instant> {
        let away = self.again.is_some_and(|again| again > Instant::now());
        let keeps = self.worker.spool.is_some() && (away || self.spooled());
        let queue = Arc::clone(&self.worker.queue);
        let most = match () {
            () if keeps => QUEUE,
            () if self.batch.is_empty() => self.worker.output.batch(),
            () => 0,
        };
        let busy = (self.spooled() && !away) || !self.batch.is_empty();
        let until = self
            .again
            .map_or(Duration::from_secs(1), |again| again.saturating_duration_since(Instant::now()));
        let patience =
            if busy && !(keeps && away) { Duration::ZERO } else { until.min(Duration::from_secs(1)) };
        let (alerts, deadline) = queue.take(most, patience);
        let rendered = alerts.iter().map(|alert| self.worker.output.render(alert));
        if !keeps {
            self.batch.extend(rendered);
            return deadline;
        }
        let rendered: Vec<_> = rendered.collect();
        self.spool_all(rendered);
        if self.batch.is_empty() && !away {
            self.unspool();
        }
        deadline
    }

    fn spooled(&self) -> bool {
        self.worker.spool.as_ref().is_some_and(|spool| !spool.is_empty())
    }

    fn spool_all(&mut self, rendered: Vec<Vec<u8>>) {
        let Some(spool) = &mut self.worker.spool else { return };
        let (mut lost, mut why) = (0, None);
        for alert in &rendered {
            if let Err(error) = spool.push(alert) {
                (lost, why) = (lost + 1, Some(error));
            }
        }
        let tally = &self.worker.queue.tally;
        tally.spooled.fetch_add((rendered.len() - lost) as u64, Ordering::Relaxed);
        tally.drop(DropCause::Spool, lost);
        if let Some(error) = why {
            self.complain(&error.to_string(), lost);
        }
    }

    fn unspool(&mut self) {
        let most = self.worker.output.batch();
        let Some(spool) = &mut self.worker.spool else { return };
        match spool.read(most, SPOOL_READ) {
            Ok(records) => {
                (self.batch, self.places) =
                    records.into_iter().map(|record| (record.bytes, record.place)).unzip();
            }
            Err(error) => {
                self.again = Some(Instant::now() + self.backoff.wait());
                self.complain(&error.to_string(), 0);
            }
        }
    }

    /// False when it was the last time.
    fn deliver(&mut self) -> bool {
        let (output, batch) = (&mut self.worker.output, &self.batch);
        let verdict = catch_unwind(AssertUnwindSafe(|| output.deliver(batch)));
        let tally = &self.worker.queue.tally;
        let count = batch.len();
        match verdict {
            Ok(Verdict::Delivered) => {
                tally.delivered(count, batch.iter().map(Vec::len).sum());
                if tally.down.swap(false, Ordering::Relaxed) {
                    info!(output = self.worker.name, "The output is back.");
                }
                self.done();
            }
            Ok(Verdict::Away(reason)) => {
                tally.retries.fetch_add(1, Ordering::Relaxed);
                if !tally.down.swap(true, Ordering::Relaxed) {
                    warn!(output = self.worker.name, reason, "The output is away; alerts wait for it.");
                }
                self.again = Some(Instant::now() + self.backoff.wait());
                if let Some(spool) = &mut self.worker.spool {
                    let batch = std::mem::take(&mut self.batch);
                    if std::mem::take(&mut self.places).is_empty() {
                        self.spool_all(batch);
                    } else {
                        spool.again();
                    }
                }
            }
            Ok(Verdict::Refused(reason)) => {
                tally.drop(DropCause::Refused, count);
                self.complain(&reason, count);
                self.done();
            }
            Ok(Verdict::Closed) => {
                tally.drop(DropCause::Closed, count);
                tally.down.store(true, Ordering::Relaxed);
                warn!(output = self.worker.name, "Nobody takes alerts here any more; the output ends.");
                self.batch.clear();
                return false;
            }
            Err(_) => {
                tally.drop(DropCause::Failed, count);
                self.complain("it panicked, which is a bug worth a report", count);
                self.done();
            }
        }
        true
    }

    /// The batch is nobody's business any more.
    fn done(&mut self) {
        self.backoff.reset();
        self.again = None;
        self.batch.clear();
        let places = std::mem::take(&mut self.places);
        let Some(spool) = &mut self.worker.spool else { return };
        if let Err(error) = places.into_iter().try_for_each(|place| spool.taken(place)) {
            self.complain(&error.to_string(), 0);
        }
    }

    /// What is left at the end waits in the spool for the next start.
    fn put_away(&mut self) {
        if self.worker.spool.is_none() {
            return;
        }
        let (alerts, _) = self.worker.queue.take(usize::MAX, Duration::ZERO);
        let mut rendered = std::mem::take(&mut self.batch);
        if !std::mem::take(&mut self.places).is_empty() {
            rendered.clear();
        }
        rendered.extend(alerts.iter().map(|alert| self.worker.output.render(alert)));
        self.spool_all(rendered);
    }

    fn complain(&mut self, reason: &str, lost: usize) {
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAIN) {
            self.complained = Some(Instant::now());
            error!(
                output = self.worker.name,
                reason, lost, "The output loses alerts; the metrics tell how many."
            );
        }
    }
}

#[cfg(test)]
mod tests;
