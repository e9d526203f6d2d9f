use std::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};

use sentinel_enrich::{Answer, Cgroup, Directory, Options, Source};
use sentinel_event::{Body, Container, Event, Exit, Place, Process, ProcessKey, Text, UsersOf};

use super::*;

const PATIENCE: Duration = Duration::from_millis(500);

/// A host on which every process is in the container of its cgroup; 1 is the host's own.
#[derive(Debug)]
struct Host;

impl Source for Host {
    fn processes(&mut self) -> Vec<Process> {
        Vec::new()
    }
    fn process(&mut self, _tgid: u32) -> Option<Process> {
        None
    }
    fn cgroup_of(&mut self, _tgid: u32) -> Option<Cgroup> {
        None
    }
    fn cgroups(&mut self) -> Vec<(u64, Text)> {
        Vec::new()
    }
    fn born(&mut self, id: u64) -> Option<Text> {
        Some(if id == 2 { "/system.slice/x.service".into() } else { format!("/docker/{id:064x}").into() })
    }
}

/// Answers when it is told to.
#[derive(Debug)]
struct Slow(Mutex<Receiver<Answer>>);

impl Directory for Slow {
    fn ask_container(&mut self, _place: &Place) -> bool {
        true
    }
    fn ask_users(&mut self, _of: &UsersOf, _tgid: u32) -> bool {
        false
    }
    fn answer(&mut self) -> Option<Answer> {
        self.0.lock().unwrap().try_recv().ok()
    }
}

fn world() -> (Enricher, Sender<Answer>) {
    let (sender, answers) = channel();
    let enricher = Enricher::new(&Options::default(), Box::new(Host));
    (enricher.with_directory(Box::new(Slow(Mutex::new(answers)))), sender)
}

/// The `number`th event in this cgroup.
fn observe(enricher: &mut Enricher, cgroup_id: u64, number: u64) -> Observation {
    let process = ProcessKey { tgid: 7, start_ns: 1 };
    let head = Head { boot_ns: number, process, cgroup_id, ..Head::default() };
    let event = Event { head, body: Body::Exit(Exit::default()) };
    enricher.prepare(std::slice::from_ref(&event));
    enricher.observe(event)
}

fn told(id: u64) -> Answer {
    let found = Container { name: "web".into(), ..Container::default() };
    Answer::Container { id: format!("{id:064x}").into(), found: Some(found.into()) }
}

fn numbers(observations: &[Observation]) -> Vec<u64> {
    observations.iter().map(|observation| observation.event.head.boot_ns).collect()
}

#[test]
fn events_wait_for_their_container_and_nobody_elses() {
    let ((mut enricher, answers), mut waiting, now) = (world(), Waiting::new(PATIENCE), Instant::now());
    for number in 1..=3 {
        assert!(waiting.hold(observe(&mut enricher, 9, number), now).is_none());
    }
    assert!(waiting.hold(observe(&mut enricher, 2, 4), now).is_some(), "the host does not wait");
    assert!(waiting.due(now, &enricher).is_empty());
    answers.send(told(9)).unwrap();
    enricher.prepare(&[]);
    // One that comes after the answer and before the others have gone stays behind them.
    assert!(waiting.hold(observe(&mut enricher, 9, 5), now).is_none());
    let out = waiting.due(now, &enricher);
    assert_eq!(numbers(&out), [1, 2, 3, 5]);
    for observation in &out {
        assert_eq!(observation.workload.as_ref().unwrap().container.get().unwrap().name, "web");
    }
    assert!(waiting.is_empty() && waiting.groups.is_empty());
    assert!(waiting.hold(observe(&mut enricher, 9, 6), now).is_some());
    assert_eq!(waiting.impatient, 0);
}

#[test]
fn after_its_time_an_event_goes_on_and_the_next_do_not_wait_again() {
    let ((mut enricher, answers), mut waiting, now) = (world(), Waiting::new(PATIENCE), Instant::now());
    assert!(waiting.hold(observe(&mut enricher, 9, 1), now).is_none());
    assert!(waiting.due(now + PATIENCE - Duration::from_millis(1), &enricher).is_empty());
    let out = waiting.due(now + PATIENCE, &enricher);
    assert_eq!(numbers(&out), [1]);
    assert!(out[0].workload.as_ref().unwrap().is_pending());
    let later = now + PATIENCE * 3;
    assert!(waiting.due(later, &enricher).is_empty());
    assert!(waiting.hold(observe(&mut enricher, 9, 2), later).is_some());
    assert_eq!(waiting.impatient, 2);
    answers.send(told(9)).unwrap();
    enricher.prepare(&[]);
    waiting.due(later, &enricher);
    assert!(waiting.groups.is_empty(), "nothing is remembered");
}

#[test]
fn room_is_bounded_and_the_end_waits_for_nobody() {
    let ((mut enricher, _answers), mut waiting, now) = (world(), Waiting::new(PATIENCE), Instant::now());
    let room = ROOM as u64;
    for number in 1..=room {
        assert!(waiting.hold(observe(&mut enricher, 9, number), now).is_none());
    }
    assert_eq!(waiting.due(now, &enricher).len(), ROOM);
    assert!(waiting.hold(observe(&mut enricher, 10, 1), now).is_none());
    assert_eq!(numbers(&waiting.drain(&enricher)), [1]);
}

#[test]
fn without_patience_nobody_waits() {
    let ((mut enricher, _answers), mut waiting) = (world(), Waiting::new(Duration::ZERO));
    assert!(waiting.hold(observe(&mut enricher, 9, 1), Instant::now()).is_some());
    assert!(waiting.is_empty() && waiting.groups.is_empty());
}
