//! The plan of outcomes holds every event that a rule matches.

use std::cell::Cell;

use proptest::{prelude::*, sample::select};
use sentinel_event::{Body, Kind, Observation, Outcome, Outcomes};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Memory, Selection, outcomes},
};

use super::{build, opens::rule, random};

/// What conditions say of how a call ended, and what it is about.
const PARTS: &[&str] = &[
    "evt.failed = true",
    "evt.failed != true",
    "evt.failed exists",
    "evt.rawres >= 0",
    "evt.rawres < 0",
    "evt.rawres = -115",
    "evt.rawres in (-1, 3)",
    "evt.rawres != -13",
    "evt.rawres > -116",
    "evt.res = SUCCESS",
    "evt.res != SUCCESS",
    "evt.res in (SUCCESS, EINPROGRESS)",
    "evt.res = anyof (ENOENT, EPERM)",
    "evt.res != allof (SUCCESS, EPERM)",
    "evt.res startswith E",
    "evt.res contains S",
    "evt.res exists",
    "fd.num >= 0",
    "fd.num < 0",
    "fd.num = -1",
    "fd.num exists",
    "fd.type exists",
    "fd.type in (ipv4, memfd)",
    "fd.connected = true",
    "fd.connected = false",
    "fd.connected != true",
    "fd.name_changed = true",
    "fd.name_changed = false",
    "fd.name_changed exists",
    "fd.sport = 22",
    "fd.typechar = 4",
    "evt.type = connect",
    "evt.type in (socket, accept, accept4, bind, listen, memfd_create, bpf)",
    "evt.type != connect",
    "proc.name = bash",
    "user.uid != 0",
    "evt.num > 0",
    "fd.types exists",
    "evt.rawres = val(fd.num)",
    "evt.is_io = true",
];

fn condition() -> impl Strategy<Value = String> {
    let leaf = select(PARTS).prop_map(str::to_owned);
    leaf.prop_recursive(4, 12, 4, |inner| {
        let joined = |word: &'static str, inner: BoxedStrategy<String>| {
            prop::collection::vec(inner, 2..4).prop_map(move |parts| format!("({})", parts.join(word)))
        };
        prop_oneof![
            3 => joined(" and ", inner.clone().boxed()),
            2 => joined(" or ", inner.clone().boxed()),
            1 => inner.prop_map(|part| format!("(not {part})")),
        ]
    })
}

/// Events that end in every way.
fn event() -> impl Strategy<Value = Observation> {
    let result = prop_oneof![
        2 => 0_i64..9,
        1 => Just(-i64::from(libc::EINPROGRESS)),
        2 => select(vec![-1_i64, -2, -13, -111, -4095]),
    ];
    (random::observation(), result).prop_map(|(mut event, result)| {
        event.event.head.result = result;
        event
    })
}

#[test]
fn every_part_is_a_condition() {
    for part in PARTS {
        assert!(RuleSet::load(&[("f.yaml", &rule(part))]).1.is_some(), "{part}");
    }
}

#[test]
fn what_a_rule_matches_is_in_its_plan() {
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let (matched, left_out) = (Cell::new(0), Cell::new(0));
    proptest!(config, |(condition in condition(), events in prop::collection::vec(event(), 48))| {
        let engine = Engine::new(build::load(&rule(&condition)), &Selection::default());
        let plan = engine.outcomes();
        let mut memory = Memory::default();
        for event in &events {
            let mut fires = false;
            engine.evaluate(event, &mut memory, &mut |_| fires = true);
            let wanted = plan.holds(event.event.kind(), event.event.head.result);
            prop_assert!(wanted || !fires, "{condition}\nplan {plan:?}\nleaves out {:?}", event.event);
            matched.set(matched.get() + u32::from(fires));
            left_out.set(left_out.get() + u32::from(!wanted && !matches!(event.event.body, Body::Loss(_))));
        }
    });
    // It would hold of a plan of everything, and of conditions that never hold.
    assert!(matched.get() > 2000 && left_out.get() > 2000, "{} {}", matched.get(), left_out.get());
}

fn planned(condition: &str) -> Outcomes {
    let set = build::load(&rule(condition));
    let [rule] = &set.rules[..] else { panic!("one rule") };
    outcomes(rule)
}

#[test]
fn tests_of_the_result_choose_outcomes() {
    use Outcome::{Failed, Succeeded, UnderWay};
    for (condition, expected) in [
        ("evt.type = connect", &[Succeeded, UnderWay, Failed][..]),
        ("evt.type = connect and evt.rawres >= 0", &[Succeeded]),
        ("evt.type = connect and (evt.rawres >= 0 or evt.res = EINPROGRESS)", &[Succeeded, UnderWay]),
        ("evt.type = connect and evt.failed = true", &[UnderWay, Failed]),
        ("evt.type = connect and not evt.failed = true", &[Succeeded]),
        ("evt.type = connect and fd.connected = true", &[Succeeded]),
        ("evt.type = connect and fd.name_changed = true", &[Succeeded, UnderWay]),
        ("evt.type = connect and evt.res = SUCCESS and proc.name = x", &[Succeeded]),
        ("evt.type = bind and evt.rawres >= 0", &[]),
    ] {
        let plan = planned(condition);
        let found: Vec<_> =
            Outcome::ALL.into_iter().filter(|outcome| plan.kinds(*outcome).contains(Kind::Connect)).collect();
        assert_eq!(found, expected, "{condition}");
    }
}
