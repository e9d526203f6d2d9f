//! Rules that remember: `threshold` and `sequence`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test are part of it"
)]

#[path = "eval/build.rs"]
mod build;

use build::{NOW, called, connect, exec, load, open};
use sentinel_event::Observation;
use sentinel_rules::language::{
    RuleSet,
    eval::{Engine, Matching, Memory, Remembered, Selection},
};

const SECOND: u64 = 1_000_000_000;

/// A rule with this condition and these further lines.
fn rule(name: &str, condition: &str, rest: &str) -> String {
    format!("- rule: {name}\n  desc: d\n  output: o\n  priority: INFO\n  condition: {condition}\n{rest}")
}

fn opens(rest: &str) -> Engine {
    let text = rule("r", "evt.type = openat", rest);
    Engine::new(load(&text), &Selection::default())
}

/// `file` opened so many milliseconds from now, by the process `pid`.
fn opened(file: &str, ms: u64, pid: u32) -> Observation {
    let mut event = open(file, libc::O_RDONLY);
    event.event.head.real_ns = NOW + ms * SECOND / 1000;
    event.event.head.process.tgid = pid;
    event
}

/// At which of the events the engine fires.
fn fires(engine: &Engine, memory: &mut Memory, events: &[Observation]) -> Vec<usize> {
    let mut at = Vec::new();
    for (number, event) in events.iter().enumerate() {
        engine.evaluate(event, memory, &mut |_| at.push(number));
    }
    at
}

fn fresh(engine: &Engine, events: &[Observation]) -> Vec<usize> {
    fires(engine, &mut Memory::default(), events)
}

#[test]
fn a_threshold_fires_when_reached_and_begins_anew() {
    let events: Vec<_> = (0..7).map(|number| opened("/x", number * 100, 1)).collect();
    assert_eq!(fresh(&opens("  threshold: {count: events, at: 3, within: 10s}\n"), &events), [2, 5]);
    assert_eq!(fresh(&opens("  threshold: {count:, above: 3, within: 10s}\n"), &events), [3]);
    assert_eq!(fresh(&opens("  threshold: {at: 1, within: 10s}\n"), &events).len(), 7);
}

#[test]
fn what_is_older_than_the_window_does_not_count() {
    let engine = opens("  threshold: {at: 3, within: 1s}\n");
    let at = |times: &[u64]| times.iter().map(|ms| opened("/x", *ms, 1)).collect::<Vec<_>>();
    assert_eq!(fresh(&engine, &at(&[0, 500, 1001, 1400])), [3]);
    assert_eq!(fresh(&engine, &at(&[0, 500, 1000])), [2]);
    assert_eq!(fresh(&engine, &at(&[0, 600, 1200, 1800, 2400])), [0_usize; 0]);
}

#[test]
fn a_quiet_time_makes_many_events_one_alert() {
    let engine = opens("  threshold: {at: 1, within: 1s, by: [proc.pid, fd.name], quiet: 10s}\n");
    let at = |times: &[u64]| times.iter().map(|ms| opened("/x", *ms, 1)).collect::<Vec<_>>();
    assert_eq!(fresh(&engine, &at(&[0, 1, 2, 9_999, 10_000, 10_001])), [0, 4]);
    // A value of its own each, and order does not matter.
    assert_eq!(fresh(&engine, &[opened("/x", 5, 1), opened("/y", 6, 1), opened("/x", 4, 1)]), [0, 1]);
    let engine = opens("  threshold: {at: 2, within: 1s, quiet: 10s}\n");
    assert_eq!(fresh(&engine, &at(&[0, 1, 2, 3, 10_001, 10_002])), [1, 5]);
    let mut memory = Memory::default();
    assert_eq!(fires(&engine, &mut memory, &at(&[0, 1])), [1]);
    assert_eq!(memory.remembered(), Remembered { keys: 1, entries: 1, evicted: 0, late: 0 });
}

