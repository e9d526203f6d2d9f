//! Which rules are used, and which of them matches first.

use sentinel_event::{Kind, KindSet};
use sentinel_rules::language::{
    Priority, RuleSet,
    eval::{Choice, Chosen, Engine, Matching, Memory, Selection},
};

use super::build::*;

fn rules() -> RuleSet {
    let one = |name: &str, priority: &str, rest: &str, condition: &str| {
        format!(
            "- rule: {name}\n  desc: d\n  output: o\n  priority: {priority}\n  tags: ['{name}_tag', all]\n  \
             condition: {condition}\n{rest}"
        )
    };
    let files = [
        one("reads", "WARNING", "", "evt.type = openat"),
        one("shadow [x]", "ERROR", "", "evt.type in (open, openat) and fd.name = /etc/shadow"),
        one("off", "ERROR", "  enabled: false\n", "evt.type = openat"),
        one("debug", "DEBUG", "", "evt.type = openat"),
        one("starts", "ERROR", "", "evt.type = execve"),
        one("never", "ERROR", "", "evt.type = close and evt.num = 0"),
    ];
    load(&files.concat())
}

fn matches(selection: &Selection) -> Vec<String> {
    fired(&Engine::new(rules(), selection), &open("/etc/shadow", libc::O_RDONLY))
}

fn all(choices: &[(bool, Chosen)]) -> Selection {
    let choices = choices.iter().map(|(enable, rules)| Choice { enable: *enable, rules: rules.clone() });
    Selection { matching: Matching::All, choices: choices.collect(), ..Selection::default() }
}

#[test]
fn the_first_match_ends_the_search_unless_all_are_wanted() {
    assert_eq!(matches(&Selection::default()), ["reads"]);
    assert_eq!(matches(&all(&[])), ["reads", "shadow [x]", "debug"]);
}

#[test]
fn less_severe_rules_are_left_out() {
    let severe = Selection { minimum_priority: Priority::Error, ..all(&[]) };
    assert_eq!(matches(&severe), ["shadow [x]"]);
    let choices = all(&[(true, Chosen::Name("debug".into()))]).choices;
    assert_eq!(matches(&Selection { choices, ..severe }), ["shadow [x]"]);
}

#[test]
fn the_last_choice_about_a_rule_counts() {
    let name = |pattern: &str| Chosen::Name(pattern.into());
    let tag = |tag: &str| Chosen::Tag(tag.into());
    for (choices, expected) in [
        (vec![(false, name("*"))], vec![]),
        (vec![(false, name("*")), (true, name("off"))], vec!["off"]),
        (vec![(true, name("off")), (false, name("*"))], vec![]),
        (vec![(false, tag("all")), (true, tag("debug_tag"))], vec!["debug"]),
        (vec![(false, name("*d*"))], vec![]),
        (vec![(false, name("shadow [x]"))], vec!["reads", "debug"]),
        (vec![(false, name("shadow x"))], vec!["reads", "shadow [x]", "debug"]),
        (vec![(true, name("o*"))], vec!["reads", "shadow [x]", "off", "debug"]),
    ] {
        assert_eq!(matches(&all(&choices)), expected, "{choices:?}");
    }
}

#[test]
fn kinds_are_those_that_a_rule_can_match() {
    let engine = Engine::new(rules(), &Selection::default());
    let expected: KindSet = [Kind::FileOpen, Kind::Exec].into_iter().collect();
    assert_eq!(engine.kinds(), expected);
}

#[test]
fn events_are_numbered_and_their_distance_is_known() {
    let engine = engine("evt.num = 2 and evt.reltime = 5 and evt.deltatime = 5");
    let mut memory = Memory::default();
    let mut event = open("/x", libc::O_RDONLY);
    let mut counts = Vec::new();
    for _ in 0..3 {
        let mut count = 0;
        engine.evaluate(&event, &mut memory, &mut |_| count += 1);
        counts.push(count);
        event.event.head.real_ns += 5;
    }
    assert_eq!(counts, [0, 1, 0]);
    assert_eq!(memory.events(), 3);
}

#[test]
fn a_memory_may_go_on_with_another_engine() {
    let mut memory = Memory::default();
    let event = open("/etc/shadow", libc::O_RDONLY);
    for condition in ["fd.name = /etc/shadow", "proc.name = cat or (fd.num = 9 and fd.num = 8)", "fd.num = 3"]
    {
        let mut count = 0;
        engine(condition).evaluate(&event, &mut memory, &mut |_| count += 1);
        assert_eq!(count, 1, "{condition}");
    }
}
