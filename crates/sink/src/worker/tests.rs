use std::sync::atomic::AtomicBool;

use super::*;
use crate::form::tests::alert;

/// What the test's output is told to do, and what it was given.
#[derive(Default)]
struct Script {
    away: AtomicBool,
    given: Mutex<Vec<String>>,
}

struct Scripted(Arc<Script>);

impl Output for Scripted {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        alert.rule_id.as_bytes().to_vec()
    }

    fn batch(&self) -> usize {
        2
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        if self.0.away.load(Ordering::Relaxed) {
            return Verdict::Away("told so".into());
        }
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let mut given = self.0.given.lock().unwrap();
        for alert in rendered {
            match text(alert).as_str() {
                "panic" => {
                    drop(given);
                    panic!("told so")
                }
                "refuse" => return Verdict::Refused("told so".into()),
                "close" => return Verdict::Closed,
                other => given.push(other.to_owned()),
            }
        }
        Verdict::Delivered
    }
}

fn start(spool: Option<Spool>) -> (Arc<Queue>, Arc<Script>) {
    let (queue, script) = (Arc::new(Queue::default()), Arc::new(Script::default()));
    let worker = Worker {
        name: "test",
        output: Box::new(Scripted(Arc::clone(&script))),
        queue: Arc::clone(&queue),
        spool,
    };
    std::thread::spawn(move || worker.run());
    (queue, script)
}

fn send(queue: &Queue, names: &[&str]) {
    names.iter().for_each(|name| queue.send(Arc::new(alert(name))));
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn stop(queue: &Queue, patience: Duration) {
    let deadline = Instant::now() + patience;
    queue.stop(deadline);
    queue.join(deadline + Duration::from_secs(20));
}

const LONG: Duration = Duration::from_secs(20);

/// Taken = delivered + dropped.
fn balanced(queue: &Queue) {
    let counters = queue.tally.read();
    assert_eq!(counters.taken, counters.delivered + counters.dropped_all(), "{counters:?}");
}

#[test]
fn everything_sent_is_delivered_in_order_before_the_end() {
    let (queue, script) = start(None);
    let names: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    send(&queue, &names.iter().map(String::as_str).collect::<Vec<_>>());
    stop(&queue, LONG);
    assert_eq!(*script.given.lock().unwrap(), names);
    send(&queue, &["late"]);
    assert_eq!(queue.tally.read().dropped(DropCause::Closed), 1);
    balanced(&queue);
}

#[test]
fn a_panic_and_a_refusal_cost_their_own_alerts() {
    let (queue, script) = start(None);
    for name in ["a", "panic", "b", "refuse", "c"] {
        let done = queue.tally.read();
        send(&queue, &[name]);
        until("it is done", || {
            let now = queue.tally.read();
            now.delivered + now.dropped_all() > done.delivered + done.dropped_all()
        });
    }
    stop(&queue, LONG);
    assert_eq!(*script.given.lock().unwrap(), ["a", "b", "c"]);
    let counters = queue.tally.read();
    assert_eq!((counters.dropped(DropCause::Failed), counters.dropped(DropCause::Refused)), (1, 1));
    balanced(&queue);
}

#[test]
fn alerts_wait_in_order_for_a_receiver_that_is_away() {
    let (queue, script) = start(None);
    script.away.store(true, Ordering::Relaxed);
    send(&queue, &["a", "b", "c"]);
    until("it is tried", || queue.tally.read().retries > 1);
    assert!(!queue.tally.read().up);
    let more = vec!["x"; QUEUE + 10];
    send(&queue, &more);
    let full = queue.tally.read().dropped(DropCause::Full);
    assert!((10..=12).contains(&full), "{full}: the queue is bounded");
    script.away.store(false, Ordering::Relaxed);
    stop(&queue, LONG);
    assert_eq!(script.given.lock().unwrap()[..4], ["a", "b", "c", "x"]);
    assert!(queue.tally.read().up);
    balanced(&queue);
}

#[test]
fn the_end_waits_no_longer_than_its_deadline() {
    let (queue, script) = start(None);
    script.away.store(true, Ordering::Relaxed);
    send(&queue, &["a", "b", "c"]);
    let begun = Instant::now();
    stop(&queue, Duration::from_millis(300));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(queue.tally.read().dropped(DropCause::Stopped), 3);
    balanced(&queue);
}

#[test]
fn a_closed_output_ends_and_counts_what_comes_later() {
    let (queue, script) = start(None);
    send(&queue, &["a"]);
    until("a is there", || !script.given.lock().unwrap().is_empty());
    send(&queue, &["close"]);
    until("it has ended", || queue.lock().ended);
    send(&queue, &["b"]);
    assert_eq!(queue.tally.read().dropped(DropCause::Closed), 2);
    balanced(&queue);
    stop(&queue, LONG);
}

#[test]
fn a_spool_keeps_what_the_receiver_misses_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let spool = || Some(Spool::open(dir.path(), 1 << 20).unwrap());
    let (queue, script) = start(spool());
    script.away.store(true, Ordering::Relaxed);
    send(&queue, &["a", "b", "c"]);
    until("they are on disk", || queue.tally.read().spooled == 3);
    send(&queue, &["d"]);
    stop(&queue, LONG);
    let counters = queue.tally.read();
    assert_eq!((counters.delivered, counters.dropped_all(), counters.spooled), (0, 0, 4));

    until("the spool is free", || Spool::open(dir.path(), 1).is_ok());
    let (queue, script) = start(spool());
    send(&queue, &["e"]);
    until("all are there", || script.given.lock().unwrap().len() == 5);
    assert_eq!(*script.given.lock().unwrap(), ["a", "b", "c", "d", "e"]);
    stop(&queue, LONG);
    assert!(Spool::open(dir.path(), 1).unwrap().is_empty());
}

#[test]
fn what_exceeds_the_spool_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, script) = start(Some(Spool::open(dir.path(), 30).unwrap()));
    script.away.store(true, Ordering::Relaxed);
    send(&queue, &["a", "b", "c", "d", "e"]);
    until("three fit", || {
        let counters = queue.tally.read();
        (counters.spooled, counters.dropped(DropCause::Spool)) == (3, 2)
    });
    script.away.store(false, Ordering::Relaxed);
    stop(&queue, LONG);
    let given = script.given.lock().unwrap();
    assert_eq!(*given, ["a", "b", "c"]);
    assert_eq!(queue.tally.read().delivered, 3);
}