#[test]
fn each_key_has_a_count_of_its_own() {
    let engine = opens("  threshold: {at: 2, within: 10s, by: [proc.pid, fd.name]}\n");
    let events =
        [opened("/x", 0, 1), opened("/x", 1, 2), opened("/y", 2, 1), opened("/x", 3, 1), opened("/x", 4, 2)];
    assert_eq!(fresh(&engine, &events), [3, 4]);
}

#[test]
fn different_values_count_once() {
    let engine = opens("  threshold: {distinct: fd.name, at: 3, within: 1s, by: proc.pid}\n");
    let events = [
        opened("/a", 0, 1),
        opened("/b", 10, 1),
        opened("/a", 900, 1),
        opened("/b", 910, 1),
        // The first opens of /a and /b are too old, the second are not.
        opened("/c", 1500, 1),
        opened("/d", 1501, 1),
    ];
    assert_eq!(fresh(&engine, &events), [4]);
    let missing = opens("  threshold: {distinct: container.image, at: 1, within: 1s}\n");
    assert_eq!(fresh(&missing, &events), [0_usize; 0]);
}

#[test]
fn events_may_come_out_of_order_but_not_late() {
    let engine = opens("  threshold: {at: 3, within: 1s}\n");
    let at = |times: &[u64]| times.iter().map(|ms| opened("/x", *ms, 1)).collect::<Vec<_>>();
    assert_eq!(fresh(&engine, &at(&[900, 300, 600])), [2]);
    assert_eq!(fresh(&engine, &at(&[2000, 1500, 900, 1900])), [3]);
    let mut memory = Memory::default();
    assert_eq!(fires(&engine, &mut memory, &at(&[2000, 1500, 900])), [0_usize; 0]);
    assert_eq!(memory.remembered(), Remembered { keys: 1, entries: 2, evicted: 0, late: 1 });
    // One wrong clock does not blind the rule: the third late event begins anew.
    let mut wrong = opened("/x", 0, 1);
    wrong.event.head.real_ns = u64::MAX;
    let mut events = vec![wrong];
    events.extend(at(&[0, 1, 2, 3, 4]));
    assert_eq!(fresh(&engine, &events), [5]);
}

const STEPS: &str = "  sequence:\n    by: [proc.pid]\n    maxspan: 30s\n    steps:\n      - condition: evt.type = connect\n      \
    - condition: evt.type = openat and fd.name = /etc/shadow\n      - condition: evt.type = execve\n";

fn steps() -> Engine {
    let text = rule("r", "evt.type in (connect, openat, execve) and container.id = host", STEPS);
    Engine::new(load(&text), &Selection::default())
}

fn timed(mut event: Observation, seconds: u64, pid: u32) -> Observation {
    event.event.head.real_ns = NOW + seconds * SECOND;
    event.event.head.process.tgid = pid;
    event
}

/// The three steps at these seconds.
fn three(seconds: [u64; 3], pid: u32) -> [Observation; 3] {
    let [first, second, third] = seconds;
    [
        timed(connect("10.0.0.1", 80), first, pid),
        timed(open("/etc/shadow", libc::O_RDONLY), second, pid),
        timed(exec("sh", &["sh"]), third, pid),
    ]
}

#[test]
fn a_sequence_fires_on_its_last_step_by_key_and_within_its_span() {
    let engine = steps();
    assert_eq!(fresh(&engine, &three([0, 10, 30], 1)), [2]);
    assert_eq!(fresh(&engine, &three([0, 10, 31], 1)), [0_usize; 0]);
    assert_eq!(fresh(&engine, &three([10, 5, 20], 1)), [0_usize; 0]);
    let [first, second, third] = three([0, 1, 2], 1);
    let other = timed(third.clone(), 2, 2);
    assert_eq!(fresh(&engine, &[first.clone(), second.clone(), other, third.clone()]), [3]);
    // Used up: the next needs all steps again.
    assert_eq!(fresh(&engine, &[first.clone(), second.clone(), third.clone(), third.clone()]), [2]);
    // The rule's own condition must hold, too.
    let contained = build::contained(second.clone());
    assert_eq!(fresh(&engine, &[first.clone(), contained, third.clone()]), [0_usize; 0]);
    // The newest first step counts.
    let early = timed(first.clone(), 0, 1);
    let late = timed(first, 20, 1);
    let rest = three([0, 30, 45], 1);
    assert_eq!(fresh(&engine, &[early, late, rest[1].clone(), rest[2].clone()]), [3]);
}

