//! The plan of opens holds every open that a rule matches.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sentinel_event::{Body, FileInterest, Observation, PathSet};
use sentinel_rules::language::{
    RuleSet,
    envelope::Envelope,
    eval::{Engine, Memory, Selection, file_interest, widenings},
};

use super::{
    build,
    opens::{condition, open, rule},
};

fn holds(interest: &FileInterest, event: &Observation) -> bool {
    let Body::FileOpen(open) = &event.event.body else { return true };
    interest.holds(open, event.event.head.result)
}

fn matches(engine: &Engine, memory: &mut Memory, event: &Observation) -> bool {
    let mut found = false;
    engine.evaluate(event, memory, &mut |_| found = true);
    found
}

#[test]
fn what_a_rule_matches_is_in_its_plan() {
    let opens = prop::collection::vec(open(), 48);
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    let (matched, left_out) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    proptest!(config, |(condition in condition(), opens in opens)| {
        let engine = Engine::new(build::load(&rule(&condition)), &Selection::default());
        let interest = engine.file_interest();
        let mut memory = Memory::default();
        for event in &opens {
            let (fires, wanted) = (matches(&engine, &mut memory, event), holds(&interest, event));
            prop_assert!(wanted || !fires, "{condition}\nplan {interest:?}\nleaves out {:?}", event.event);
            matched.set(matched.get() + u32::from(fires));
            left_out.set(left_out.get() + u32::from(!wanted));
        }
    });
    // It would hold of a plan of everything, and of conditions that never hold.
    assert!(matched.get() > 2000 && left_out.get() > 2000, "{} {}", matched.get(), left_out.get());
}

fn planned(condition: &str) -> FileInterest {
    let set = build::load(&rule(condition));
    let [rule] = &set.rules[..] else { panic!("one rule") };
    file_interest(rule)
}

fn set(prefixes: &[&str], names: &[&str], suffixes: &[&str]) -> PathSet {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
    PathSet::Some(sentinel_event::PathClasses {
        prefixes: own(prefixes),
        names: own(names),
        suffixes: own(suffixes),
    })
}

#[test]
fn tests_of_a_path_become_its_classes() {
    let none = set(&[], &[], &[]);
    for (condition, expected) in [
        ("fd.name = /etc/shadow", set(&["/etc/shadow"], &[], &[])),
        ("fd.name in (/etc/shadow, /etc/gshadow)", set(&["/etc/gshadow", "/etc/shadow"], &[], &[])),
        ("fd.name startswith /etc/ or fd.name startswith /etc/ssh", set(&["/etc/"], &[], &[])),
        (
            "fd.name pmatch (/etc/cron.d, /var/spool/cron/)",
            set(&["/etc/cron.d", "/var/spool/cron"], &[], &[]),
        ),
        ("fd.name endswith sh_history", set(&[], &[], &["sh_history"])),
        ("fd.name endswith /.aws/credentials", set(&[], &[".aws"], &[])),
        ("fd.name contains /.ssh/", set(&[], &[".ssh"], &[])),
        ("fd.name contains ssh", PathSet::All),
        ("fd.name glob '/home/*/.ssh/id_*'", set(&[], &[".ssh"], &[])),
        ("fd.name glob '/etc/ssh/ssh_host_*_key'", set(&["/etc/ssh/ssh_host_"], &[], &[])),
        ("fd.name glob '/proc/*/environ'", set(&[], &["environ"], &[])),
        ("fd.filename glob 'pam_*.so'", set(&[], &[], &[".so"])),
        (
            "fd.filename in (.bashrc, .zshrc) and fd.directory pmatch (/root, /home)",
            set(&[], &[".bashrc", ".zshrc"], &[]),
        ),
        ("fd.directory = /etc/pam.d", set(&["/etc/pam.d"], &[], &[])),
        ("basename(fd.name) = shadow", set(&[], &["shadow"], &[])),
        ("not fd.name startswith /usr", PathSet::All),
        ("not (not fd.name startswith /usr)", set(&["/usr"], &[], &[])),
        ("proc.name = cat", PathSet::All),
        ("fd.sport = 22", none.clone()),
        ("fd.nameraw contains ../", none.clone()),
        ("evt.is_open_write = true", none.clone()),
        ("fd.num < 0", none),
    ] {
        assert_eq!(planned(&format!("evt.type = openat and {condition}")).reading, expected, "{condition}");
    }
}

