use std::sync::Arc;

use proptest::prelude::*;
use sentinel_event::{Comm, Exec, Exit, Fork, Head, Text};

use super::*;
use crate::source::{Cgroup, TICK_NS};

/// A host that knows the processes it is given.
#[derive(Debug, Default)]
struct Host(Vec<Process>);

impl Source for Host {
    fn processes(&mut self) -> Vec<Process> {
        self.0.clone()
    }
    fn process(&mut self, tgid: u32) -> Option<Process> {
        self.0.iter().find(|process| process.key.tgid == tgid).cloned()
    }
    fn cgroup_of(&mut self, _tgid: u32) -> Option<Cgroup> {
        Some(Cgroup { id: None, path: format!("/docker/{:064x}", 7).into(), legacy: None })
    }
    fn cgroups(&mut self) -> Vec<(u64, Text)> {
        Vec::new()
    }
}

const MS: u64 = 1_000_000;

fn enricher(processes: usize) -> Enricher {
    Enricher::new(&Options { processes, ..Options::default() }, Box::new(Host::default()))
}

fn key(tgid: u32) -> ProcessKey {
    ProcessKey { tgid, start_ns: u64::from(tgid) * 100 * MS }
}

fn event(tgid: u32, parent: u32, boot_ns: u64, body: Body) -> Event {
    let head = Head {
        boot_ns,
        process: key(tgid),
        tid: tgid,
        parent: key(parent),
        comm: Comm::from(format!("c{tgid}").as_str()),
        ..Head::default()
    };
    Event { head, body }
}

fn fork(creator: u32, parent: u32, child: u32) -> Event {
    event(creator, parent, 0, Body::Fork(Fork { child: key(child), child_vpid: child }))
}

fn exec(tgid: u32, parent: u32, exe: &str) -> Event {
    event(tgid, parent, 0, Body::Exec(Exec { exe: exe.into(), argv: vec![exe.into()], ..Exec::default() }))
}

fn exit(tgid: u32, parent: u32, boot_ns: u64) -> Event {
    event(tgid, parent, boot_ns, Body::Exit(Exit::default()))
}

fn listen(tgid: u32, parent: u32) -> Event {
    event(tgid, parent, 0, Body::Listen(Default::default()))
}

fn lineage(observation: &Observation) -> Vec<u32> {
    observation.ancestors.iter().map(|process| process.key.tgid).collect()
}

fn exe(observation: &Observation) -> &Text {
    &observation.process.as_ref().unwrap().exe
}

#[test]
fn a_child_has_its_creators_program_until_it_execs() {
    let mut e = enricher(100);
    e.observe(exec(10, 1, "/bin/sh"));
    e.observe(fork(10, 1, 11));
    assert_eq!(exe(&e.observe(listen(11, 10))), "/bin/sh");
    let after = e.observe(exec(11, 10, "/bin/nc"));
    assert_eq!((exe(&after), after.ancestors[0].exe.as_slice()), (&"/bin/nc".into(), b"/bin/sh".as_slice()));
    assert_eq!(exe(&e.observe(listen(10, 1))), "/bin/sh");
}

#[test]
fn a_failed_exec_changes_nothing() {
    let mut e = enricher(100);
    e.observe(exec(10, 1, "/bin/sh"));
    let mut failed = exec(10, 1, "");
    failed.head.result = -2;
    assert_eq!(exe(&e.observe(failed)), "/bin/sh");
}

#[test]
fn an_orphan_keeps_its_creator_while_that_is_known() {
    let mut e = enricher(100);
    for (creator, parent, child) in [(1, 0, 10), (10, 1, 11), (11, 10, 12)] {
        e.observe(fork(creator, parent, child));
    }
    e.observe(exit(11, 10, 0));
    let orphan = e.observe(listen(12, 1));
    assert_eq!(lineage(&orphan), [11, 10, 1]);
    assert!(orphan.ancestors[0].exited && !orphan.ancestors[1].exited);
    assert_eq!(orphan.process.unwrap().parent, key(11));
    // Kept beyond its time for its child only, and gone with it.
    let much_later = 100_000 * MS;
    e.observe(exit(10, 1, much_later));
    assert_eq!(lineage(&e.observe(listen(12, 1))), [11, 10, 1]);
    e.observe(exit(12, 1, much_later));
    e.observe(exit(1, 0, 2 * much_later));
    assert_eq!(e.counters().processes, 1);
}