#[test]
fn steps_that_arrive_in_another_order_still_match_by_their_times() {
    let [first, second, third] = three([0, 1, 2], 1);
    assert_eq!(fresh(&steps(), &[third.clone(), first.clone(), second.clone()]), [2]);
    assert_eq!(fresh(&steps(), &[second, third, first]), [2]);
}

#[test]
fn one_event_is_one_step() {
    let text =
        "  sequence: {maxspan: 1s, steps: [{condition: evt.type = openat}, {condition: fd.name = /x}]}\n";
    let engine = Engine::new(load(&rule("r", "evt.type exists", text)), &Selection::default());
    let event = opened("/x", 0, 1);
    assert_eq!(fresh(&engine, std::slice::from_ref(&event)), [0_usize; 0]);
    assert_eq!(fresh(&engine, &[event.clone(), event]), [1]);
}

#[test]
fn steps_may_name_the_common_value_differently() {
    let text = "  sequence:\n    by: proc.pid\n    maxspan: 5s\n    steps:\n      - {condition: evt.type = connect}\n      \
        - {condition: evt.type = execve, by: proc.ppid}\n";
    let engine = Engine::new(load(&rule("r", "evt.type in (connect, execve)", text)), &Selection::default());
    let parent = timed(connect("10.0.0.1", 80), 0, 200);
    let child = timed(exec("sh", &["sh"]), 1, 300);
    assert_eq!(child.event.head.parent.tgid, 200);
    assert_eq!(fresh(&engine, &[parent.clone(), child.clone()]), [1]);
    assert_eq!(fresh(&engine, &[timed(parent, 0, 300), child]), [0_usize; 0]);
}

#[test]
fn a_flood_of_keys_has_a_bound_and_is_counted() {
    let engine = opens("  threshold: {at: 3, within: 60s, by: proc.pid}\n");
    let mut memory = Memory::default();
    let mut alerts = 0;
    for pid in 0..100_000 {
        engine.evaluate(&opened("/x", u64::from(pid) / 100, pid), &mut memory, &mut |_| alerts += 1);
    }
    let held = memory.remembered();
    assert_eq!((alerts, held.late), (0, 0));
    assert!(held.keys <= 4096 && held.entries <= 65_536, "{held:?}");
    // Nothing has vanished uncounted.
    assert_eq!(held.keys as u64 + held.evicted, 100_000);
    // What is busy stays, whatever comes in between.
    let mut events = Vec::new();
    for round in 0..3_u32 {
        let ms = 1000 + u64::from(round);
        events.push(opened("/x", ms, 7));
        events.extend((0..1000).map(|pid| opened("/x", ms, 200_000 + round * 1000 + pid)));
    }
    assert_eq!(fires(&engine, &mut memory, &events), [2002]);
}

#[test]
fn a_flood_of_entries_has_a_bound() {
    let engine = opens("  threshold: {distinct: fd.name, at: 1000, within: 24h, by: proc.pid}\n");
    let mut memory = Memory::default();
    for number in 0..90_000_u32 {
        let event = opened(&format!("/{number}"), 0, number % 300);
        engine.evaluate(&event, &mut memory, &mut |_| {});
        assert!(memory.remembered().entries <= 65_536 + 1);
    }
}

#[test]
fn keys_that_expired_are_no_loss() {
    let engine = opens("  threshold: {at: 3, within: 1s, by: proc.pid}\n");
    let mut memory = Memory::default();
    for pid in 0..50_000 {
        engine.evaluate(&opened("/x", u64::from(pid), pid), &mut memory, &mut |_| {});
    }
    assert_eq!(memory.remembered().evicted, 0);
}

