//! Exact accounting: what the trigger counted is what was delivered plus what was counted as lost, for a
//! ring that is far too small. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

mod harness;

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::fd::AsRawFd as _,
    path::Path,
    process,
    sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use harness::{Capture, call};
use sentinel_event::{Body, Event, Kind, KindSet, LossCause, Stage};
use sentinel_probe::Options;

/// Opens, reads, writes and so on, as counted by the threads that did them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Done {
    opens: u64,
    reads: u64,
    read_bytes: u64,
    writes: u64,
    written_bytes: u64,
}

const KINDS: [Kind; 3] = [Kind::FileOpen, Kind::FileRead, Kind::FileWrite];

/// The tests of this file are one process: what one does is in the other's books.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works in a directory of its own, once everybody is ready. Whatever a thread does besides (start, clean
/// up) lies before or after the count.
fn work(dir: &Path, start: &Barrier, rounds: u64) -> Done {
    let (from, to) = (dir.join("from"), dir.join("to"));
    start.wait();
    let mut done = Done::default();
    for round in 0..rounds {
        let mut reader = File::open(&from).unwrap();
        let mut writer = File::create(&to).unwrap();
        done.opens += 2;
        for _ in 0..3 {
            done.reads += 1;
            done.read_bytes += reader.read(&mut [0; 10]).unwrap() as u64;
        }
        for _ in 0..=(round % 3) {
            done.writes += 1;
            done.written_bytes += writer.write(&[7; 5]).unwrap() as u64;
        }
    }
    done
}

fn add(done: &mut Done, events: &[Event]) {
    for event in events.iter().filter(|event| event.head.process.tgid == process::id()) {
        match &event.body {
            Body::FileOpen(_) => done.opens += 1,
            Body::FileRead(io) => {
                done.reads += io.calls;
                done.read_bytes += io.bytes;
            }
            Body::FileWrite(io) => {
                done.writes += io.calls;
                done.written_bytes += io.bytes;
            }
            _ => (),
        }
    }
}

/// Reads until every file has been swept that is older than the ledger's patience.
fn settle(capture: &mut Capture, events: &mut Vec<Event>) {
    let deadline = Instant::now() + Duration::from_secs(3);
    while Instant::now() < deadline {
        capture.reader.poll(events).unwrap();
    }
    capture.reader.drain(events).unwrap();
}

/// What came of a flood.
#[derive(Debug)]
struct Flood {
    done: Done,
    delivered: Done,
    /// By kind, as the counters and as the Loss events tell.
    lost: Vec<(Kind, u64, u64)>,
    /// Calls that the kernel ran no program for, at most. A kernel of 7.0 and later can be interrupted in the middle of one.
    skipped: u64,
}

impl Flood {
    /// Each of the calls was delivered, lost in the ring, or passed over by the kernel.
    fn check(&self) {
        let Self { done, delivered, lost, skipped } = self;
        let calls = [
            (done.opens, delivered.opens + lost[0].1),
            (done.reads, delivered.reads + lost[1].1),
            (done.writes, delivered.writes + lost[2].1),
        ];
        for (done, told) in calls {
            assert!(told <= done && done <= told + skipped, "{self:?}");
        }
        for (kind, counted, told) in lost {
            assert_eq!(told, counted, "{kind}: a loss is an event of its own");
        }
    }
}

/// Floods from two threads while nobody reads, then reads all.
fn flood(aggregate: bool) -> Flood {
    let options = Options {
        kinds: KINDS.into_iter().collect::<KindSet>(),
        aggregate,
        ring_bytes: 64 << 10,
        only_tgid: Some(process::id()),
        ..Options::default()
    };
    let _one = alone();
    let mut capture = Capture::load(&options);
    let start = Arc::new(Barrier::new(3));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (start, dir) = (Arc::clone(&start), tempfile::tempdir().unwrap());
            fs::write(dir.path().join("from"), [1u8; 64]).unwrap();
            thread::spawn(move || (work(dir.path(), &start, 2000), dir))
        })
        .collect();
    let mut events = Vec::new();
    // The sweep after next knows nothing of the preparations.
    settle(&mut capture, &mut events);
    events.clear();
    capture.probe.count_skipped();
    let before = capture.probe.counters().unwrap();
    start.wait();
    let mut done = Done::default();
    let mut dirs = Vec::new();
    for thread in threads {
        let (part, dir) = thread.join().unwrap();
        dirs.push(dir);
        done.opens += part.opens;
        done.reads += part.reads;
        done.read_bytes += part.read_bytes;
        done.writes += part.writes;
        done.written_bytes += part.written_bytes;
    }
    capture.probe.count_skipped();
    settle(&mut capture, &mut events);
    let mut delivered = Done::default();
    add(&mut delivered, &events);
    let after = capture.probe.counters().unwrap();
    let lost = KINDS
        .into_iter()
        .map(|kind| {
            let of = |counters: &sentinel_probe::Counters| {
                counters.kinds.iter().find(|counter| counter.kind == kind).unwrap().lost
            };
            let told = events
                .iter()
                .filter_map(|event| match &event.body {
                    Body::Loss(loss) if loss.kind == Some(kind) && loss.stage != Stage::Hook => {
                        assert_eq!((loss.stage, loss.cause), (Stage::Ring, LossCause::Full));
                        Some(loss.count)
                    }
                    _ => None,
                })
                .sum();
            (kind, of(&after) - of(&before), told)
        })
        .collect();
    let skipped =
        |counters: &sentinel_probe::Counters| counters.skipped.iter().map(|(_, count)| count).sum::<u64>();
    Flood { done, delivered, lost, skipped: skipped(&after) - skipped(&before) }
}