#[test]
fn an_orphan_whose_creator_was_forgotten_is_given_to_the_reaper() {
    let mut e = enricher(2);
    e.observe(fork(10, 1, 11));
    e.observe(exit(10, 1, 0));
    e.observe(listen(1, 0));
    let orphan = e.observe(listen(11, 1));
    assert_eq!((lineage(&orphan), orphan.process.unwrap().parent), (vec![1], key(1)));
    assert_eq!(e.counters().evicted_exited, 1);
}

#[test]
fn a_change_of_an_ancestor_is_seen_by_all_descendants() {
    let mut e = enricher(100);
    for (creator, parent, child) in [(1, 0, 10), (10, 1, 11), (11, 10, 12)] {
        e.observe(fork(creator, parent, child));
    }
    let before = e.observe(listen(12, 11));
    let again = e.observe(listen(12, 11));
    assert!(Arc::ptr_eq(&before.ancestors, &again.ancestors));
    e.observe(exec(10, 1, "/bin/new"));
    let after = e.observe(listen(12, 11));
    assert_eq!(
        (lineage(&after), after.ancestors[1].exe.as_slice()),
        (vec![11, 10, 1], b"/bin/new".as_slice())
    );
}

#[test]
fn ancestors_end_at_sixteen() {
    let mut e = enricher(100);
    (1..40).for_each(|tgid| {
        e.observe(fork(tgid, tgid - 1, tgid + 1));
    });
    assert_eq!(lineage(&e.observe(listen(40, 39))), (24..40).rev().collect::<Vec<_>>());
}

#[test]
fn circles_and_impossible_parents_are_refused() {
    let mut e = enricher(100);
    e.observe(listen(11, 10));
    // A parent that is younger than its child.
    assert!(lineage(&e.observe(listen(10, 11))).is_empty());
    assert_eq!(lineage(&e.observe(listen(11, 10))), [10]);
    assert!(lineage(&e.observe(listen(12, 12))).is_empty());
    // Equal start times, each the other's parent.
    let same = |tgid, parent| {
        let mut event = listen(tgid, parent);
        (event.head.process.start_ns, event.head.parent.start_ns) = (5, 5);
        event
    };
    e.observe(same(20, 21));
    e.observe(same(21, 20));
    assert_eq!(lineage(&e.observe(same(20, 21))), [21]);
}

#[test]
fn ended_processes_stay_thirty_seconds() {
    let mut e = enricher(100);
    e.observe(exec(10, 1, "/bin/a"));
    e.observe(exit(10, 1, 0));
    e.observe(exit(20, 1, 30_000 * MS));
    let late = e.observe(listen(10, 1));
    assert_eq!((exe(&late), late.process.as_ref().unwrap().exited), (&"/bin/a".into(), true));
    e.observe(exit(21, 1, 30_001 * MS));
    let misses = e.counters().misses;
    e.observe(listen(10, 1));
    assert_eq!(e.counters().misses, misses + 1);
}

#[test]
fn room_is_made_by_the_ended_first_then_by_the_silent() {
    let mut e = enricher(4);
    for (tgid, boot_ns) in [(10, 1), (11, 2), (12, 3), (13, 4)] {
        e.observe(Event { head: Head { boot_ns, ..listen(tgid, 1).head }, ..listen(tgid, 1) });
    }
    e.observe(exit(13, 1, 5));
    e.observe(exit(12, 1, 6));
    let misses = |e: &mut Enricher, tgid, boot_ns| {
        let before = e.counters().misses;
        e.observe(Event { head: Head { boot_ns, ..listen(tgid, 1).head }, ..listen(tgid, 1) });
        e.counters().misses > before
    };
    assert!(misses(&mut e, 20, 7)); // takes the place of 13
    assert!(misses(&mut e, 21, 8)); // of 12
    assert!(!misses(&mut e, 10, 9));
    assert!(misses(&mut e, 22, 10)); // of 11, silent since 2
    assert!(!misses(&mut e, 10, 11) && !misses(&mut e, 20, 12));
    let counters = e.counters();
    assert_eq!((counters.evicted_exited, counters.evicted_living, counters.processes), (2, 1, 4));
}