#[test]
fn a_new_engine_goes_on_where_the_rule_is_the_same() {
    let all = Selection { matching: Matching::All, ..Selection::default() };
    let engine = |rules: &[String]| Engine::new(load(&rules.concat()), &all);
    let counts = rule("counts", "evt.type = openat", "  threshold: {at: 3, within: 60s}\n");
    let other = rule("other", "evt.type = execve", "");
    let changed = rule("counts", "evt.type = openat", "  threshold: {at: 3, within: 61s}\n");
    let event = |ms| opened("/x", ms, 1);
    let mut memory = Memory::default();
    assert_eq!(
        fires(&engine(std::slice::from_ref(&counts)), &mut memory, &[event(0), event(1)]),
        [0_usize; 0]
    );
    assert_eq!(fires(&engine(&[other.clone(), counts.clone()]), &mut memory, &[event(2)]), [0]);
    assert_eq!(
        fires(&engine(std::slice::from_ref(&counts)), &mut memory, &[event(3), event(4)]),
        [0_usize; 0]
    );
    assert_eq!(fires(&engine(&[changed]), &mut memory, &[event(5)]), [0_usize; 0]);
    // It was gone meanwhile.
    assert_eq!(fires(&engine(&[counts]), &mut memory, &[event(6)]), [0_usize; 0]);
    assert_eq!(memory.remembered().entries, 1);
}

#[test]
fn the_first_match_hides_no_event_from_rules_that_remember() {
    let rules = [
        rule("always", "evt.type = openat", ""),
        rule("never reached", "evt.type = openat", ""),
        rule("counts", "evt.type = openat", "  threshold: {at: 2, within: 60s}\n"),
    ];
    let engine = Engine::new(load(&rules.concat()), &Selection::default());
    let mut memory = Memory::default();
    let mut names = Vec::new();
    for _ in 0..2 {
        engine.evaluate(&opened("/x", 0, 1), &mut memory, &mut |alert| names.push(alert.rule.name.clone()));
    }
    assert_eq!(names, ["always", "always", "counts"]);
}

#[test]
fn a_rule_is_shown_with_what_it_remembers() {
    let set = load(&rule("r", "evt.type in (connect, openat, execve, close)", STEPS));
    let rule_of = &set.rules[0];
    let expected = "within 30s: [evt.type = connect] by proc.pid then [(evt.type = openat and fd.name = /etc/shadow)] \
        by proc.pid then [evt.type = execve] by proc.pid";
    assert_eq!(rule_of.sequence.as_ref().unwrap().canonical(), expected);
    // Events of no step are not looked at.
    assert_eq!(rule_of.event_types.iter().collect::<Vec<_>>(), ["connect", "execve", "openat"]);
    let json = serde_json::to_value(rule_of).unwrap();
    assert_eq!(json["sequence"], expected);
    assert_eq!(json.get("threshold"), None);
    let text = "  threshold: {distinct: 'toupper(fd.name)', above: 4, within: 120s, by: ['proc.aname[2]']}\n";
    let set = load(&rule("r", "evt.type = openat", text));
    let shown = set.rules[0].threshold.as_ref().unwrap().canonical();
    assert_eq!(shown, "5 distinct toupper(fd.name) within 2m by proc.aname[2]");
}

/// Line and column of the first error, and what it says.
fn refused(rest: &str) -> (usize, usize, String) {
    let (report, set) = RuleSet::load(&[("f.yaml", &rule("r", "evt.type = openat", rest))]);
    assert_eq!(set, None, "{rest}");
    let error = &report.errors[0];
    (error.line, error.column, error.message.clone())
}

