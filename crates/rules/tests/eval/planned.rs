//! The plan of calls holds every event that a rule matches.

use std::cell::Cell;

use proptest::{prelude::*, sample::select};
use sentinel_event::{Body, CallInterest, Comm, Comms, Kind, Named, Observation, Outcome, Setting};
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Memory, Selection, calls},
};

use super::{build, opens::rule, random};

/// What conditions say of how a call ended, who made it, where, and what it is about.
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
    "evt.res != oneof (SUCCESS, EPERM)",
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
    "fd.typechar = 4",
    "evt.type = connect",
    "evt.type in (socket, accept, accept4, bind, listen, memfd_create, bpf)",
    "evt.type in (connect, accept4, bind, listen)",
    "evt.type != connect",
    "evt.num > 0",
    "fd.types exists",
    "evt.rawres = val(fd.num)",
    "evt.is_io = true",
    "user.uid = 0",
    "user.uid == 0",
    "user.uid != 0",
    "user.uid > 0",
    "user.uid <= 1",
    "user.uid < 1000",
    "user.uid in (0, 1000)",
    "user.uid in (1, 1000)",
    "user.uid != allof (0, 1)",
    "user.uid = 1000",
    "user.uid exists",
    "user.name = root",
    "container.id = host",
    "container.id != host",
    "container.id in (host, short)",
    "container.id != anyof (host, short)",
    "container.id != oneof (host, short)",
    "container.id != allof (host, short)",
    "container.id = \"\"",
    "container.id exists",
    "container.full_id = host",
    "container.full_id startswith 0123",
    "proc.name = bash",
    "proc.name == sh",
    "proc.name = \"\"",
    "proc.name != bash",
    "proc.name != \"\"",
    "proc.name in (bash, sh, cat)",
    "proc.name in (nc)",
    "proc.name in ()",
    "proc.name = anyof (bash, nginx)",
    "proc.name = oneof (bash, nginx)",
    "proc.name = allof (bash, nginx)",
    "proc.name != anyof (bash, nginx)",
    "proc.name != oneof (bash, nginx)",
    "proc.name != oneof (bash)",
    "proc.name != allof (bash, nginx)",
    "proc.name in (a-name-of-more-than-fifteen, sshd)",
    "proc.name startswith s",
    "proc.name contains s",
    "proc.name exists",
    "proc.name = val(proc.pname)",
    "proc.pname = bash",
    "proc.aname = bash",
    "proc.aname[0] = bash",
    "fd.sport = 22",
    "fd.sport != 22",
    "fd.sport in (22, 80)",
    "fd.sport < 1024",
    "fd.sport exists",
    "fd.rport = 4444",
    "fd.lport in (443, 80)",
    "fd.cport = 22",
    "fd.port = 443",
    "fd.port != 443",
    "fd.port in (22, 443)",
    "fd.port = anyof (22, 443)",
    "fd.port = allof (22, 443)",
    "fd.port = oneof (22, 443)",
    "fd.sip = 10.0.0.5",
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

/// Events that end in every way, of main threads and others.
fn event() -> impl Strategy<Value = Observation> {
    let result = prop_oneof![
        2 => 0_i64..9,
        1 => Just(-i64::from(libc::EINPROGRESS)),
        2 => select(vec![-1_i64, -2, -13, -111, -4095]),
    ];
    (random::observation(), result, prop::bool::weighted(0.2)).prop_map(|(mut event, result, thread)| {
        event.event.head.result = result;
        event.event.head.tid += u32::from(thread);
        event
    })
}

/// Whether the event happened in a container, as far as the agent tells the kernel.
fn contained(event: &Observation) -> Option<bool> {
    match event.container_id.as_deref() {
        Some("host") => None,
        id => Some(id.is_some()),
    }
}

#[test]
fn every_part_is_a_condition() {
    for part in PARTS {
        assert!(RuleSet::load(&[("f.yaml", &rule(part))]).1.is_some(), "{part}");
    }
}

#[test]
fn what_a_rule_matches_is_in_its_plan() {
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let (matched, left_out) = (Cell::new(0), Cell::new(0));
    proptest!(config, |(condition in condition(), events in prop::collection::vec(event(), 48))| {
        let engine = Engine::new(build::load(&rule(&condition)), &Selection::default());
        let plan = engine.calls();
        let mut memory = Memory::default();
        for event in &events {
            let mut fires = false;
            engine.evaluate(event, &mut memory, &mut |_| fires = true);
            let wanted = plan.holds(&event.event, contained(event));
            prop_assert!(
                wanted || !fires,
                "{condition}\nplan {plan:?}\nleaves out {:?} in {:?}", event.event, event.container_id
            );
            matched.set(matched.get() + u32::from(fires));
            left_out.set(left_out.get() + u32::from(!wanted && !matches!(event.event.body, Body::Loss(_))));
        }
    });
    // It would hold of a plan of everything, and of conditions that never hold.
    assert!(matched.get() > 2000 && left_out.get() > 2000, "{} {}", matched.get(), left_out.get());
}