#[test]
fn a_process_from_proc_is_met_again_by_its_exact_start() {
    let cut = |tgid: u32, parent: u32| {
        let cut = |tgid| ProcessKey { tgid, start_ns: key(tgid).start_ns.saturating_sub(TICK_NS / 3) };
        Process {
            key: cut(tgid),
            parent: cut(parent),
            exe: format!("/bin/{tgid}").into(),
            ..Process::default()
        }
    };
    let host = Host(vec![cut(1, 0), cut(10, 1), cut(11, 10)]);
    let mut e = Enricher::new(&Options::default(), Box::new(host));
    e.fill_from_source();
    e.fill_from_source();
    let seen = e.observe(listen(11, 10));
    assert_eq!((exe(&seen), lineage(&seen)), (&"/bin/11".into(), vec![10, 1]));
    assert_eq!(seen.ancestors[0].key, key(10));
    e.observe(listen(10, 1));
    assert_eq!(e.observe(listen(11, 10)).ancestors[0].key, key(10));
    // The pid in use again by another process.
    let mut reused = listen(11, 10);
    reused.head.process.start_ns += 2 * TICK_NS;
    assert_eq!(exe(&e.observe(reused)), "");
    assert_eq!((e.counters().misses, e.counters().processes), (1, 4));
    e.fill_from_source();
    assert_eq!(e.counters().processes, 4);
}

#[test]
fn an_unannounced_process_is_looked_up_for_its_next_event() {
    let host = Host(vec![Process { key: key(10), exe: "/bin/a".into(), ..Process::default() }]);
    let mut e = Enricher::new(&Options::default(), Box::new(host));
    assert_eq!(exe(&e.observe(listen(10, 1))), "");
    e.observe(fork(10, 1, 11));
    e.prepare(&[]);
    assert_eq!(exe(&e.observe(listen(10, 1))), "/bin/a");
    assert_eq!(exe(&e.observe(listen(11, 10))), "");
    assert_eq!(e.counters().misses, 1);
}

#[test]
fn the_first_event_of_a_container_names_it() {
    let mut e = enricher(10);
    let mut event = listen(10, 1);
    event.head.cgroup_id = 7;
    e.prepare(std::slice::from_ref(&event));
    assert_eq!(e.observe(event).container_id.as_deref(), Some(format!("{:064x}", 7).as_str()));
    assert_eq!(e.observe(listen(10, 1)).container_id, None);
}

#[test]
fn nobodys_events_leave_the_table_alone() {
    let mut e = enricher(10);
    let observation = e.observe(Event { head: Head::default(), body: Body::Listen(Default::default()) });
    assert_eq!((observation.process, e.counters()), (None, Counters::default()));
}

#[derive(Debug, Clone)]
enum Step {
    Fork { creator: usize },
    Exec { who: usize },
    Exit { who: usize },
    Act { who: usize },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0usize..1000;
    prop_oneof![
        4 => any.clone().prop_map(|creator| Step::Fork { creator }),
        2 => any.clone().prop_map(|who| Step::Exec { who }),
        2 => any.clone().prop_map(|who| Step::Exit { who }),
        4 => any.prop_map(|who| Step::Act { who }),
        1 => Just(Step::Wait),
    ]
}

fn pid(index: usize) -> u32 {
    u32::try_from(index).unwrap() + 1
}

/// What really happened: who created whom, which program, alive or not. Index 0 is init.
struct Truth {
    creator: Vec<u32>,
    exe: Vec<String>,
    alive: Vec<bool>,
}

impl Truth {
    fn new() -> Self {
        Self { creator: vec![0], exe: vec![String::new()], alive: vec![true] }
    }