#[test]
fn classes_of_opens_are_told_apart() {
    let write = "evt.type in (open, openat) and evt.is_open_write = true";
    let plan = planned(&format!("{write} and fd.num >= 0 and fd.name startswith /etc/"));
    let none = PathSet::default();
    let expected =
        FileInterest { writing: set(&["/etc/"], &[], &[]), unsure: true, ..FileInterest::default() };
    assert_eq!(plan, expected);
    let plan = planned("evt.type = openat and fd.num < 0");
    assert_eq!(plan, FileInterest { failed: true, ..FileInterest::default() });
    let plan = planned(&format!("{write} and evt.is_open_create = true and evt.arg.mode contains S_ISUID"));
    assert_eq!((plan.reading, plan.writing, plan.modes), (none.clone(), none, 0o6000));
    assert_eq!(planned("evt.type = execve and proc.name = x"), FileInterest::default());
    assert_eq!(planned("proc.name = x"), FileInterest::all());
}

#[test]
fn steps_and_thresholds_are_planned_too() {
    let text = "- rule: s\n  desc: d\n  output: o\n  priority: INFO\n  condition: proc.name = x\n  sequence:\n    \
                maxspan: 10s\n    by: [proc.pid]\n    steps:\n      - condition: evt.type = openat and fd.name = /a\n      \
                - condition: evt.type = openat and fd.name = /b\n\
                - rule: t\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type = openat and fd.name = /c\n  \
                threshold: {at: 3, within: 10s, by: [proc.pid]}\n";
    let engine = Engine::new(build::load(text), &Selection::default());
    assert_eq!(engine.file_interest().reading, set(&["/a", "/b", "/c"], &[], &[]));
}

#[test]
fn the_part_that_widens_is_named() {
    let text = rule(
        "evt.type = openat and proc.name = x and (fd.name = /a or (proc.pname = y and fd.name contains z))",
    );
    let set = build::load(&text);
    let [rule] = &set.rules[..] else { panic!("one rule") };
    let parts: Vec<_> = widenings(rule).into_iter().map(|widening| (widening.opens, widening.part)).collect();
    let part = "(proc.pname = y and fd.name contains z)".to_owned();
    assert_eq!(parts, [("reading", part.clone()), ("writing", part)]);
}

fn shipped() -> Engine {
    let (report, set) = RuleSet::load(sentinel_rules::builtin::FILES);
    Engine::new(set.unwrap_or_else(|| panic!("{report:?}")), &Selection::default())
}

#[test]
fn of_the_shipped_rules_the_kernel_may_leave_out_most_opens() {
    let plan = shipped().file_interest();
    assert!(!plan.failed && plan.unsure, "{plan:?}");
    for path in [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/etc/ld.so.cache",
        "/proc/meminfo",
        "/dev/null",
        "/home/u/x.c",
    ] {
        assert!(!plan.reading.holds(path.as_bytes()), "{path}: {:?}", plan.reading);
    }
    for path in ["/dev/null", "/tmp/x", "/home/u/x.o", "/var/lib/dpkg/lock"] {
        assert!(!plan.writing.holds(path.as_bytes()), "{path}: {:?}", plan.writing);
    }
    assert!(plan.reading.holds(b"/etc/shadow") && plan.writing.holds(b"/etc/cron.d/x"));
}

/// What was recorded on a real machine, for the measure of rules.
fn recorded() -> Vec<Observation> {
    let read = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let map = |key: &str| -> BTreeMap<String, String> {
            let pairs = line[key].as_object().into_iter().flatten();
            pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
        };
        let envelope = Envelope {
            event_type: line["event_type"].as_str().expect("a kind"),
            ts_unix_nano: 1,
            container_id: "",
            data: &map("data"),
            attributes: &map("attributes"),
        };
        envelope.read().expect("a kind").observation
    };
    include_str!("../../examples/rule_rate/mixed.ndjson").lines().map(read).collect()
}

#[test]
fn recorded_events_of_shipped_and_stock_rules_are_in_the_plan() {
    let events = recorded();
    assert!(events.len() > 100);
    for engine in [Some(shipped()), build::stock()].into_iter().flatten() {
        let (plan, mut memory) = (engine.file_interest(), Memory::default());
        for event in &events {
            let fires = matches(&engine, &mut memory, event);
            assert!(!fires || holds(&plan, event), "{event:?}");
        }
    }
}