/// Several rules have one plan.
#[test]
fn what_one_of_several_rules_matches_is_in_their_plan() {
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let conditions = prop::collection::vec(condition(), 2..5);
    proptest!(config, |(conditions in conditions, events in prop::collection::vec(event(), 48))| {
        let text: String = conditions.iter().enumerate().map(|(n, one)| rule(one).replacen(": r", &format!(": r{n}"), 1)).collect();
        let engine = Engine::new(build::load(&text), &Selection::default());
        let joined = engine.rules().iter().fold(CallInterest::default(), |all, rule| all.or(calls(rule)));
        let (plan, mut memory) = (engine.calls(), Memory::default());
        for event in &events {
            let mut fires = false;
            engine.evaluate(event, &mut memory, &mut |_| fires = true);
            for plan in [&plan, &joined] {
                let wanted = plan.holds(&event.event, contained(event));
                prop_assert!(wanted || !fires, "{conditions:?}\nplan {plan:?}\nleaves out {:?}", event.event);
            }
        }
    });
}

fn planned(condition: &str) -> CallInterest {
    let set = build::load(&rule(condition));
    let [rule] = &set.rules[..] else { panic!("one rule") };
    calls(rule)
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
        let is_in = |outcome: Outcome| {
            let mut settings = Setting::all().filter(|setting| setting.outcome == outcome);
            settings.any(|setting| plan.kinds(setting).contains(Kind::Connect))
        };
        let found: Vec<_> = Outcome::ALL.into_iter().filter(|outcome| is_in(*outcome)).collect();
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn tests_of_user_and_container_choose_settings() {
    for (condition, root, others, host, contained) in [
        ("proc.name = x", true, true, true, true),
        ("user.uid = 0", true, false, true, true),
        ("user.uid != 0", false, true, true, true),
        ("not user.uid = 0", false, true, true, true),
        ("user.uid in (1000, 1001)", false, true, true, true),
        ("user.uid > 0 and container.id != host", false, true, false, true),
        ("container.id = host", true, true, true, false),
        ("not (container.id != host)", true, true, true, false),
        ("(container.id != host or user.uid = 0) and container.id = host", true, false, true, false),
    ] {
        let plan = planned(&format!("evt.type = bind and {condition}"));
        let some = |of: &dyn Fn(&Setting) -> bool| {
            Setting::all().filter(of).any(|setting| plan.kinds(setting).contains(Kind::Bind))
        };
        let found = (some(&|s| s.root), some(&|s| !s.root), some(&|s| !s.contained), some(&|s| s.contained));
        assert_eq!(found, (root, others, host, contained), "{condition}");
    }
}

#[test]
fn tests_of_names_and_ports_choose_calls() {
    let names = |names: &[&str]| names.iter().map(|name| Comm::from(*name)).collect();
    let only = |list: &[&str], ports: &[u16]| {
        Some(Named { comms: Comms::Only(names(list)), ports: ports.iter().copied().collect() })
    };
    for (condition, expected) in [
        ("user.uid = 0", None),
        ("proc.name = sh", only(&["sh"], &[])),
        ("proc.name in (sh, bash) and proc.name != nc", only(&["bash", "sh"], &[])),
        ("proc.name = sh or fd.sport in (22, 80)", only(&["sh"], &[22, 80])),
        ("proc.name = sh or fd.sport != 22", None),
        ("proc.name = sh and fd.sport = 22", only(&["sh"], &[])),
        ("not proc.name = \"\"", None),
        ("proc.name startswith s", None),
        ("proc.name = a-name-of-more-than-fifteen", only(&[], &[])),
        (
            "not proc.name in (sh, bash)",
            Some(Named { comms: Comms::Except(names(&["sh", "bash"])), ..Named::default() }),
        ),
        (
            "not proc.name in (sh, bash) or proc.name = bash",
            Some(Named { comms: Comms::Except(names(&["sh"])), ..Named::default() }),
        ),
    ] {
        let plan = planned(&format!("evt.type = connect and ({condition})"));
        assert_eq!(plan.named(Kind::Connect), expected.as_ref(), "{condition}");
    }
    // Of other calls the kernel's side knows no ports.
    assert_eq!(planned("evt.type = sendto and fd.sport = 53").named(Kind::Send), None);
}