#[test]
fn errors_name_the_place_and_what_would_do() {
    let step = "{condition: evt.type = openat}";
    for (rest, place, part) in [
        ("  threshold: 5\n", "5", "not a mapping"),
        ("  threshold: {at: 3, wihtin: 1s}\n", "wihtin", "did you mean 'within'"),
        ("  threshold: {at: 3}\n", "{at", "needs 'within'"),
        ("  threshold: {within: 1s}\n", "{within", "one of 'at' and 'above'"),
        ("  threshold: {at: 3, above: 3, within: 1s}\n", "{at", "one of 'at' and 'above'"),
        ("  threshold: {at: 0, within: 1s}\n", "0,", "from 1 to 1000"),
        ("  threshold: {at: 1001, within: 1s}\n", "1001", "from 1 to 1000"),
        ("  threshold: {above: 1000, within: 1s}\n", "1000", "from 0 to 999"),
        ("  threshold: {at: many, within: 1s}\n", "many", "must be a number"),
        ("  threshold: {at: 3, within: 10}\n", "10}", "such as 500ms"),
        ("  threshold: {at: 3, within: 2d}\n", "2d", "at most 24h"),
        ("  threshold: {at: 3, at: 4, within: 1s}\n", "at: 4", "given twice"),
        ("  threshold: {count: 3, at: 3, within: 1s}\n", "3, at", "'count' takes no value"),
        ("  threshold: {count: events, distinct: fd.name, at: 3, within: 1s}\n", "events", "'distinct'"),
        ("  threshold: {at: 3, within: 1s, by: [proc.nmae]}\n", "proc.nmae", "proc.name"),
        ("  threshold: {at: 3, within: 1s, by: [a, b, c, d, e, f, g, h, i]}\n", "[a", "at most 8"),
        ("  threshold: {at: 3, within: 1s, by: ['proc.name exists or proc.pid']}\n", "'proc", "one field"),
        ("  threshold: {at: 3, within: 1s, distinct: [fd.name]}\n", "[fd", "must be a field"),
        ("  sequence: {maxspan: 1s}\n", "{maxspan", "needs 'steps'"),
        (&format!("  sequence: {{maxspan: 1s, steps: [{step}]}}\n"), "{maxspan", "from 2 to 8"),
        (&format!("  sequence: {{steps: [{step}, {step}]}}\n"), "{steps", "needs 'maxspan'"),
        (&format!("  sequence: {{maxspan: 1s, steps: [{step}, {{}}]}}\n"), "{}", "needs a 'condition'"),
        (
            &format!("  sequence: {{maxspan: 1s, steps: [{step}, {{condition: proc.nmae = x}}]}}\n"),
            "proc.nmae",
            "proc.name",
        ),
        (&format!("  sequence: {{maxspan: 1s, steps: [{step}, {{condition: ''}}]}}\n"), "''", "empty"),
        (
            &format!("  sequence: {{maxspan: 1s, steps: [{step}, {{condition: a_macro}}]}}\n"),
            "a_macro",
            "Undefined macro",
        ),
        (
            &format!(
                "  sequence: {{maxspan: 1s, by: proc.pid, steps: [{step}, {{condition: a exists, by: []}}]}}\n"
            )
            .replace("a exists", "proc.name exists"),
            "{condition: proc.name",
            "as many fields",
        ),
        (
            &format!("  threshold: {{at: 1, within: 1s}}\n  sequence: {{maxspan: 1s, steps: [{step}, {step}]}}\n"),
            "{maxspan",
            "not both",
        ),
    ] {
        let (line, column, message) = refused(rest);
        assert!(message.contains(part), "{rest}: {message}");
        let text: String = rest.lines().nth(line - 6).unwrap().chars().skip(column - 1).collect();
        assert!(text.starts_with(place), "{message} at {text}");
    }
}

#[test]
fn another_file_may_replace_what_a_rule_remembers() {
    let first = rule("r", "evt.type = openat", "  threshold: {at: 3, within: 1s}\n");
    let second = "- rule: r\n  threshold: {at: 1, within: 1s}\n  override: {threshold: replace}\n";
    let (report, set) = RuleSet::load(&[("a", &first), ("b", second)]);
    let set = set.unwrap_or_else(|| panic!("{report}"));
    let engine = Engine::new(set, &Selection::default());
    assert_eq!(fresh(&engine, &[called(opened("/x", 0, 1), "cat")]), [0]);
}

#[test]
fn the_examples_of_the_documentation_load() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules-stateful.md");
    let text = std::fs::read_to_string(path).unwrap();
    let examples: Vec<_> =
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for rule in &load(&examples.concat()).rules {
        assert!(rule.threshold.is_some() || rule.sequence.is_some(), "{}", rule.name);
    }
}