#[test]
fn produced_is_delivered_plus_lost_call_by_call() {
    let flood = flood(false);
    flood.check();
    for (kind, counted, _) in flood.lost {
        assert!(counted > 0, "{kind}: the ring was not flooded");
    }
}

/// Sums survive a full ring: what one record could not tell, a later one does.
#[test]
fn produced_is_delivered_plus_lost_when_summed() {
    let flood = flood(true);
    flood.check();
    assert!(flood.lost[0].1 > 0, "the ring was not flooded");
    assert!(flood.delivered.reads > 0 && flood.delivered.read_bytes <= flood.done.read_bytes);
}

/// A program that is attached and detached under load keeps the books.
#[test]
fn reattaching_under_load_keeps_the_books() {
    let _one = alone();
    let only_tgid = Some(process::id());
    let mut capture = Capture::load(&Options { kinds: KindSet::NONE, only_tgid, ..Options::default() });
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&stop);
    let worker = thread::spawn(move || {
        let file = File::open("/dev/null").unwrap();
        while !flag.load(std::sync::atomic::Ordering::Relaxed) {
            let _ = call(libc::SYS_openat, [0, 1, 0, 0, 0, 0]);
            let _ = call(libc::SYS_listen, [file.as_raw_fd() as usize, 1, 0, 0, 0, 0]);
        }
    });
    let mut events = Vec::new();
    for _ in 0..5 {
        capture.probe.set_kinds([Kind::FileOpen, Kind::Listen].into_iter().collect()).unwrap();
        for _ in 0..10 {
            capture.reader.poll(&mut events).unwrap();
        }
        capture.probe.set_kinds(KindSet::NONE).unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    worker.join().unwrap();
    capture.reader.drain(&mut events).unwrap();
    let counters = capture.probe.counters().unwrap();
    for kind in [Kind::FileOpen, Kind::Listen] {
        let counted = counters.kinds.iter().find(|counter| counter.kind == kind).unwrap();
        let delivered = events.iter().filter(|event| event.kind() == kind).count() as u64;
        assert!(delivered > 0, "{kind}");
        assert_eq!(counted.produced, delivered + counted.lost, "{kind}");
    }
}

/// A thread that must not wait interrupts another on its processor again and again, in the middle of our programs too. Where
/// the kernel then passes a program over, it is counted: an upper bound, since calls of others are passed over as well.
#[test]
fn what_the_kernel_passes_over_is_counted() {
    const CALLS: u64 = 60_000;
    let options = Options {
        kinds: [Kind::FileOpen].into_iter().collect::<KindSet>(),
        ring_bytes: 64 << 20,
        only_tgid: Some(process::id()),
        ..Options::default()
    };
    let _one = alone();
    let mut capture = Capture::load(&options);
    let counted = |capture: &Capture| {
        let counters = capture.probe.counters().unwrap();
        let opens = counters.kinds.iter().find(|counted| counted.kind == Kind::FileOpen).unwrap();
        opens.produced + opens.filtered
    };
    capture.probe.count_skipped();
    let before = counted(&capture);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let processor = 1u64; // the first one, as a mask
    let pin = move || {
        call(libc::SYS_sched_setaffinity, [0, 8, (&raw const processor) as usize, 0, 0, 0]).unwrap();
    };
    let urgent = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            pin();
            let priority = 1i32;
            let args = [0, libc::SCHED_FIFO as usize, (&raw const priority) as usize, 0, 0, 0];
            call(libc::SYS_sched_setscheduler, args).unwrap();
            let mut opens = 0u64;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                thread::sleep(Duration::from_micros(20));
                File::open("/dev/null").unwrap();
                opens += 1;
            }
            opens
        }
    });
    let patient = thread::spawn(move || {
        pin();
        for _ in 0..CALLS {
            File::open("/dev/null").unwrap();
        }
    });
    patient.join().unwrap();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let made = CALLS + urgent.join().unwrap();
    capture.probe.count_skipped();
    let told = counted(&capture) - before;
    let skipped: u64 = capture.probe.counters().unwrap().skipped.iter().map(|(_, count)| count).sum();
    println!("{made} opens, {told} told, {skipped} passed over by the kernel");
    assert!(told <= made && told + skipped >= made, "{made} opens, {told} told, {skipped} passed over");
    let mut events = Vec::new();
    settle(&mut capture, &mut events);
    let reported: u64 = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Loss(loss) if loss.stage == Stage::Hook => Some(loss.count),
            _ => None,
        })
        .sum();
    assert_eq!(reported, skipped);
}
