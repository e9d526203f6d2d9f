//! What is remembered of a process counts for it alone, and only while it is the same.

use std::cell::RefCell;

use proptest::prelude::*;
use sentinel_event::{Comm, Observation};
use sentinel_rules::language::eval::Memory;

use super::{naive, random};

/// An event of one of a few actors, some of which change a little.
fn acted(mut event: Observation, actor: &Observation, change: u8) -> Observation {
    event.process.clone_from(&actor.process);
    event.ancestors.clone_from(&actor.ancestors);
    event.container_id.clone_from(&actor.container_id);
    let (head, of) = (&mut event.event.head, &actor.event.head);
    (head.process, head.tid, head.comm) = (of.process, of.tid, of.comm);
    (head.euid, head.egid, head.loginuid) = (of.euid, of.egid, of.loginuid);
    (head.session, head.tty) = (of.session, of.tty);
    match change {
        0 => head.comm = Comm::from("cat"),
        1 => head.tid = head.tid.wrapping_add(1),
        2 => head.euid = 0,
        3 => head.loginuid = 1000,
        4 => head.tty = 34816,
        5 => head.session = head.process.tgid,
        6 => event.container_id = Some("0123456789abcdef".into()),
        7 => event.ancestors = event.ancestors.iter().skip(1).cloned().collect(),
        8 => event.process = None,
        _ => {}
    }
    event
}

#[test]
fn what_is_remembered_of_a_process_counts_while_it_is_the_same() {
    let engines = naive::rules();
    let memory = RefCell::new(Memory::default());
    let actors = prop::collection::vec(random::observation(), 1..4);
    let events =
        prop::collection::vec((random::observation(), any::<prop::sample::Index>(), 0..16_u8), 1..12);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(actors in actors, events in events)| {
        for (event, actor, change) in events {
            let event = acted(event, actor.get(&actors), change);
            for engine in &engines {
                let mut alerts = Vec::new();
                let each = &mut |alert: sentinel_rules::language::eval::Alert<'_>| {
                    alerts.push(alert.rule.name.clone());
                };
                engine.evaluate(&event, &mut memory.borrow_mut(), each);
                for rule in engine.rules() {
                    let expected = naive::matches(rule, &event);
                    prop_assert_eq!(alerts.contains(&rule.name), expected, "{} on {:?}", rule.name, event);
                }
            }
        }
    });
}