    fn pick(&self, n: usize) -> usize {
        let living: Vec<usize> = (0..self.alive.len()).filter(|i| self.alive[*i]).collect();
        living[n % living.len()]
    }

    /// The parent that the kernel names: the creator, or init once that has died.
    fn parent(&self, i: usize) -> u32 {
        let creator = self.creator[i];
        if creator == 0 || self.alive[creator as usize - 1] { creator } else { 1 }
    }

    fn step(&mut self, step: &Step, now_ns: &mut u64, n: usize) -> Option<(usize, Event)> {
        *now_ns += MS;
        let now = *now_ns;
        let at = |i: usize, truth: &Self, body| event(pid(i), truth.parent(i), now, body);
        match step {
            Step::Fork { creator } => {
                let i = self.pick(*creator);
                self.creator.push(pid(i));
                self.exe.push(self.exe[i].clone());
                self.alive.push(true);
                let child = key(pid(self.alive.len() - 1));
                Some((i, at(i, self, Body::Fork(Fork { child, child_vpid: 1 }))))
            }
            Step::Exec { who } => {
                let i = self.pick(*who);
                self.exe[i] = format!("/bin/{n}");
                let exec = Exec { exe: self.exe[i].as_str().into(), ..Exec::default() };
                Some((i, at(i, self, Body::Exec(exec))))
            }
            Step::Exit { who } => {
                let i = self.pick(*who);
                if i == 0 {
                    return None;
                }
                let event = at(i, self, Body::Exit(Exit::default()));
                self.alive[i] = false;
                Some((i, event))
            }
            Step::Act { who } => {
                let i = self.pick(*who);
                Some((i, at(i, self, Body::Listen(Default::default()))))
            }
            Step::Wait => {
                *now_ns += 20_000 * MS;
                None
            }
        }
    }

    fn lineage(&self, i: usize) -> Vec<(u32, String, bool)> {
        let mut found = Vec::new();
        let mut at = self.creator[i];
        while at != 0 && found.len() < crate::ANCESTORS {
            let j = at as usize - 1;
            found.push((at, self.exe[j].clone(), !self.alive[j]));
            at = self.creator[j];
        }
        found
    }
}

fn seen(observation: &Observation) -> Vec<(u32, String, bool)> {
    let told = |p: &Arc<Process>| (p.key.tgid, p.exe.to_string(), p.exited);
    observation.ancestors.iter().map(told).collect()
}

proptest! {
    #[test]
    fn whatever_the_order_the_lineage_is_the_true_one(steps in prop::collection::vec(step(), 1..300)) {
        let (mut e, mut truth, mut now_ns) = (enricher(1000), Truth::new(), 0);
        for (n, step) in steps.iter().enumerate() {
            let Some((i, event)) = truth.step(step, &mut now_ns, n) else { continue };
            let observation = e.observe(event);
            prop_assert_eq!(observation.process.as_ref().map(|p| p.exe.to_string()), Some(truth.exe[i].clone()));
            prop_assert_eq!(seen(&observation), truth.lineage(i));
        }
        prop_assert!(e.counters().misses <= 1); // init
    }

    #[test]
    fn whatever_the_order_the_bound_holds_and_no_parent_is_wrong(
        steps in prop::collection::vec(step(), 1..300), bound in 1usize..20,
    ) {
        let (mut e, mut truth, mut now_ns) = (enricher(bound), Truth::new(), 0);
        for (n, step) in steps.iter().enumerate() {
            let Some((i, event)) = truth.step(step, &mut now_ns, n) else { continue };
            let named = event.head.parent;
            let observation = e.observe(event);
            prop_assert!(e.counters().processes <= bound);
            if let Some(process) = &observation.process {
                prop_assert!(process.parent == key(truth.creator[i]) || process.parent == named);
            }
            // What is told of the lineage is true; it may end early.
            for pair in observation.ancestors.windows(2) {
                let j = pair[0].key.tgid as usize - 1;
                prop_assert!(pair[1].key == key(truth.creator[j]) || pair[1].key == key(1));
            }
        }
    }
}
