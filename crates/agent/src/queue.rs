//! A bounded queue between two threads. What does not fit comes back to the sender, at once or after a while
//! that it chooses.
//!
//! Items have a weight (events, bytes); the bound is on their sum, because batches differ in size.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Why an item came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The bound is reached.
    Full,
    /// The receiver has gone.
    Closed,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<T> {
    /// An item.
    Item(T),
    /// Nothing in time.
    Nothing,
    /// Nothing ever again: the sender has gone and the queue is empty.
    Closed,
}

struct Inner<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
    sender_gone: bool,
    receiver_gone: bool,
}

struct Shared<T> {
    inner: Mutex<Inner<T>>,
    arrived: Condvar,
    /// Something was taken out.
    room: Condvar,
    most_items: usize,
    most_weight: usize,
}

impl<T> Shared<T> {
    fn is_full(&self, inner: &Inner<T>) -> bool {
        inner.items.len() >= self.most_items || inner.weight >= self.most_weight
    }

    /// A panic of the other side leaves counts and items that are still right: every change is one step.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts items in.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// Takes items out.
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

/// Looks at a queue without being part of it.
pub(crate) struct Gauge<T>(Arc<Shared<T>>);

/// A queue of at most `most_items` items that takes another one while its weight is below `most_weight`.
pub(crate) fn bounded<T>(most_items: usize, most_weight: usize) -> (Sender<T>, Receiver<T>) {
    let inner = Inner { items: VecDeque::new(), weight: 0, sender_gone: false, receiver_gone: false };
    let shared = Shared {
        inner: Mutex::new(inner),
        arrived: Condvar::new(),
        room: Condvar::new(),
        most_items,
        most_weight,
    };
    let shared = Arc::new(shared);
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Sender<T> {
    /// Puts an item in, or gives it back.
    pub(crate) fn send(&self, item: T, weight: usize) -> Result<(), (T, Refused)> {
        self.put(item, weight, |inner| self.0.is_full(inner))
    }

    /// Puts an item in as soon as there is room, or gives it back after `patience`.
    pub(crate) fn send_within(&self, item: T, weight: usize, patience: Duration) -> Result<(), (T, Refused)> {
        let full = |inner: &mut Inner<T>| self.0.is_full(inner) && !inner.receiver_gone;
        // Not held over the second lock: there is one sender, so room that was there stays there.
        drop(self.0.room.wait_timeout_while(self.0.lock(), patience, full));
        self.send(item, weight)
    }

    /// Puts an item in over the bound, for the last words of a hop; comes back only from a closed queue.
    pub(crate) fn force(&self, item: T, weight: usize) -> Result<(), (T, Refused)> {
        self.put(item, weight, |_| false)
    }

    fn put(&self, item: T, weight: usize, full: impl Fn(&Inner<T>) -> bool) -> Result<(), (T, Refused)> {
        let mut inner = self.0.lock();
        if inner.receiver_gone {
            return Err((item, Refused::Closed));
        }
        if full(&inner) {
            return Err((item, Refused::Full));
        }
        inner.items.push_back((item, weight));
        inner.weight = inner.weight.saturating_add(weight);
        drop(inner);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// A look at the queue.
    pub(crate) fn gauge(&self) -> Gauge<T> {
        Gauge(Arc::clone(&self.0))
    }
}

impl<T> Receiver<T> {
    /// Whether nothing more will be sent; items may still wait.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().sender_gone
    }

    /// The next item, waiting for it at most this long.
    pub(crate) fn receive(&self, patience: Duration) -> Received<T> {
        let deadline = Instant::now() + patience;
        let mut inner = self.0.lock();
        loop {
            if let Some((item, weight)) = inner.items.pop_front() {
                inner.weight = inner.weight.saturating_sub(weight);
                drop(inner);
                self.0.room.notify_one();
                return Received::Item(item);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if inner.sender_gone || left.is_zero() {
                return if inner.sender_gone { Received::Closed } else { Received::Nothing };
            }
            inner = self.0.arrived.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T> Gauge<T> {
    /// Weight of what waits.
    pub(crate) fn weight(&self) -> usize {
        self.0.lock().weight
    }

    /// Where the bound on the weight is.
    pub(crate) fn limit(&self) -> usize {
        self.0.most_weight
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().sender_gone = true;
        self.0.arrived.notify_one();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.lock().receiver_gone = true;
        self.0.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_may_wait_for_room() {
        let (sender, receiver) = bounded(1, 10);
        sender.send(1, 1).unwrap();
        let at_once = sender.send_within(2, 1, Duration::ZERO);
        assert_eq!(at_once, Err((2, Refused::Full)));
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send_within(2, 1, Duration::from_secs(60)).unwrap());
            assert_eq!(receiver.receive(Duration::from_secs(60)), Received::Item(1));
            assert_eq!(receiver.receive(Duration::from_secs(60)), Received::Item(2));
        });
        sender.send(3, 1).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| sender.send_within(4, 1, Duration::from_secs(60)));
            drop(receiver);
            assert_eq!(waiting.join().unwrap(), Err((4, Refused::Closed)));
        });
    }

    #[test]
    fn what_does_not_fit_comes_back() {
        let (sender, receiver) = bounded(3, 10);
        assert_eq!(sender.send("a", 4), Ok(()));
        assert_eq!(sender.send("b", 8), Ok(()), "below the bound one more is taken, whatever its weight");
        assert_eq!(sender.send("c", 1), Err(("c", Refused::Full)));
        assert_eq!(sender.gauge().weight(), 12);
        assert_eq!(sender.force("d", 1), Ok(()));
        for expected in ["a", "b", "d"] {
            assert_eq!(receiver.receive(Duration::ZERO), Received::Item(expected));
        }
        assert_eq!(receiver.receive(Duration::ZERO), Received::Nothing);
        assert_eq!(sender.gauge().weight(), 0);
    }

    #[test]
    fn items_are_bounded_too() {
        let (sender, _receiver) = bounded(1, 10);
        assert_eq!(sender.send((), 0), Ok(()));
        assert_eq!(sender.send((), 0), Err(((), Refused::Full)));
    }

    #[test]
    fn what_was_sent_arrives_after_the_sender_has_gone() {
        let (sender, receiver) = bounded(1, 1);
        sender.send(7, 1).unwrap();
        drop(sender);
        assert_eq!(receiver.receive(Duration::from_secs(9)), Received::Item(7));
        assert_eq!(receiver.receive(Duration::from_secs(9)), Received::Closed);
    }

    #[test]
    fn nothing_is_sent_to_nobody() {
        let (sender, receiver) = bounded(1, 1);
        drop(receiver);
        assert_eq!(sender.send(7, 1), Err((7, Refused::Closed)));
    }
}
